from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.logs import read_accuracy
from assay.loadgen.walk import walk_accuracy
from assay.testing import write_accuracy_log

ROWS = [(2, b"abc"), (0, b""), (1, bytes(range(256)))]


def test_it_gives_what_reading_all_at_once_gives(tmp_path: Path) -> None:
    log = write_accuracy_log(tmp_path / "log.json", ROWS)
    read = read_accuracy(log)
    assert list(walk_accuracy(log)) == ROWS == list(zip(read.qsl_idx.tolist(), read.data, strict=True))
    assert list(walk_accuracy(write_accuracy_log(tmp_path / "none.json", []))) == []


@pytest.mark.parametrize(
    "change", [lambda raw: raw[:-3], lambda raw: raw.replace(b"}", b"]", 1), lambda raw: b"x" + raw]
)
def test_a_damaged_log_is_refused_as_when_it_is_read_at_once(tmp_path: Path, change: object) -> None:
    log = write_accuracy_log(tmp_path / "log.json", ROWS)
    log.write_bytes(change(log.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InvalidInputError) as once:
        read_accuracy(log)
    with pytest.raises(InvalidInputError) as walked:
        list(walk_accuracy(log))
    assert str(walked.value) == str(once.value)


def test_a_log_that_is_empty_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_bytes(b"")
    with pytest.raises(InvalidInputError, match="empty"):
        list(walk_accuracy(tmp_path / "empty.json"))
    with pytest.raises(NotFoundError):
        list(walk_accuracy(tmp_path / "none.json"))

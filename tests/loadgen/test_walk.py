from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.logs import Tokens, read_accuracy
from assay.loadgen.walk import walk_accuracy, walk_tokens
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


def test_what_loadgen_was_told_of_tokens_is_read_beside_the_response(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    head = '{ "seq_id" : %d, "qsl_idx" : %d, "data" : "0102"'
    lines = [
        head % (0, 7) + ', "token_data" : "01", "token_count" : 2 }',
        head % (1, 8) + ', "token_count" : 3 }',
        head % (2, 9) + " }",
        head % (3, 5) + ', "token_data" : "0", "token_count" : 2 }',
    ]
    log.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    assert list(walk_tokens(log)) == [
        Tokens(7, b"\1\2", b"\1", 2), Tokens(8, b"\1\2", None, 3), Tokens(9, b"\1\2", None, None),
        Tokens(5, b"\1\2", None, 2),
    ]  # fmt: skip
    assert list(walk_accuracy(log)) == [(index, b"\1\2") for index in (7, 8, 9, 5)]
    log.write_text("[\n" + lines[0].replace("token_data", "token_text") + "\n]\n")
    with pytest.raises(InvalidInputError, match="malformed"):
        list(walk_tokens(log))

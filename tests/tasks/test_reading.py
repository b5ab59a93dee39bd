"""Reading the files of a dataset."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.tasks.reading import fingerprint, read_each, require_some


def test_a_limit_leaves_a_sample() -> None:
    require_some(None)
    require_some(1)
    with pytest.raises(UsageError, match="at least one"):
        require_some(0)


def test_a_fingerprint_follows_size_time_name_and_form(tmp_path: Path) -> None:
    path = tmp_path / "one"
    absent = fingerprint("1", [(path, "")])
    path.write_bytes(b"12")
    os.utime(path, ns=(5, 5))
    first = fingerprint("1", [(path, "")])
    assert first == fingerprint("1", [(path, "")])
    assert len(first) == 32
    found = {absent, first, fingerprint("2", [(path, "")]), fingerprint("1", [(path, "cat")])}
    os.utime(path, ns=(5, 6))
    found.add(fingerprint("1", [(path, "")]))
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 5))
    found.add(fingerprint("1", [(path, "")]))
    assert len(found) == 6


def _read(item: int) -> int:
    if item == 3:
        raise InvalidInputError("no picture", where="three", found="noise")
    if item == 5:
        raise NotFoundError("not there", where="five")
    return item * item


def test_good_ones_and_what_is_wrong_with_the_others() -> None:
    good, bad = read_each(range(7), _read, title="look", unit="pictures", skip_bad=True, progress=SILENT)
    assert good == {0: 0, 1: 1, 2: 4, 4: 16, 6: 36}
    assert bad == {3: "no picture: noise", 5: "not there"}


def test_the_first_bad_one_is_told_with_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match="no picture") as caught:
        read_each(range(7), _read, title="look", unit="pictures", skip_bad=False, progress=SILENT)
    assert "such pictures out with --skip-bad" in str(caught.value.hint)


def test_as_many_side_by_side_as_asked() -> None:
    meeting = threading.Barrier(3, timeout=20)
    good, _ = read_each(
        range(3), lambda _: meeting.wait(), title="", unit="", skip_bad=False, progress=SILENT, workers=3
    )
    assert sorted(good.values()) == [0, 1, 2]


def test_a_fault_of_ours_is_not_taken_for_a_bad_sample() -> None:
    with pytest.raises(ZeroDivisionError):
        read_each([0], lambda item: 1 // item, title="", unit="", skip_bad=True, progress=SILENT)

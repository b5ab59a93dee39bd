from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.submission.preprocess.journal import Journal, Placed, read_journal
from assay.submission.preprocess.model import Action, Change

COPY = Change(Action.COPY, "closed/A/b", "closed/A/a", "so", 2, 10)
REMOVE = Change(Action.REMOVE, "closed/A/c", mode=0o750)
PLACED = Placed({"x": "0" * 64, "é/y": "1" * 64}, frozenset({"é"}))


def begun(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "j.jsonl", "/t", "v3.0", (REMOVE, COPY))
    journal.begin()
    return journal


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    assert read_journal(journal.path) == journal
    journal.record(1, PLACED)
    assert read_journal(journal.path).placed == {1: PLACED}
    journal.finish()
    assert read_journal(journal.path) == journal
    journal.take_back()
    found = read_journal(journal.path)
    assert (found.done, found.undone) == (True, True)


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    whole = journal.path.read_bytes()
    journal.record(1, PLACED)
    line = journal.path.read_bytes()[len(whole) :]
    for end in range(len(line) - 1):
        journal.path.write_bytes(whole + line[:end])
        assert read_journal(journal.path).placed == {}
        torn = read_journal(journal.path)
        torn.record(1, PLACED)
        torn.finish()
        again = read_journal(journal.path)
        assert (again.placed, again.done) == ({1: PLACED}, True)


@pytest.mark.parametrize("place", ["../x/y", "/etc/x", "closed", "other/A/b", "closed/A/../../b", "closed/A/b\0", ""])
def test_a_place_outside_a_submitters_folder_is_refused(tmp_path: Path, place: str) -> None:
    journal = Journal(tmp_path / "j.jsonl", "/t", "v3.0", (Change(Action.COPY, place, "closed/A/a"),))
    journal.begin()
    with pytest.raises(InvalidInputError, match="outside a submitter's folder"):
        read_journal(journal.path)


@pytest.mark.parametrize(
    "line",
    [
        {"change": 2, "files": {}, "folders": []},
        {"change": 1, "files": {"../x": "0" * 64}, "folders": []},
        {"change": 1, "files": {}, "folders": ["/etc"]},
        {"change": 1, "files": {"x": "short"}, "folders": []},
        {"change": -1, "files": {}, "folders": []},
        {"state": "perhaps"},
        [],
    ],
)
def test_a_line_that_cannot_be_is_refused(tmp_path: Path, line: object) -> None:
    journal = begun(tmp_path)
    with journal.path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(InvalidInputError, match="a line of the journal"):
        read_journal(journal.path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100000, b'{"format": 2}'])
def test_anything_else_is_no_journal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(InvalidInputError, match="no journal of assay preprocess"):
        read_journal(tmp_path / "j")


def test_a_journal_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_journal(tmp_path / "none")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_journal(tmp_path)

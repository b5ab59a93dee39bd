from __future__ import annotations

from pathlib import Path

import pytest

from assay.campaign.flow.journal import Done, Journal
from assay.errors import InvalidInputError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "lab")
    assert journal.entries() == {} and journal.under_way() == ""
    journal.begin("a")
    assert journal.under_way() == "a" and journal.entries() == {}
    journal.done(Done("a", "in", "out", ("run-1",), 1.5, "well"))
    journal.begin("build", "/tree")
    assert journal.under_way() == "build" and journal.begun("build") == {"/tree"}
    (entry,) = Journal(tmp_path / "new" / "lab").entries()["a"]
    assert (entry.inputs, entry.output, entry.runs, entry.seconds, entry.note) == ("in", "out", ("run-1",), 1.5, "well")
    assert entry.when


def test_a_journal_cut_anywhere_keeps_its_whole_lines_and_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.done(Done("a", "in", "out"))
    first = len(journal.path.read_bytes())
    journal.done(Done("b", "in", "out"))
    whole = journal.path.read_bytes()
    for length in range(first, len(whole)):
        journal.path.write_bytes(whole[:length])
        # A line is there once its last brace is; the end of the line adds nothing.
        expected = ["a", "b"] if length == len(whole) - 1 else ["a"]
        assert list(journal.entries()) == expected
        journal.done(Done("c", "in", "out"))
        assert list(journal.entries()) == [*expected, "c"]


def test_another_form_is_refused_with_its_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.done(Done("a", "in", "out"))
    whole = journal.path.read_text()
    journal.path.write_text(whole + '{"format": 2}\n')
    with pytest.raises(InvalidInputError, match="another version") as caught:
        journal.entries()
    assert str(caught.value.where).endswith("journal.jsonl:2")
    journal.path.write_text(whole + '{"format": 1, "step": "b"}\n')
    with pytest.raises(InvalidInputError, match="no line of a journal"):
        journal.entries()


def test_why_a_step_ended_before_it_was_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin("a")
    assert journal.why_stopped() == "" and not journal.asked_to_abort()
    journal.abort("process 1")
    assert journal.asked_to_abort()
    journal.stopped("a", "aborted")
    assert journal.why_stopped() == "aborted" and journal.under_way() == "a" and journal.entries() == {}
    journal.begin("a")
    assert journal.why_stopped() == "" and not journal.asked_to_abort()
    journal.done(Done("a", "in", "out"))
    assert journal.under_way() == "" and list(journal.entries()) == ["a"]


def test_what_was_asked_for_again_is_set_aside_and_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.again("b")
    for name in ("a", "b", "a"):
        journal.done(Done(name, "in", "out"))
    assert journal.set_aside() == {"b": 0}
    journal.begin("b")
    journal.stopped("b", "INVALID")
    journal.again("a")
    assert journal.set_aside() == {"a": 2, "b": 0} and len(journal.entries()["a"]) == 2
    # It begins nothing: what is under way, and why it ended, stays.
    assert journal.under_way() == "b" and journal.why_stopped() == "INVALID"
    journal.done(Done("a", "in", "out"))
    assert journal.set_aside()["a"] == 2 and len(journal.entries()["a"]) == 3

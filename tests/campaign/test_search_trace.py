"""What an interrupted search goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.campaign.search_inputs import Inputs
from assay.campaign.search_trace import Trace, best_attempt, found_values, open_trace
from assay.errors import MachineError
from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.loadgen.search import Found

FIRST = Tried(Attempt(80.0, 10.0, 800, 1, 79.9, True, run="first"), Step.BRACKET, Judged.HELD)
SECOND = Tried(Attempt(160.0, 10.0, 1600, 900, 120.5, False, run="second"), Step.BRACKET, Judged.MISSED)
THIRD = Tried(Attempt(113.1, 60.0, 6800, 30, 113.0, True, run="third"), Step.BISECT, Judged.HELD)


INPUTS = Inputs("asked", {"model": "hash", "machine": {"cpu": "x", "cores": 2}}, assay="1.0")


def opened(folder: Path, name: str, *, inputs: Inputs = INPUTS, fresh: bool = False,
           there: Callable[[str], bool] = bool) -> Any:  # fmt: skip
    return open_trace(folder, name, inputs, {"aim": {}, "new": 1}, fresh=fresh, there=there)


def interrupted(folder: Path, name: str, *tried: Tried) -> Path:
    """A search that got so far."""
    with opened(folder, name) as trace:
        for each in tried:
            assert trace.add(each)
    return folder / f"{name}.json"


def replayed(trace: Trace) -> list[Attempt | None]:
    """What a search that asks for the same gets."""
    asked = ((None, 10.0), (160.0, 10.0), (113.1, 60.0))
    return [trace.again(rate, seconds) for rate, seconds in asked]


def test_a_search_goes_on_in_its_own_file(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST, SECOND)
    before = path.read_text()
    with opened(tmp_path, "2") as trace:
        assert trace.path == path and trace.kept == (FIRST, SECOND) and trace.taken == 0
        assert trace.again(None, 10.0) == FIRST.attempt
        assert not trace.add(FIRST)
        assert trace.again(160.0, 10.0) == SECOND.attempt
        assert not trace.add(SECOND)
        # Nothing is written, and so nothing lost, until there is something new.
        assert path.read_text() == before
        assert trace.again(113.1, 60.0) is None
        assert trace.add(THIRD) and trace.taken == 2
        trace.write(Found(113.1, False, 160.0, (FIRST, SECOND, THIRD)), "assay run")
    values = json.loads(path.read_text())
    assert [each["run"] for each in values["attempts"]] == ["first", "second", "third"]
    assert values["begun"] == json.loads(before)["begun"] and values["found"]["run"] == "third"
    assert [each.name for each in tmp_path.glob("*.json")] == ["1.json"]


def test_other_inputs_a_finished_search_and_fresh_begin_anew(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST)
    for name, options in (("2", {"inputs": replace(INPUTS, asked="others")}), ("3", {"fresh": True})):
        with opened(tmp_path, name, **options) as trace:
            assert trace.path.name == f"{name}.json" and not trace.kept and not trace.note
    with opened(tmp_path, "4") as trace:
        assert trace.path == path
        trace.again(None, 10.0)
        trace.add(FIRST)
        trace.write(Found(80.0, True, None, (FIRST,)), "")
    with opened(tmp_path, "5") as trace:
        assert trace.path.name == "5.json" and not trace.kept


def test_what_was_measured_counts_whenever_it_is_asked_for_and_once(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST, SECOND, THIRD)
    other = replace(SECOND, attempt=replace(SECOND.attempt, rate=159.0, run="other"))
    with opened(tmp_path, "2") as trace:
        assert trace.again(80.0, 10.0) == FIRST.attempt and not trace.add(FIRST)
        assert trace.again(80.0, 10.0) is None
        assert trace.again(159.0, 10.0) is None and trace.add(other)
        # What was not asked for so far is kept: the search may be interrupted once more.
        assert [each["run"] for each in json.loads(path.read_text())["attempts"]] == [
            "first",
            "other",
            "second",
            "third",
        ]
        assert trace.again(113.1, 60.0) == THIRD.attempt and not trace.add(THIRD)
        assert trace.taken == 2
        trace.write(Found(113.1, False, 159.0, tuple(trace.tried)), "")
        assert [each["run"] for each in json.loads(path.read_text())["attempts"]] == ["first", "other", "third"]
    interrupted(tmp_path, "5", FIRST)
    with opened(tmp_path, "6") as trace:
        assert trace.again(None, 20.0) is None


def test_another_version_of_assay_keeps_what_was_measured_and_says_so(tmp_path: Path) -> None:
    interrupted(tmp_path, "1", FIRST, SECOND)
    with opened(tmp_path, "2") as trace:
        assert trace.note.endswith(" UTC goes on after 2 attempts")
    with opened(tmp_path, "2", inputs=replace(INPUTS, assay="2.0"), there=lambda run: run == "second") as trace:
        assert trace.kept == (SECOND,)
        said = "goes on after 1 attempt, kept from assay 1.0: what they were measured on is the same; "
        assert said + "1 more count no longer, for their runs are gone" in trace.note


def test_what_was_measured_on_something_else_is_left_and_why_is_told(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST)
    other = replace(INPUTS, parts={"model": "another", "machine": {"cpu": "y", "cores": 2}})
    with opened(tmp_path, "2", inputs=other) as trace:
        assert trace.path.name == "2.json" and not trace.kept
        assert trace.note.endswith("begins anew: the model changed; machine: cpu was x, is y")
        trace.add(SECOND)
    # Back again: an older search is gone on with.
    with opened(tmp_path, "3") as trace:
        assert trace.path == path and trace.kept == (FIRST,)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "made_from": [1]}))
    with opened(tmp_path, "3") as trace:
        assert trace.path.name == "3.json" and "the model changed" in trace.note


def test_a_trace_of_the_first_form_says_why_it_is_left(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "format": 1, "inputs": "hash", "search": {"aim": {}}}))
    with opened(tmp_path, "2") as trace:
        assert not trace.kept and "its file is of form 1" in trace.note
    path.write_text(json.dumps({**values, "format": 1, "search": {"aim": {"tolerance": 1}}}))
    with opened(tmp_path, "2") as trace:
        assert not trace.kept and not trace.note


def test_attempts_whose_run_is_gone_or_whose_line_is_damaged_are_left_out(tmp_path: Path) -> None:
    path = interrupted(tmp_path, "1", FIRST, SECOND, THIRD)
    with opened(tmp_path, "2", there=lambda run: run != "second") as trace:
        assert replayed(trace) == [FIRST.attempt, None, THIRD.attempt]
    values = json.loads(path.read_text())
    for damage in ({"step": "jump"}, {"rate": "fast"}, {"late": None}):
        rows = [values["attempts"][0], {**values["attempts"][1], **damage}, values["attempts"][2]]
        path.write_text(json.dumps({**values, "attempts": rows}))
        with opened(tmp_path, "2") as trace:
            assert trace.kept == (FIRST, THIRD)
    for content in ("[]", "{", "\xff", json.dumps({**values, "attempts": 3}), json.dumps({**values, "attempts": [3]})):
        path.write_text(content, encoding="latin-1")
        with opened(tmp_path, "2") as trace:
            assert not trace.kept and trace.path.name == "2.json"


def test_two_processes_do_not_make_one_search(tmp_path: Path) -> None:
    interrupted(tmp_path, "1", FIRST)
    with (
        opened(tmp_path, "2"),
        pytest.raises(MachineError, match="another process makes this search") as caught,
        opened(tmp_path, "3"),
    ):
        raise AssertionError("two have the trace")
    assert caught.value.hint is not None and "--fresh" in caught.value.hint
    with opened(tmp_path, "2"), opened(tmp_path, "3", fresh=True) as other:
        assert other.path.name == "3.json"


def test_the_run_of_the_found_rate_is_the_longest_that_held() -> None:
    longer = replace(THIRD, attempt=replace(THIRD.attempt, duration_s=600.0, run="longest"), step=Step.CONFIRM)
    missed = replace(longer, attempt=replace(longer.attempt, duration_s=900.0), judged=Judged.MISSED)
    found = Found(113.1, True, 160.0, (FIRST, SECOND, THIRD, longer, missed))
    assert best_attempt(found) == longer.attempt
    assert found_values(found, "")["run"] == "longest" and found_values(found, "")["command"] is None
    assert best_attempt(Found(None, False, 80.0, (SECOND,))) is None

"""Steps that are done once more because somebody asks for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.campaign.flow.again import FAILED, command_again, failures, steps_again
from assay.campaign.flow.carry import carry_out_campaign
from assay.campaign.flow.journal import Done
from assay.campaign.flow.steps import State
from assay.campaign.flow.survey import Flow
from assay.errors import NotFoundError, UsageError
from assay.loadgen.compliance import SCOPE
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.verdict import Constraint

from .lab import flow_of, states
from .test_doing import record

PLACE = "colours/SingleStream"
TESTS = tuple(f"{PLACE}/{test}" for test in ("TEST01", "TEST04", "TEST05"))


@pytest.fixture
def flow(lab: Path, home: Path) -> Flow:
    return flow_of(lab, home)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((TESTS[1],), TESTS[1:2]),
        (("singlestream/test04",), TESTS[1:2]),
        (("TEST05,TEST01",), (TESTS[0], TESTS[2])),
        (("*test0[45]", "build"), (*TESTS[1:], "build")),
        (("*/TEST0?", " check "), (*TESTS, "check")),
        (("colours/*e*",), ("colours/fetch", "colours/prepare", *(f"{PLACE}/{each}" for each in ("accuracy", "performance")), *TESTS)),
        ((), ()),
    ],
)  # fmt: skip
def test_names_ends_and_patterns(flow: Flow, asked: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert steps_again(flow, asked) == found


def test_what_no_step_is_named_tells_the_close_names(lab: Path, home: Path) -> None:
    both = flow_of(lab, home, {"scenarios": ["SingleStream", "Offline"]})
    for asked, close in (
        ("TEST4", "'*/TEST04'"),
        ("*TEST40*", "'*/TEST04'"),
        ("Offline/TEST06", "colours/Offline/TEST0"),
    ):
        with pytest.raises(NotFoundError) as caught:
            steps_again(both, (f"check,{asked}",))
        assert caught.value.exit_code == 3 and asked in caught.value.what and close in str(caught.value.expected)
        told = str(caught.value.expected).split(" or ")
        assert len(told) == len(set(told))
    with pytest.raises(NotFoundError, match="no step is 'lunch'") as caught:
        steps_again(both, ("lunch",))
    assert "colours/Offline/TEST05" in str(caught.value.expected)
    with pytest.raises(UsageError, match="several steps are 'TEST04'") as several:
        steps_again(both, ("TEST04",))
    assert several.value.hint == "all of them: '*/TEST04'" and "colours/Offline/TEST04" in str(several.value.expected)
    with pytest.raises(UsageError, match="no step is named"):
        steps_again(both, ("build,",))


def done_all(flow: Flow, runs: dict[str, str]) -> None:
    """A journal in which every step is done, some with a run."""
    for step in flow.steps:
        inputs = flow.standings()[step.name].inputs or ""
        flow.journal.done(Done(step.name, inputs, f"of {inputs}", tuple(filter(None, [runs.get(step.name)]))))


def test_failed_stands_for_tests_that_were_not_passed_and_invalid_runs(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flow, "_holds", lambda *_: True)
    catalogue = RunCatalogue(flow.settings.runs_dir)
    for name, valid, met in (("r01", True, True), ("r04", True, False), ("r05", False, True), ("plain", False, None)):
        made = record(name, valid=valid)
        if met is not None:
            constraint = Constraint("speed", met, "at most 10 %", "3 %", "TEST04", scope=SCOPE)
            assert made.verdict is not None
            made = replace(made, verdict=replace(made.verdict, constraints=(constraint,)), compliance=f"TEST{name[1:]}")
        catalogue.create(made)
    assert steps_again(flow, (FAILED,)) == ()
    done_all(
        flow, {TESTS[0]: "r01", TESTS[1]: "r04", TESTS[2]: "r05", f"{PLACE}/performance": "plain", "build": "gone"}
    )
    found = failures(flow, flow.standings())
    # A test is judged by what it asks; that its run met LoadGen's own limits is another question.
    assert found == {f"{PLACE}/performance": "plain is INVALID", TESTS[1]: "TEST04 was not passed"}
    assert steps_again(flow, ("failed",)) == (f"{PLACE}/performance", TESTS[1])
    assert command_again(flow, TESTS[1]) == f"assay campaign run lab --again {TESTS[1]}"
    flow.journal.again(TESTS[1])
    assert TESTS[1] not in failures(flow, flow.standings())


def test_a_step_that_is_asked_for_is_done_again_and_what_it_changes(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, division="open")
    carry_out_campaign(flow, SILENT)
    before = flow.journal.entries()
    accuracy = f"{PLACE}/accuracy"
    # Looking changes nothing.
    seen = flow.standings((accuracy,))
    assert seen[accuracy].again and {name for name, each in seen.items() if each.state is State.STALE} == {
        accuracy, "build", "check", "report",
    }  # fmt: skip
    assert set(states(flow).values()) == {"done"}
    assert carry_out_campaign(flow, SILENT, again=(accuracy,)) == [accuracy, "build", "check", "report"]
    after = flow.journal.entries()
    assert after[accuracy][0] == before[accuracy][0] and len(after[accuracy]) == 2
    assert after[accuracy][0].runs != after[accuracy][1].runs
    assert all(RunCatalogue(home / "runs").read(done.runs[0]) for done in after[accuracy])
    assert carry_out_campaign(flow, SILENT) == []
    # The same outcome leaves those after it done.
    assert carry_out_campaign(flow, SILENT, again=("colours/prepare",)) == ["colours/prepare"]

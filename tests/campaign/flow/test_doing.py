"""What each kind of step does, with the runs themselves made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.flow import doing as module
from assay.campaign.flow.doing import Doing
from assay.campaign.flow.find import FoundRate
from assay.campaign.flow.journal import Done
from assay.campaign.flow.steps import Standing, State
from assay.campaign.flow.survey import Flow
from assay.campaign.request import RunRequest
from assay.errors import AssayError
from assay.loadgen.record import Artefact, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.verdict import Verdict

from .lab import flow_of

SERVER: dict[str, Any] = {"scenarios": ["Server"], "find_rate": True}


def record(name: str, *, valid: bool = True) -> RunRecord:
    verdict = Verdict(valid=valid, accepted=valid, constraints=(), reasons=(), advice=(), reported=True)
    return RunRecord(
        name, "g", "2026-11-23T20:15:00+00:00", RunStatus.FINISHED, "v3.1", "resnet", "image-classification", "Server",
        "performance", "datacenter", "open", Artefact("colours", None), Artefact("d", None), "onnxruntime", "fp32", 1, 1,
        0, "assay run", verdict=verdict,
    )  # fmt: skip


class Made:
    """Runs that are made up, and what was asked of them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.asked: list[RunRequest] = []
        self.valid = True

    def __call__(self, request: RunRequest, program: object, settings: Settings, progress: object) -> RunRecord:
        del program, settings, progress
        self.asked.append(request)
        return record(f"run-{len(self.asked)}", valid=self.valid)


@pytest.fixture
def made(home: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    runs = Made(home)
    monkeypatch.setattr(module, "carry_out_run", runs)
    return runs


def standings_of(flow: Flow, **outputs: Done) -> dict[str, Standing]:
    """How the steps stand once some of them were done."""
    found = {name: replace(each, inputs="in") for name, each in flow.standings().items()}
    for name, done in outputs.items():
        found[name] = replace(found[name], state=State.DONE, last=done)
    return found


def test_the_run_that_confirmed_the_rate_is_the_result(lab: Path, home: Path, made: Made) -> None:
    flow = flow_of(lab, home, SERVER, category="datacenter")
    find, performance = "colours/Server/find-rate", "colours/Server/performance"
    standings = standings_of(flow, **{find: Done(find, "in", "41.5", ("found",))})
    doing = Doing(flow, SILENT, None)
    # Somebody has deleted it: the rate is known, so one run is enough.
    assert doing.make(standings[performance], standings).output == "run-1"
    assert made.asked[0].target_qps == 41.5
    RunCatalogue(flow.settings.runs_dir).create(record("found"))
    got = doing.make(standings[performance], standings)
    assert (got.output, got.runs, len(made.asked)) == ("found", ("found",), 1) and "confirmed the rate" in got.note


def test_asked_for_again_the_run_that_confirmed_the_rate_is_not_taken_twice(lab: Path, home: Path, made: Made) -> None:
    flow = flow_of(lab, home, SERVER, category="datacenter")
    find, performance = "colours/Server/find-rate", "colours/Server/performance"
    RunCatalogue(flow.settings.runs_dir).create(record("found"))
    standings = standings_of(flow, **{find: Done(find, "in", "41.5", ("found",))})
    again = replace(standings[performance], again=True, last=Done(performance, "in", "found", ("found",)))
    assert Doing(flow, SILENT, None).make(again, standings).output == "run-1" and made.asked[0].target_qps == 41.5
    # A search that was done again, too, has another one.
    other = replace(again, last=Done(performance, "in", "before", ("before",)))
    assert Doing(flow, SILENT, None).make(other, standings).output == "found"


def test_where_power_is_measured_the_run_at_the_found_rate_is_made(lab: Path, home: Path, made: Made) -> None:
    flow = flow_of(lab, home, SERVER, category="datacenter", power="simulate")
    find, performance = "colours/Server/find-rate", "colours/Server/performance"
    RunCatalogue(flow.settings.runs_dir).create(record("found"))
    standings = standings_of(flow, **{find: Done(find, "in", "41.5", ("found",))})
    assert Doing(flow, SILENT, None).make(standings[performance], standings).output == "run-1"
    assert (made.asked[0].target_qps, made.asked[0].power) == (41.5, "simulate")


def test_the_rate_that_was_found_is_what_a_search_made(lab: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_of(lab, home, {**SERVER, "rate_tolerance": 0.05}, category="datacenter")
    seen: list[Any] = []

    def search(
        request: RunRequest, settings: Settings, tolerance: float, progress: object, program: object
    ) -> FoundRate:
        del settings, progress
        seen.append((request.target_qps, tolerance, program))
        return FoundRate(41.5, "found", home / "trace.json")

    monkeypatch.setattr(module, "find", search)
    got = Doing(flow, SILENT, None).make(standings_of(flow)["colours/Server/find-rate"], {})
    assert (got.output, got.runs, seen) == ("41.5", ("found",), [(None, 0.05, None)]) and "trace.json" in got.note


def test_a_run_that_is_invalid_stops_it(lab: Path, home: Path, made: Made) -> None:
    flow = flow_of(lab, home)
    made.valid = False
    for name, tries in (("performance", 2), ("accuracy", 3)):
        with pytest.raises(AssayError, match="cannot be submitted: INVALID"):
            Doing(flow, SILENT, None).make(standings_of(flow)[f"colours/SingleStream/{name}"], standings_of(flow))
        # A timed run gets a second chance.
        assert len(made.asked) == tries


def test_a_system_is_taken_as_it_is_kept_or_made(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home)
    assert Doing(flow, SILENT, None).make(flow.standings()["system/box"], {}).note == "as it was kept"
    new = flow_of(lab, home, system="new", describe={})
    assert Doing(new, SILENT, None).make(new.standings()["system/new"], {}).note == "made from this machine"
    assert (home / "systems" / "new.json").is_file()


@pytest.mark.parametrize(("outcomes", "note"), [([False, True], "passed"), ([False, False], "TEST04 was not passed")])
def test_a_compliance_test_gets_a_second_chance(
    lab: Path, home: Path, monkeypatch: pytest.MonkeyPatch, outcomes: list[bool], note: str
) -> None:
    flow, left, asked = flow_of(lab, home), list(outcomes), list[bool]()
    place = "colours/SingleStream"
    standings = standings_of(
        flow, **{f"{place}/{name}": Done(name, "in", name) for name in ("accuracy", "performance")}
    )

    def test(plan: Any, settings: Settings, progress: object) -> list[Any]:
        del settings, progress
        asked.append(plan.again)
        passed = left.pop(0)
        return [SimpleNamespace(record=record(f"run-{len(left)}"), passed=passed)]

    monkeypatch.setattr(module, "plan_compliance", lambda wanted, settings: wanted)
    monkeypatch.setattr(module, "carry_out_compliance", test)
    for again in (False, True):
        left, asked[:] = list(outcomes), []
        made = Doing(flow, SILENT, None).make(replace(standings[f"{place}/TEST04"], again=again), standings)
        assert (made.note, made.runs, left) == (note, ("run-0",), [])
        assert asked == [again, again]

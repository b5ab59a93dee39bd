"""A whole search on a machine that is made up: its files, its winner, what it refuses, and that it can be taken up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.campaign.setting import read_setting
from assay.campaign.tuning.aim import TradeOff
from assay.campaign.tuning.plan import TunePlan
from assay.campaign.tuning.request import TuneRequest
from assay.campaign.tuning.study import open_study
from assay.campaign.tuning.tune import Listener, Tuned, tune
from assay.errors import AssayError, InvalidInputError, MachineError

from ..test_execute import MANIFEST
from .fakes import AIM, SPACE, USUAL, FakeBench, aim_for, rate

QUIET = Listener(lambda trial: None, lambda number, trial, measured: None)


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


@pytest.fixture
def plan(settings: Settings, classifier: Path, pictures: Path) -> TunePlan:
    request = TuneRequest(
        run=RunRequest(name="colours", model=classifier, dataset=str(pictures)), trials=30, finalists=2, repeats=3
    )
    usual = make_plan(request.run, settings)
    return TunePlan(request, usual, USUAL, SPACE, AIM, "made-up", settings.home / "tunings" / "made-up")


def go(plan: TunePlan, settings: Settings, bench: FakeBench | None = None, **how: object) -> Tuned:
    return tune(plan, settings, SILENT, QUIET, bench=bench or FakeBench(), **how)  # type: ignore[arg-type]


def test_the_winner_is_a_setting_that_runs_and_campaigns_read(
    plan: TunePlan, settings: Settings, tmp_path: Path
) -> None:
    tuned = go(plan, settings, out=tmp_path / "mine" / "best.yaml")
    assert tuned.gain is not None and tuned.gain.sure
    assert tuned.gain.middle == pytest.approx(rate(tuned.best.candidate) / rate(USUAL))
    first, kept, other = tuned.files
    assert first == tmp_path / "mine" / "best.yaml" and kept == plan.folder / "setting.yaml"
    assert other.parent == plan.folder and other.name.startswith("setting-")
    for path in (first, kept):
        file = read_setting(path)
        best = tuned.best.candidate
        setting = file.setting
        assert (setting.backend, setting.precision, setting.batch_size) == (
            best.backend,
            best.precision,
            best.batch_size,
        )
        assert (setting.streams, setting.threads, setting.batch_wait) == (best.streams, best.threads, None)
        assert "times as good as the usual setting" in file.about and "median of 3 runs" in file.about
    result = json.loads((plan.folder / "result.json").read_text())
    assert result == json.loads(json.dumps(tuned.to_dict()))
    assert result["winner"] == tuned.best.number and len(result["confirmed"]) == 3


def test_the_same_search_again_runs_nothing_and_says_the_same(plan: TunePlan, settings: Settings) -> None:
    first = go(plan, settings)
    bench = FakeBench()
    assert go(plan, settings, bench).to_dict() == first.to_dict()
    assert bench.asked == []
    (plan.folder / "notes.txt").write_text("mine")
    go(plan, settings, bench, restart=True)
    assert bench.asked[0] == ("probe", USUAL)
    assert (plan.folder / "notes.txt").read_text() == "mine"


def test_a_search_that_is_open_is_not_forgotten(plan: TunePlan, settings: Settings) -> None:
    go(plan, settings)
    with open_study(plan.folder, plan.space, plan.aim, 1) as study:
        with pytest.raises(MachineError, match="another process"):
            go(plan, settings, restart=True)
        assert len(study.trials) == 31


def test_an_interrupted_one_goes_on(plan: TunePlan, settings: Settings) -> None:
    # Before the first run is over, in the search, and in the confirmation.
    for interrupt in (0, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            go(plan, settings, FakeBench(interrupt=interrupt))
    assert len(go(plan, settings).trials) == 31


def test_a_name_is_that_of_one_search(plan: TunePlan, settings: Settings) -> None:
    go(plan, settings, FakeBench())
    longer = replace(plan, request=plan.request.model_copy(update={"trials": 33}))
    assert len(go(longer, settings).trials) == 34
    other = replace(plan, request=plan.request.model_copy(update={"seed": 9}))
    with pytest.raises(InvalidInputError, match="about something else"):
        go(other, settings)
    fewer = replace(plan, space=replace(SPACE, batches=(1, 2, 4, 8)))
    with pytest.raises(InvalidInputError, match="engines have changed since"):
        go(fewer, settings)


def test_without_a_confirmation_the_best_single_run_wins_and_says_so(plan: TunePlan, settings: Settings) -> None:
    plan = replace(plan, request=plan.request.model_copy(update={"repeats": 0}))
    tuned = go(plan, settings)
    assert tuned.confirmed == () and tuned.gain is None and tuned.best == tuned.front[0]
    assert read_setting(tuned.files[0]).about.endswith("in one run, not confirmed.")


def test_a_bound_that_nothing_holds_is_told_with_what_was_measured(plan: TunePlan, settings: Settings) -> None:
    plan = replace(plan, aim=aim_for(max_memory=90_000_000), request=plan.request.model_copy(update={"trials": 5}))
    with pytest.raises(AssayError, match="no setting holds what is asked") as caught:
        go(plan, settings)
    assert caught.value.exit_code == 1 and "116.0 MB of memory, at most 90.0 MB asked" in (caught.value.found or "")


def test_of_a_front_every_finalist_has_its_file(plan: TunePlan, settings: Settings) -> None:
    plan = replace(plan, aim=aim_for(TradeOff.MEMORY), request=plan.request.model_copy(update={"finalists": 4}))
    tuned = go(plan, settings)
    assert len(tuned.front) >= 4 and len(tuned.files) == 4
    assert {read_setting(path).setting.batch_size for path in tuned.files} == {
        each.trial.candidate.batch_size for each in tuned.confirmed[1:]
    }
    assert tuned.best in tuned.front

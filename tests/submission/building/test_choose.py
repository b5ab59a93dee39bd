from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.loadgen.record import Artefact, Label, RunStatus
from assay.loadgen.verdict import Constraint
from assay.rules.model import Category, Division, Scenario
from assay.submission.building.choose import AUDITED, Chosen, choose, unfit
from assay.submission.building.run import taken_runs

from .made import STAND_IN, VALID, Home, full_home, make_home, wish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


def chosen(home: Home, **changes: Any) -> Chosen:
    taken, _ = taken_runs(home.runs)
    return choose(taken, home.round, wish(**changes))


def performance(found: Chosen, scenario: Scenario) -> str:
    (entry,) = (each for each in found.entries if each.scenario is scenario)
    return entry.performance.record.id


def test_the_best_run_is_taken_in_the_direction_of_its_figure(home: Home) -> None:
    for value in (3.0, 1.0, 2.0):
        home.add(Scenario.OFFLINE, "performance", f"offline-{value:g}", value=value)
        home.add(Scenario.SINGLE_STREAM, "performance", f"stream-{value:g}", value=value)
    found = chosen(home)
    assert performance(found, Scenario.OFFLINE) == "offline-3"
    assert performance(found, Scenario.SINGLE_STREAM) == "stream-1"


def test_a_valid_run_is_better_than_a_faster_one_that_is_not(home: Home) -> None:
    home.add(Scenario.OFFLINE, "performance", "valid", value=1.0)
    home.add(Scenario.OFFLINE, "performance", "fast", value=9.0, verdict=replace(VALID, valid=False, accepted=False))
    home.add(Scenario.OFFLINE, "performance", "short", value=8.0, labels=(Label.SHORT_RUN,))
    home.add(Scenario.OFFLINE, "performance", "broken", value=7.0, status=RunStatus.FAILED)
    home.add(Scenario.OFFLINE, "performance", "elsewhere", value=6.0, round="v3.0")
    for rehearsal in (False, True):
        assert performance(chosen(home, rehearsal=rehearsal), Scenario.OFFLINE) == "valid"


def test_a_rehearsal_takes_what_there_is(home: Home) -> None:
    home.add(Scenario.OFFLINE, "performance", **STAND_IN)
    assert not chosen(home).entries
    (entry, *_) = (each for each in chosen(home, rehearsal=True).entries if each.scenario is Scenario.OFFLINE)
    assert entry.labels == ("stand-in-model", "short-run")


def test_a_run_under_settings_of_a_compliance_test_is_never_taken(home: Home) -> None:
    plain = Constraint(
        "plain settings", False, "performance_issue_same off", "performance_issue_same True", "log", "", "round"
    )
    audited = replace(VALID, accepted=False, constraints=(plain,))
    run = home.add(Scenario.OFFLINE, "performance", "audited", value=9.0, verdict=audited)
    assert unfit(run.read(), Division.OPEN) == (AUDITED,)
    assert not chosen(home, rehearsal=True).entries
    home.add(Scenario.OFFLINE, "performance", "slower", value=1.0, labels=(Label.SHORT_RUN,))
    assert performance(chosen(home, rehearsal=True), Scenario.OFFLINE) == "slower"


def test_accuracy_is_of_the_same_model_data_and_engine(home: Home) -> None:
    home.add(Scenario.OFFLINE, "performance")
    home.add(Scenario.OFFLINE, "accuracy", model=Artefact("other", "ee" * 32))
    home.add(Scenario.OFFLINE, "accuracy", dataset=Artefact("imagenet2012", "ee" * 32, 500))
    home.add(Scenario.OFFLINE, "accuracy", backend_name="openvino")
    home.add(Scenario.OFFLINE, "accuracy", precision="int8")
    home.add(Scenario.SINGLE_STREAM, "accuracy")
    (found,) = (each for each in chosen(home).entries if each.scenario is Scenario.OFFLINE)
    assert found.accuracy is None
    assert any(each.where == "resnet Offline" and "accuracy" in each.what for each in chosen(home).missing)
    home.add(Scenario.OFFLINE, "accuracy", "fits")
    (found,) = (each for each in chosen(home).entries if each.scenario is Scenario.OFFLINE)
    assert found.accuracy is not None and found.accuracy.record.id == "fits"


def test_one_implementation_for_a_benchmark_the_one_that_covers_most(home: Home) -> None:
    home.add(Scenario.OFFLINE, "performance", value=1e6, backend_name="openvino")
    for scenario in (Scenario.OFFLINE, Scenario.SINGLE_STREAM):
        home.add(scenario, "performance", value=1.0)
    engines = {each.performance.record.backend_name for each in chosen(home).entries}
    assert engines == {"onnxruntime"}


def test_scenarios_that_follow_are_marked_and_only_on_the_edge(home: Home) -> None:
    home.add(Scenario.SINGLE_STREAM, "performance")
    found = chosen(home)
    marked = {each.scenario: each.inferred_from for each in found.entries}
    assert marked == {
        Scenario.SINGLE_STREAM: None,
        Scenario.MULTI_STREAM: Scenario.SINGLE_STREAM,
        Scenario.OFFLINE: Scenario.SINGLE_STREAM,
    }
    assert len(chosen(home, infer=False).entries) == 1
    assert len(chosen(home, categories=tuple(Category)).entries) == 1
    absent = {each.where for each in chosen(home, categories=(Category.DATACENTER,)).missing}
    assert {"resnet Server", "resnet Offline"} <= absent


def test_offline_rather_follows_from_multistream(home: Home) -> None:
    home.add(Scenario.SINGLE_STREAM, "performance")
    home.add(Scenario.MULTI_STREAM, "performance")
    marked = {each.scenario: each.inferred_from for each in chosen(home).entries}
    assert marked[Scenario.OFFLINE] is Scenario.MULTI_STREAM


def test_the_open_division_takes_what_is_there_and_a_model_of_the_users_own(home: Home) -> None:
    home.add(Scenario.OFFLINE, "performance", labels=(Label.CUSTOM_MODEL,))
    home.add(Scenario.OFFLINE, "accuracy", labels=(Label.CUSTOM_MODEL,))
    found = chosen(home, division=Division.OPEN)
    assert [each.scenario for each in found.entries] == [Scenario.OFFLINE] and not found.missing
    assert any("custom-model" in each.what for each in chosen(home).missing)


def audit(home: Home, name: str, test: str, against: str, **changes: Any) -> Path:
    """A run of a compliance test, with a folder in the official form."""
    folder = home.add(
        Scenario.OFFLINE, "performance", name, value=1e9, compliance=test, judged_against=(against,), **changes
    )
    place = folder.path / "compliance" / test
    place.mkdir(parents=True)
    return place


def test_compliance_is_that_of_the_run_that_it_was_judged_against(home: Home) -> None:
    run = home.add(Scenario.OFFLINE, "performance")
    unmet = Constraint("speed", met=False, limit="", measured="", source="")
    place = audit(home, "05", "TEST05", run.id)
    audit(home, "05-failed", "TEST05", run.id, verdict=replace(VALID, constraints=(unmet,)))
    audit(home, "01", "TEST01", "another-run")
    (entry,) = (each for each in chosen(home).entries if each.scenario is Scenario.OFFLINE)
    assert entry.performance.record.id == run.id, "a compliance run is no performance run"
    assert dict(entry.compliance) == {"TEST05": place}
    missing = {each.what: each.how for each in chosen(home).missing if each.where == "resnet Offline"}
    assert missing["compliance test TEST01"] == (
        f"assay compliance run resnet50 --scenario Offline --performance {run.id}"
    )
    assert "compliance test TEST05" not in missing


def test_compliance_in_the_folder_of_the_run_itself(tmp_path: Path) -> None:
    (entry,) = (each for each in chosen(full_home(tmp_path / "full", [Scenario.OFFLINE])).entries)
    assert set(entry.compliance) == {"TEST01", "TEST04", "TEST05"}


def test_an_empty_home_says_what_to_do(home: Home) -> None:
    (missing,) = chosen(home).missing
    assert "no finished runs of round v3.1" in missing.what and missing.how.startswith("assay run")


def test_why_a_run_is_unfit(home: Home) -> None:
    record = home.add(Scenario.OFFLINE, "performance").read()
    assert unfit(record, Division.CLOSED) == ()
    assert unfit(replace(record, labels=(Label.NO_ACCURACY,)), Division.CLOSED) == ()
    assert unfit(replace(record, verdict=None), Division.CLOSED) == ("INVALID",)
    assert unfit(replace(record, verdict=replace(VALID, accepted=False)), Division.CLOSED) == (
        "not accepted by the round",
    )
    both = replace(record, labels=(Label.SYNTHETIC_WEIGHTS, Label.CUSTOM_MODEL))
    assert unfit(both, Division.OPEN) == ("synthetic-weights",)

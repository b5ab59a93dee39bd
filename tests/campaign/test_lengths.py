"""How long runs are asked to be, and what equal issue makes of them: as settings, as the plan tells, and as they are run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.campaign.lengths import known_samples, settings_of, unhurried, whole_sets_of
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.loadgen.settings import LoadgenSettings, Overrides
from assay.rules.model import Mode, Scenario

SECOND = 10**9
SINGLE, OFFLINE, SERVER = Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.SERVER


def plan(home: Path, name: str, scenario: Scenario, **options: Any) -> Plan:
    return make_plan(RunRequest(name=name, scenarios=(scenario,), **options), Settings(home=home))


def settings(made: Plan, found: Overrides | None = None, samples: int = 50_000) -> LoadgenSettings:
    (run,) = made.runs
    return settings_of(made.request, made.subject, run.scenario, run.mode, samples, found or Overrides())


@pytest.mark.parametrize(
    ("scenario", "options", "queries"),
    [
        (SINGLE, {}, 100),
        (SINGLE, {"duration_ns": SECOND}, 64),
        (SINGLE, {"duration_ns": SECOND, "samples": 7}, 7),
        (SINGLE, {"samples": 7}, 7),
        (SINGLE, {"duration_ns": 601 * SECOND}, 100),
        (Scenario.MULTI_STREAM, {"duration_ns": SECOND}, 662),
        (OFFLINE, {"quick": True}, 1),
    ],
)
def test_a_shorter_run_has_fewer_queries(home: Path, scenario: Scenario, options: dict[str, Any], queries: int) -> None:
    assert settings(plan(home, "mobilenet-v2", scenario, **options)).min_query_count == queries


def test_what_the_user_gave_goes_before_what_was_found(home: Path) -> None:
    found = Overrides(target_qps=7.0)
    assert settings(plan(home, "mobilenet-v2", OFFLINE), found).expected_qps == 7.0
    assert settings(plan(home, "mobilenet-v2", OFFLINE, target_qps=9.0), found).expected_qps == 9.0


def test_an_accuracy_run_of_a_server_is_sent_within_seconds(home: Path) -> None:
    made = plan(home, "mobilenet-v2", SERVER, mode="accuracy")
    assert settings(made, samples=5000).expected_qps == 1000.0


@pytest.mark.parametrize("scenario", list(Scenario))
def test_an_engine_that_takes_for_ever_has_the_fewest_queries(home: Path, scenario: Scenario) -> None:
    found = settings(plan(home, "mobilenet-v2", scenario), unhurried(scenario))
    assert found.planned == found.min_query_count


def test_a_plan_tells_of_whole_sets(home: Path) -> None:
    full = plan(home, "gptj-synthetic", SINGLE)
    assert "at least 13,368 queries in whole sets of 13,368 loaded (equal issue), batches" in "\n".join(full.lines())
    short = plan(home, "gptj-synthetic", SINGLE, duration_ns=60 * SECOND, samples=2, target_latency_ns=85 * SECOND)
    told = "at least 2 queries in whole sets of 2 loaded (equal issue), not of 13,368, as the run is short"
    assert told in "\n".join(short.lines())
    (run,) = short.to_dict()["runs"]  # type: ignore[misc]
    assert run["equal_issue"] == {"min_queries": 2, "loaded": 2, "of": 13_368, "more_if_fast": False}
    probed = plan(home, "3d-unet-synthetic", OFFLINE, quick=True)
    assert "at least 1 sample in whole sets of 1 or more loaded (equal issue), not of 43" in "\n".join(probed.lines())


def test_a_plan_is_silent_where_nothing_is_made_of_it(home: Path) -> None:
    for name, scenario in (("gptj-synthetic", OFFLINE), ("mobilenet-v2", SINGLE)):
        made = plan(home, name, scenario, duration_ns=SECOND)
        assert made.runs[0].sets is None
        assert "equal issue" not in "\n".join(made.lines())
    made = plan(home, "deepbrain", SINGLE, mode="accuracy")
    assert whole_sets_of(made.request, made.subject, SINGLE, Mode.ACCURACY) is None


def test_samples_are_known_before_they_are_looked_at(home: Path) -> None:
    assert known_samples(plan(home, "mobilenet-v2", OFFLINE).subject) == 20
    assert known_samples(plan(home, "gptj-synthetic", OFFLINE).subject) == 13_368

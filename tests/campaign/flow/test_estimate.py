from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.estimate import (
    Speed,
    fetch_time,
    prepare_time,
    quantise_time,
    run_time,
    search_time,
    speed_of,
    total,
)
from assay.campaign.flow.steps import Expected
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.loadgen.record import Artefact, Figures, RunRecord, RunStatus
from assay.rules.model import Scenario


def plan_of(home: Path, scenario: Scenario, **more: object) -> Plan:
    values = {"name": "mobilenet-v2", "scenarios": (scenario,), **more}
    return make_plan(RunRequest.model_validate(values), Settings(home=home))


def record(**changes: object) -> RunRecord:
    made = RunRecord(
        "id", "g", "2026-11-23T20:15:00+00:00", RunStatus.FINISHED, "v3.1", "resnet", "image-classification", "Offline",
        "performance", "edge", "open", Artefact("mobilenet-v2", None), Artefact("d", None), "onnxruntime", "fp32", 8, 1,
        0, "assay run", figures=Figures(samples_per_second=200.0),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_speed_is_what_was_measured_else_a_guess(home: Path) -> None:
    offline, single = plan_of(home, Scenario.OFFLINE), plan_of(home, Scenario.SINGLE_STREAM)
    assert speed_of(offline, []).rough
    others = [record(precision="int8"), record(backend_name="openvino"), record(status=RunStatus.FAILED)]
    assert speed_of(offline, [*others, record(compliance="TEST01")]).rough
    assert speed_of(offline, [record(), *others]) == Speed(200.0, rough=False)
    # Another scenario is better than a guess, and worse than its own.
    slow = record(scenario="SingleStream", figures=Figures(samples=100, duration_s=1.0))
    assert speed_of(single, [record()]).per_second == 200.0
    assert speed_of(single, [record(), slow]).per_second == 100.0


def test_a_run_takes_its_duration_or_its_queries(home: Path) -> None:
    offline, fast = plan_of(home, Scenario.OFFLINE), Speed(1000.0, rough=True)
    (run,) = offline.runs
    assert run_time(replace(run, probe=False), offline, fast) == Expected(603.0)
    assert run_time(run, offline, fast).seconds > 603.0  # the probe
    slow = run_time(replace(run, probe=False), offline, Speed(2.0, rough=True))
    assert slow == Expected(3.0 + 24576 / 2, rough=True)
    assert not run_time(run, offline, Speed(2.0, rough=False)).rough
    short = plan_of(home, Scenario.MULTI_STREAM, duration_ns=10**10, samples=100)
    (run,) = short.runs
    assert run_time(replace(run, probe=False), short, Speed(10.0, rough=False)) == Expected(83.0)


def test_with_equal_issue_whole_sets_are_made(home: Path) -> None:
    """Of 85 s each: 13,368 in a run as the round asks it, and in a short one two."""
    slow = Speed(1 / 85, rough=False)
    for options, queries in (({}, 13_368), ({"duration_ns": 10**9, "samples": 2}, 2), ({"duration_ns": 10**9}, 64)):
        plan = plan_of(home, Scenario.SINGLE_STREAM, name="gptj-synthetic", **options)
        (run,) = plan.runs
        assert run_time(replace(run, probe=False), plan, slow).seconds == pytest.approx(3 + 85 * queries), options
    # A stream is planned for four thirds of the duration and carried out; Offline for 1.1 * 1.15 times.
    quick = Speed(10.0, rough=False)
    for scenario, queries in ((Scenario.SINGLE_STREAM, 134), (Scenario.OFFLINE, 126)):
        plan = plan_of(home, scenario, name="3d-unet-synthetic", duration_ns=10**10)
        (run,) = plan.runs
        seconds = run_time(replace(run, probe=False), plan, quick).seconds
        assert 3 + queries / 10 <= seconds <= 3 + queries / 10 + 0.4, scenario
    full = plan_of(home, Scenario.SINGLE_STREAM, name="3d-unet-synthetic")
    # A hundred of 20 s each are asked for: three sets of 43.
    assert run_time(replace(full.runs[0], probe=False), full, Speed(0.05, rough=False)) == Expected(3 + 129 * 20)


def test_a_short_run_has_the_queries_that_its_percentile_needs(home: Path) -> None:
    plan = plan_of(home, Scenario.SINGLE_STREAM, duration_ns=10**9)
    assert run_time(replace(plan.runs[0], probe=False), plan, Speed(2.0, rough=False)) == Expected(3 + 64 / 2)


def test_power_is_measured_twice(home: Path) -> None:
    plan = plan_of(home, Scenario.OFFLINE, duration_ns=10**10, power="simulate")
    (run,) = plan.runs
    once = run_time(replace(run, probe=False), replace(plan, power=None), Speed(1000.0, rough=False)).seconds
    assert run_time(replace(run, probe=False), plan, Speed(1000.0, rough=False)).seconds > 2 * once


def test_an_accuracy_run_takes_every_sample(home: Path) -> None:
    plan = plan_of(home, Scenario.OFFLINE, mode="accuracy")
    (run,) = plan.runs
    assert run_time(run, plan, Speed(2.0, rough=False)) == Expected(3.0 + 20 / 2)
    assert prepare_time(plan).seconds == pytest.approx(1.2)


def test_the_rest(home: Path) -> None:
    plan = plan_of(home, Scenario.OFFLINE)
    assert fetch_time(plan).seconds == pytest.approx(1.0 + plan.fetch.total_bytes / 20e6)
    assert quantise_time(Speed(100.0, rough=False)) == Expected(10.0, rough=True)
    (server,) = plan_of(home, Scenario.SERVER, duration_ns=10**10).runs
    (whole,) = plan_of(home, Scenario.SERVER).runs
    assert 60 < search_time(server).seconds < 600 < search_time(whole).seconds
    assert total([Expected(1.0), Expected(2.0, rough=True)]) == Expected(3.0, rough=True) and total([]) == Expected(0)

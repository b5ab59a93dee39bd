from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.loadgen.names import DETAIL
from assay.results.importers.loadgen_run import is_run, run_row
from assay.results.model import Origin
from assay.results.row import Row, uid_of
from assay.rules.load import load_round
from assay.rules.model import Scenario

from ...submission.smalltree import change_log, run_values, write_log
from .trees import LATENCIES, SYSTEM

ROUND = load_round("v3.0")


def run(folder: Path, scenario: Scenario = Scenario.SERVER, **changes: Any) -> Path:
    """The folder of a run; None takes a key away."""
    benchmark = ROUND.benchmark("resnet")
    write_log(folder / DETAIL, run_values(ROUND, benchmark, scenario, ROUND.seeds) | LATENCIES)
    change_log(folder / DETAIL, **changes)
    return folder


def test_a_server_run(tmp_path: Path) -> None:
    folder, system = run(tmp_path / "run_1", test_datetime="2023-02-01T10:00:00Z"), tmp_path / "box.json"
    system.write_text(json.dumps(SYSTEM))
    digest = hashlib.sha256((folder / DETAIL).read_bytes()).hexdigest()
    row = run_row(folder, ROUND, "resnet50", organisation="CTuning", system=system)
    assert row.uid == uid_of("v3.0", digest, "resnet", "Server") and row.logs == {DETAIL: digest}
    assert (row.round, row.benchmark, row.scenario, row.division) == ("v3.0", "resnet", "Server", "open")
    assert (row.origin, row.source_kind, row.source, row.location) == (
        Origin.LOCAL, "run", "run_1", str(folder.resolve()),
    )  # fmt: skip
    assert (row.value, row.unit, row.samples_per_second) == (987.25, "Queries/s", 987.25)
    assert (row.latency_p50, row.latency_p999, row.latency_bound, row.min_duration) == (1.5e6, 4.5e6, 15e6, 600.0)
    assert (row.organisation, row.organisation_given, row.system) == ("cTuning", "CTuning", "box")
    assert (row.accelerator, row.accelerators, row.memory) == ("A100-SXM-80GB", 8, 1 << 40)
    assert (row.queries, row.created, row.loadgen) == (60000, "2023-02-01T10:00:00Z", "3.0 @ 0000000000")
    assert (row.qsl_seed, row.schedule_seed) == (ROUND.seeds.qsl, ROUND.seeds.schedule)
    assert (row.official, row.strict, row.accuracy, row.power) == (None, True, None, False)


def test_the_same_logs_are_the_same_result_wherever_they_lie(tmp_path: Path) -> None:
    one, two = run(tmp_path / "a"), run(tmp_path / "b")
    assert run_row(one, ROUND, "resnet").uid == run_row(two, ROUND, "resnet").uid
    change_log(two / DETAIL, result_query_count=60001)
    assert run_row(one, ROUND, "resnet").uid != run_row(two, ROUND, "resnet").uid


def test_streams_and_offline(tmp_path: Path) -> None:
    single = run_row(run(tmp_path / "s", Scenario.SINGLE_STREAM), ROUND, "resnet")
    assert (single.value, single.latency, single.samples_per_second) == (3.25, 3.25e6, pytest.approx(1000 / 3.25))
    multi = run_row(run(tmp_path / "m", Scenario.MULTI_STREAM), ROUND, "resnet")
    assert (multi.value, multi.samples_per_second) == (24.5, pytest.approx(8000 / 24.5))
    offline = run_row(run(tmp_path / "o", Scenario.OFFLINE), ROUND, "resnet")
    assert (offline.value, offline.latency_p50, offline.latency_bound) == (1234.5, None, None)


def test_a_run_that_the_round_would_not_take_says_why(tmp_path: Path) -> None:
    folder = run(tmp_path, effective_min_duration_ms=1000, result_validity="INVALID", result_min_duration_met=False)
    row = run_row(folder, ROUND, "resnet")
    assert row.strict is False and row.value == 987.25 and row.findings


def test_nothing_is_made_up(tmp_path: Path) -> None:
    row = run_row(run(tmp_path, result_scheduled_samples_per_sec=None, effective_min_duration_ms=None), ROUND, "resnet")
    assert (row.value, row.samples_per_second, row.min_duration) == (None, None, None)
    assert (row.organisation, row.system, row.accelerator, row.category, row.created) == (None, None, None, (), None)


def test_a_benchmark_is_asked_for(tmp_path: Path) -> None:
    folder = run(tmp_path)
    with pytest.raises(UsageError, match="which benchmark") as caught:
        run_row(folder, ROUND, None)
    assert "--benchmark" in str(caught.value.hint)
    with pytest.raises(NotFoundError, match="resnet"):
        run_row(folder, ROUND, "resnet51")


@pytest.mark.parametrize(
    ("changes", "what", "key"),
    [
        ({"effective_scenario": "Interactive"}, "names no scenario", "effective_scenario"),
        ({"effective_scenario": None}, "names no scenario", "effective_scenario"),
        ({"effective_test_mode": "AccuracyOnly"}, "measured no performance", "effective_test_mode"),
        ({"effective_test_mode": None}, "measured no performance", "effective_test_mode"),
    ],
)
def test_logs_that_are_no_performance_run(tmp_path: Path, changes: dict[str, Any], what: str, key: str) -> None:
    with pytest.raises(InvalidInputError, match=what) as caught:
        run_row(run(tmp_path, **changes), ROUND, "resnet")
    assert caught.value.where == f"{tmp_path / DETAIL}: {key}"


def test_a_scenario_that_the_benchmark_does_not_have(tmp_path: Path) -> None:
    entry = ROUND.benchmark("resnet")
    limits = {scenario: each for scenario, each in entry.limits.items() if scenario is not Scenario.SERVER}
    without = replace(ROUND, benchmarks={"resnet": replace(entry, limits=limits)})
    with pytest.raises(InvalidInputError, match="has no Server in v3.0"):
        run_row(run(tmp_path), without, "resnet")


def test_damaged_logs_and_descriptions(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        run_row(tmp_path, ROUND, "resnet")
    (tmp_path / DETAIL).write_bytes(os.urandom(1000))
    with pytest.raises(InvalidInputError):
        run_row(tmp_path, ROUND, "resnet")
    folder, system = run(tmp_path / "run"), tmp_path / "system.json"
    for content, error in (("[1]", "a JSON object"), ("{", "not JSON")):
        system.write_text(content)
        with pytest.raises(InvalidInputError, match=error):
            run_row(folder, ROUND, "resnet", system=system)


def test_hostile_values_and_names(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"run\xff")
    run(folder, effective_qsl_rng_seed=-1, effective_schedule_rng_seed=2**70, result_query_count=10**30,
        test_datetime="x\0y", loadgen_version="N/A")  # fmt: skip
    system = tmp_path / os.fsdecode(b"box\xff.json")
    system.write_text("{}")
    row = run_row(folder, ROUND, "resnet", organisation="\udcff", system=system)
    assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row
    assert (row.source, row.system, row.organisation_given) == ("run?", "box?", "?")
    assert (row.qsl_seed, row.schedule_seed, row.queries, row.created) == (None, None, None, "xy")


def test_what_a_run_is(tmp_path: Path) -> None:
    assert not is_run(tmp_path) and not is_run(tmp_path / "nothing")
    (tmp_path / DETAIL).mkdir()
    assert not is_run(tmp_path)
    assert is_run(run(tmp_path / "run"))

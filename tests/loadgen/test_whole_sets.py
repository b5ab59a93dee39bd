"""Equal issue: what the real LoadGen makes of settings is what was reckoned, and a short run makes what was asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.settings import LoadgenSettings, Overrides, deviations, resolve
from assay.loadgen.whole_sets import fitting_set, told_count, whole_sets
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario

LOADGEN = """
import json, pathlib, sys
import mlperf_loadgen as lg

scenario, loaded, attributes, folder = json.loads(sys.argv[1])
settings = lg.TestSettings()
settings.scenario = getattr(lg.TestScenario, scenario)
settings.mode = lg.TestMode.PerformanceOnly
for name, value in attributes.items():
    setattr(settings, name, value)
log, output = lg.LogSettings(), lg.LogOutputSettings()
output.outdir = folder
log.log_output, log.enable_trace = output, False
issued = []


def issue(queries):
    issued.append([query.index for query in queries])
    lg.QuerySamplesComplete([lg.QuerySampleResponse(query.id, 0, 0) for query in queries])


sut, qsl = lg.ConstructSUT(issue, lambda: None), lg.ConstructQSL(13368, loaded, lambda _: None, lambda _: None)
lg.StartTestWithLogSettings(sut, qsl, settings, log, folder + "/audit.config")
pathlib.Path(folder, "issued.json").write_text(json.dumps(issued))
"""
QUICK, MINUTE = 10**6, 60 * 10**9


def settings_of(
    name: str, scenario: Scenario, round_: str = "v4.0", size: int = 13_368, **over: Any
) -> LoadgenSettings:
    rules = load_round(round_)
    return resolve(rules, rules.benchmark(name), scenario, Mode.PERFORMANCE, Overrides(**over), dataset_size=size)


def made_by_loadgen(settings: LoadgenSettings, folder: Path) -> tuple[list[list[int]], int]:
    """Indices of each query that LoadGen issues, with a system that answers at once; and how many it has to (Offline: samples)."""
    words = [settings.scenario.value, settings.performance_sample_count, settings.attributes(), str(folder)]
    subprocess.run([sys.executable, "-c", LOADGEN, json.dumps(words)], check=True, capture_output=True, timeout=60)
    detail, offline = read_detail(folder / DETAIL), settings.scenario is Scenario.OFFLINE
    fewest = detail.integer("generated_samples_per_query" if offline else "effective_min_query_count")
    return json.loads((folder / "issued.json").read_text()), fewest or 0


@pytest.mark.parametrize(
    ("name", "scenario", "over", "queries"),
    [
        ("gptj", Scenario.SINGLE_STREAM, {"duration_ns": 0, "min_query_count": 2}, 2),
        ("gptj", Scenario.SINGLE_STREAM, {"duration_ns": 0, "min_query_count": 1}, 1),
        # Twice the duration at the expected latency, and the next whole set: 1 + 60 s * 2 / 7.3 s.
        ("gptj", Scenario.SINGLE_STREAM, {"min_query_count": 3, "duration_ns": MINUTE, "target_latency_ns": 7_300 * QUICK}, 17),
        ("3d-unet", Scenario.SINGLE_STREAM, {"duration_ns": 0, "min_query_count": 64}, 64),
        # Two sets of 23, as 43 are loaded at most.
        ("3d-unet", Scenario.SINGLE_STREAM, {"duration_ns": 0, "min_query_count": 45}, 46),
        ("3d-unet", Scenario.SINGLE_STREAM, {"min_query_count": 2, "duration_ns": MINUTE, "target_latency_ns": 10**9}, 123),
        ("3d-unet", Scenario.OFFLINE, {"duration_ns": 0, "min_query_count": 2}, 2),
        ("3d-unet", Scenario.OFFLINE, {"min_query_count": 1, "duration_ns": MINUTE, "target_qps": 0.5}, 33),
        ("3d-unet", Scenario.OFFLINE, {"duration_ns": 0, "min_query_count": 87}, 87),
    ],
)  # fmt: skip
def test_a_short_run_is_as_long_as_it_was_asked_to_be(
    tmp_path: Path, name: str, scenario: Scenario, over: dict[str, Any], queries: int
) -> None:
    settings = settings_of(name, scenario, **over)
    issued, fewest = made_by_loadgen(settings, tmp_path)
    assert fewest == settings.made == queries
    times = Counter(index for query in issued for index in query)
    assert len(times) == settings.performance_sample_count
    assert len(set(times.values())) == 1, "each as often as every other"
    # A system that is too fast for the duration gets another set.
    another = len(times) if over["duration_ns"] else 0
    assert times.total() in (queries, queries + another)


def test_a_server_of_few_queries_makes_few(tmp_path: Path) -> None:
    settings = settings_of("gptj", Scenario.SERVER, duration_ns=0, min_query_count=20, target_qps=1e5)
    issued, _ = made_by_loadgen(settings, tmp_path)
    assert 20 <= len(issued) == settings.made < 40
    assert "min_query_count" in {each.name for each in deviations(settings, load_round("v4.0").benchmark("gptj"))}


@pytest.mark.parametrize("over", [{}, {"target_latency_ns": 10**9}, {"duration_ns": 700 * 10**9}])
def test_a_run_as_long_as_the_rounds_is_left_alone(over: dict[str, Any]) -> None:
    settings = settings_of("gptj", Scenario.SINGLE_STREAM, "v3.1", **over)
    assert settings.performance_sample_count == 13_368
    assert settings.attributes()["min_query_count"] == settings.min_query_count == 100
    assert not {"min_query_count", "performance_sample_count_override"} & {key for key, _ in settings.user_keys}
    unet = settings_of("3d-unet", Scenario.SINGLE_STREAM, "v3.1", 43, **over)
    assert unet.performance_sample_count == 43
    assert unet.made % 43 == 0


def test_without_equal_issue_nothing_changes() -> None:
    short = {"duration_ns": 0, "min_query_count": 2}
    offline = settings_of("gptj", Scenario.OFFLINE, "v3.1", **short)
    assert (offline.performance_sample_count, offline.made) == (13_368, 2)
    stream = settings_of("3d-unet", Scenario.MULTI_STREAM, **short)
    assert (stream.performance_sample_count, stream.made) == (43, 2)
    assert stream.attributes()["min_query_count"] == 2


def test_no_more_is_loaded_than_there_is_or_than_is_said() -> None:
    short: dict[str, Any] = {"duration_ns": 0, "min_query_count": 64}
    assert settings_of("gptj", Scenario.SINGLE_STREAM, size=10, **short).performance_sample_count == 10
    assert (
        settings_of("gptj", Scenario.SINGLE_STREAM, performance_sample_count=20, **short).performance_sample_count == 16
    )


def test_the_arithmetic() -> None:
    assert [whole_sets(wanted, 42) for wanted in (1, 42, 43)] == [42, 42, 84]
    single, offline, server = Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.SERVER
    assert [fitting_set(single, wanted, 42) for wanted in (1, 42, 43, 64, 1000)] == [1, 42, 22, 32, 42]
    assert fitting_set(server, 100, 1000) == 130
    assert [told_count(single, 64, loaded) for loaded in (64, 32, 42)] == [63, 63, 64]
    assert told_count(offline, 64, 64) == 64

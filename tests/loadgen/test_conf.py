from __future__ import annotations

from pathlib import Path

import pytest

from assay.loadgen.conf import mlperf_conf, round_conf, run_conf
from assay.loadgen.settings import Overrides, resolve
from assay.rules.load import load_round, round_names
from assay.rules.model import Mode, Scenario

mlperf_loadgen = pytest.importorskip("mlperf_loadgen")

SCENARIOS = {
    Scenario.SINGLE_STREAM: mlperf_loadgen.TestScenario.SingleStream,
    Scenario.MULTI_STREAM: mlperf_loadgen.TestScenario.MultiStream,
    Scenario.SERVER: mlperf_loadgen.TestScenario.Server,
    Scenario.OFFLINE: mlperf_loadgen.TestScenario.Offline,
}


def keys(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


def test_what_the_round_asks_of_a_server() -> None:
    round_ = load_round("v3.1")
    found = keys(round_conf(round_, round_.benchmark("resnet50"), Scenario.SERVER))
    assert found["*.Server.target_latency"] == "15"
    assert found["*.Server.target_latency_percentile"] == "99"
    assert found["*.Server.min_duration"] == "600000"
    assert found["*.Server.performance_sample_count_override"] == "1024"
    assert found["*.Server.qsl_rng_seed"] == "148687905518835231"
    assert found["*.Server.test05_schedule_rng_seed"] == "352213341366340113"


def test_each_scenario_has_its_own_keys() -> None:
    round_ = load_round("v3.1")
    resnet, unet = round_.benchmark("resnet50"), round_.benchmark("3d-unet-99")
    multi = keys(round_conf(round_, resnet, Scenario.MULTI_STREAM))
    assert multi["*.MultiStream.samples_per_query"] == "8"
    assert "*.MultiStream.target_qps" not in multi
    offline = keys(round_conf(round_, unet, Scenario.OFFLINE))
    assert offline["*.Offline.sample_concatenate_permutation"] == "1"
    assert "*.Offline.target_latency" not in offline


def test_what_a_run_sets_over_the_round() -> None:
    round_ = load_round("v3.1")
    asked = Overrides(duration_ns=10**9, target_qps=12.5, min_query_count=3)
    settings = resolve(round_, round_.benchmark("resnet50"), Scenario.OFFLINE, Mode.PERFORMANCE, asked, dataset_size=20)
    assert keys(run_conf(settings)) == {
        "*.Offline.target_qps": "12.5",
        "*.Offline.min_duration": "1000",
        "*.Offline.min_query_count": "3",
        "*.Offline.performance_sample_count_override": "20",
    }


@pytest.mark.parametrize("name", round_names())
def test_loadgen_reads_the_settings_that_runs_are_made_with(tmp_path: Path, name: str) -> None:
    round_ = load_round(name)
    path = tmp_path / "mlperf.conf"
    path.write_text(mlperf_conf(round_), encoding="utf-8")
    for benchmark in round_.benchmarks.values():
        for scenario, limits in benchmark.limits.items():
            wanted = resolve(
                round_, benchmark, scenario, Mode.PERFORMANCE, Overrides(target_qps=None), dataset_size=1 << 30
            )
            read = mlperf_loadgen.TestSettings()
            read.scenario = SCENARIOS[scenario]
            read.FromConfig(str(path), benchmark.conf_model, scenario.value)
            where = f"{benchmark.name} {scenario.value}"
            for key in ("min_duration_ms", "min_query_count", "sample_concatenate_permutation"):
                assert getattr(read, key) == wanted.attributes()[key], f"{where} {key}"
            assert read.performance_sample_count_override == limits.performance_sample_count, where
            for key, value in wanted.attributes().items():
                if key.startswith(("single_stream_", "multi_stream_", "server_target", "offline_")):
                    assert getattr(read, key) == pytest.approx(value), f"{where} {key}"


def test_the_same_round_gives_the_same_text_and_names_its_source() -> None:
    round_ = load_round("v3.1")
    assert mlperf_conf(round_) == mlperf_conf(round_)
    assert round_.conf_source in mlperf_conf(round_)


def test_seeds_stand_there_for_every_model() -> None:
    """By their text: the LoadGen of today takes seeds from no file."""
    round_ = load_round("v3.1")
    lines = mlperf_conf(round_).splitlines()
    for prefix, seeds in (("", round_.seeds), ("test05_", round_.test05_seeds)):
        for key in ("qsl", "sample_index", "schedule"):
            assert f"*.*.{prefix}{key}_rng_seed = {getattr(seeds, key)}" in lines

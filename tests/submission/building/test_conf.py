from __future__ import annotations

from pathlib import Path

import pytest

from assay.loadgen.settings import Overrides, resolve
from assay.rules.load import load_round, round_names
from assay.rules.model import Mode, Scenario
from assay.submission.building.conf import mlperf_conf

mlperf_loadgen = pytest.importorskip("mlperf_loadgen")

SCENARIOS = {
    Scenario.SINGLE_STREAM: mlperf_loadgen.TestScenario.SingleStream,
    Scenario.MULTI_STREAM: mlperf_loadgen.TestScenario.MultiStream,
    Scenario.SERVER: mlperf_loadgen.TestScenario.Server,
    Scenario.OFFLINE: mlperf_loadgen.TestScenario.Offline,
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

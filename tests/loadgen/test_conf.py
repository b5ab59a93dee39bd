from __future__ import annotations

from assay.loadgen.conf import round_conf, run_conf
from assay.loadgen.settings import Overrides, resolve
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario


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

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mlperf_loadgen as lg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError, UsageError
from assay.loadgen.settings import LoadgenSettings, Overrides, deviations, resolve
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Mode, Round, Scenario

TEN_MINUTES = 600 * 10**9
ALL = list(Scenario)


@pytest.fixture
def make(v31: Round, resnet: Benchmark):
    def make(
        scenario: Scenario,
        mode: Mode = Mode.PERFORMANCE,
        *,
        size: int = 50_000,
        benchmark: Benchmark = resnet,
        **over: object,
    ) -> LoadgenSettings:
        return resolve(v31, benchmark, scenario, mode, Overrides(**over), dataset_size=size)  # type: ignore[arg-type]

    return make


def from_loadgen(tmp_path: Path, resolved: LoadgenSettings) -> lg.TestSettings:
    """What LoadGen makes of ``user.conf``."""
    conf = tmp_path / "user.conf"
    conf.write_text(resolved.user_conf())
    found = lg.TestSettings()
    found.scenario = getattr(lg.TestScenario, resolved.scenario.value)
    assert found.FromConfig(str(conf), resolved.conf_model, resolved.scenario.value) == 0
    return found


@pytest.mark.parametrize("scenario", ALL)
def test_the_rounds_values_hold_without_overrides(make, resnet: Benchmark, v31: Round, scenario: Scenario) -> None:
    found = make(scenario)
    assert found.attributes()["min_duration_ms"] == 600_000
    assert found.min_query_count == resnet.limits[scenario].min_query_count
    assert found.attributes()["qsl_rng_seed"] == v31.seeds.qsl == 148687905518835231
    assert found.performance_sample_count == 1024
    assert found.user_keys == ()
    assert all(line.startswith("#") for line in found.user_conf().splitlines())
    weaker = deviations(found, resnet)
    # With the default rate of 1/s Offline plans 660 samples, and LoadGen takes the minimum.
    assert weaker == ()


@pytest.mark.parametrize("scenario", ALL)
def test_every_attribute_is_one_of_loadgens_and_takes_its_value(make, scenario: Scenario) -> None:
    target = lg.TestSettings()
    for name, value in make(scenario).attributes().items():
        assert hasattr(target, name), name
        setattr(target, name, value)
        assert getattr(target, name) == value, name


def test_what_is_not_pinned_is_known(make) -> None:
    """Settings of this LoadGen that no run sets: a new one in a later LoadGen has to be looked at."""
    pinned = {name for scenario in ALL for name in make(scenario).attributes()}
    every = {name for name in dir(lg.TestSettings) if not name.startswith("_")} - {"FromConfig", "mode", "scenario"}
    assert every - pinned == {
        "server_find_peak_qps_boundary_step_size",
        "server_find_peak_qps_decimals_of_precision",
        "test05_qsl_rng_seed",
        "test05_sample_index_rng_seed",
        "test05_schedule_rng_seed",
        "tpot_latency",
        "ttft_latency",
    }


def test_units_of_user_conf_are_loadgens(make, tmp_path: Path) -> None:
    server = from_loadgen(
        tmp_path, make(Scenario.SERVER, target_qps=123.456789, target_latency_ns=1_500_001, coalesce_queries=True)
    )
    assert server.server_target_qps == pytest.approx(123.456789, rel=1e-12)
    # LoadGen drops the fraction of this one key; the run pins what was asked for.
    assert server.server_target_latency_ns == 1_000_000
    assert server.server_coalesce_queries is True
    stream = from_loadgen(tmp_path, make(Scenario.SINGLE_STREAM, target_latency_ns=900, duration_ns=1_500_000))
    assert stream.single_stream_expected_latency_ns == pytest.approx(900, abs=1)
    assert stream.min_duration_ms == 2


def test_user_conf_tells_that_loadgen_drops_a_fraction(make) -> None:
    resolved = make(Scenario.SERVER, target_latency_ns=1_500_000)
    assert "drops the fraction" in resolved.user_conf()
    assert "resnet50.Server.target_latency = 1.5\n" in resolved.user_conf()
    assert resolved.attributes()["server_target_latency_ns"] == 1_500_000
    assert "drops" not in make(Scenario.SERVER, target_latency_ns=15_000_000).user_conf()
    assert "drops" not in make(Scenario.SINGLE_STREAM, target_latency_ns=1_500_000).user_conf()


def test_the_text_of_user_conf(make) -> None:
    lines = make(Scenario.OFFLINE, target_qps=100.0, min_query_count=24576).user_conf().splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == ["resnet50.Offline.target_qps = 100", "resnet50.Offline.min_query_count = 24576"]


@given(
    scenario=st.sampled_from(ALL),
    duration=st.none() | st.integers(0, 3600 * 10**9),
    fewest=st.none() | st.integers(1, 10**6),
    qps=st.none() | st.floats(1e-3, 1e5),
    latency=st.none() | st.integers(10**5, 10**11),
    size=st.integers(1, 10**6),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_loadgen_reads_from_user_conf_what_is_pinned(
    make, tmp_path: Path, scenario: Scenario, duration: int | None, fewest: int | None, qps: float | None,
    latency: int | None, size: int,
) -> None:  # fmt: skip
    stream = scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
    over = {"duration_ns": duration, "min_query_count": fewest}
    over |= {} if stream else {"target_qps": qps}
    over |= {} if scenario is Scenario.OFFLINE else {"target_latency_ns": latency}
    resolved = make(scenario, size=size, **over)
    found = from_loadgen(tmp_path, resolved)
    names = {
        "target_qps": "server_target_qps" if scenario is Scenario.SERVER else "offline_expected_qps",
        "target_latency": {
            Scenario.SERVER: "server_target_latency_ns",
            Scenario.SINGLE_STREAM: "single_stream_expected_latency_ns",
            Scenario.MULTI_STREAM: "multi_stream_expected_latency_ns",
        }.get(scenario, ""),
        "min_duration": "min_duration_ms",
        "min_query_count": "min_query_count",
        "performance_sample_count_override": "performance_sample_count_override",
    }
    for key, _ in resolved.user_keys:
        asked = resolved.attributes()[names[key]]
        if (scenario, key) == (Scenario.SERVER, "target_latency"):
            asked = int(asked) // 10**6 * 10**6
        assert getattr(found, names[key]) == pytest.approx(asked, rel=1e-9, abs=1), key


def test_no_more_samples_are_loaded_than_there_are(make, resnet: Benchmark) -> None:
    found = make(Scenario.OFFLINE, size=20)
    assert found.performance_sample_count == 20
    assert [(item.name, item.rule, item.used) for item in deviations(found, resnet)] == [
        ("performance_sample_count", "1,024", "20")
    ]
    assert "performance_sample_count_override = 20" in found.user_conf()


def test_a_benchmark_that_loads_all_its_samples(make, resnet: Benchmark) -> None:
    limits = {key: replace(value, performance_sample_count=0) for key, value in resnet.limits.items()}
    assert make(Scenario.OFFLINE, size=43, benchmark=replace(resnet, limits=limits)).performance_sample_count == 43


@pytest.mark.parametrize(
    ("scenario", "over", "names"),
    [
        (Scenario.SERVER, {"duration_ns": 10**9}, ["min_duration"]),
        (Scenario.SERVER, {"target_latency_ns": 16_000_000}, ["target_latency"]),
        (Scenario.SERVER, {"target_latency_ns": 14_000_000, "target_qps": 5.0}, []),
        (Scenario.SERVER, {"max_query_count": 1000}, ["max_query_count"]),
        (Scenario.SINGLE_STREAM, {"min_query_count": 64}, ["min_query_count"]),
        (Scenario.SINGLE_STREAM, {"target_latency_ns": 10**9}, []),
        (Scenario.OFFLINE, {"min_query_count": 1}, ["min_query_count"]),
        # 1.1 * 600 s * 100/s are more samples than the round asks for, whatever the minimum says.
        (Scenario.OFFLINE, {"min_query_count": 1, "target_qps": 100.0}, []),
        (Scenario.OFFLINE, {"performance_sample_count": 2048}, []),
        (Scenario.MULTI_STREAM, {"duration_ns": TEN_MINUTES + 1}, []),
    ],
)
def test_only_what_is_weaker_is_a_deviation(
    make,
    resnet: Benchmark,
    scenario: Scenario,
    over: dict[str, object],
    names: list[str],
) -> None:
    assert [item.name for item in deviations(make(scenario, **over), resnet)] == names


def test_an_accuracy_run_has_no_limits_to_deviate_from(make, resnet: Benchmark) -> None:
    assert deviations(make(Scenario.OFFLINE, Mode.ACCURACY, size=3, duration_ns=0), resnet) == ()


@pytest.mark.parametrize(
    ("scenario", "over", "words"),
    [
        (Scenario.SINGLE_STREAM, {"target_qps": 5.0}, "no target rate"),
        (Scenario.OFFLINE, {"target_latency_ns": 5}, "no target latency"),
        (Scenario.OFFLINE, {"coalesce_queries": True}, "coalesce"),
        (Scenario.SERVER, {"min_query_count": 10, "max_query_count": 5}, "contradict"),
        (Scenario.SERVER, {"duration_ns": -1}, "negative"),
        (Scenario.SERVER, {"target_qps": 0.0}, "above 0"),
        (Scenario.SERVER, {"target_qps": float("nan")}, "above 0"),
        (Scenario.SERVER, {"target_qps": float("inf")}, "above 0"),
        (Scenario.SERVER, {"min_query_count": 0}, "at least 1"),
        (Scenario.SERVER, {"performance_sample_count": -4}, "at least 1"),
        (Scenario.OFFLINE, {"target_qps": 1e12}, "before the test"),
        (Scenario.SINGLE_STREAM, {"target_latency_ns": 1}, "before the test"),
        (Scenario.SERVER, {"min_query_count": 10**12}, "before the test"),
    ],
)
def test_overrides_that_cannot_hold(make, scenario: Scenario, over: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make(scenario, **over)


def test_a_dataset_without_samples(make) -> None:
    with pytest.raises(InvalidInputError, match="no samples"):
        make(Scenario.OFFLINE, size=0)


@pytest.mark.parametrize(
    ("scenario", "over", "planned"),
    [
        (Scenario.OFFLINE, {"target_qps": 1000.0}, 660_000),
        (Scenario.SERVER, {"target_qps": 10.0}, 6000),
        (Scenario.SINGLE_STREAM, {"target_latency_ns": 10_000_000}, 120_000),
        (Scenario.SINGLE_STREAM, {"duration_ns": 0, "min_query_count": 7}, 7),
    ],
)
def test_queries_that_loadgen_plans(make, scenario: Scenario, over: dict[str, object], planned: int) -> None:
    assert make(scenario, **over).planned == planned


@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.OFFLINE])
def test_tokens_are_timed_where_the_round_has_bounds_for_them(scenario: Scenario) -> None:
    newest = load_round("v4.0")
    for name, on in (("llama2-70b-99", True), ("gptj-99", False)):
        benchmark = newest.benchmark(name)
        found = resolve(newest, benchmark, scenario, Mode.PERFORMANCE, Overrides(), dataset_size=50).attributes()
        assert found["use_token_latencies"] is on
        bounds = (found.get("ttft_latency"), found.get("tpot_latency"))
        assert bounds == ((2 * 10**9, 2 * 10**8) if on and scenario is Scenario.SERVER else (None, None))

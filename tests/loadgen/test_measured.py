from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.measured import Stopped, asked_of, duration_ns, measure
from assay.loadgen.names import DETAIL
from assay.rules.load import load_round
from assay.rules.model import Scenario

LIMITS = load_round("v3.1").benchmark("resnet").limits


def log(tmp_path: Path, *, error: str | None = None, **values: object) -> DetailLog:
    def line(key: str, value: object, *, is_error: bool = False) -> str:
        metadata = {"is_error": is_error, "is_warning": False, "file": "x.cc", "line_no": 1}
        return ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.0, "metadata": metadata})

    lines = [line(key, value) for key, value in values.items()]
    lines += [line("error_runtime", error, is_error=True)] if error else []
    (tmp_path / DETAIL).write_text("\n".join(lines) + "\n")
    return read_detail(tmp_path / DETAIL)


def test_offline_counts_samples_and_lasts_as_long_as_its_one_query(tmp_path: Path) -> None:
    detail = log(
        tmp_path, result_query_count=1, effective_samples_per_query=500, result_max_latency_ns=2_000_000_000,
        effective_min_duration_ms=10_000, effective_min_sample_count=24576, result_min_duration_met=False,
    )  # fmt: skip
    found = measure(detail, LIMITS[Scenario.OFFLINE], Scenario.OFFLINE)
    assert (found.done, found.asked, found.lasted_ns, found.asked_ns) == (500, 24576, 2e9, 10e9)
    assert found.rate == pytest.approx(250)
    assert not found.duration_met
    assert found.queries_met


def test_equal_issue_fills_offline_up_and_carries_a_stream_out_to_the_end(tmp_path: Path) -> None:
    equal = {"effective_sample_concatenate_permutation": True}
    detail = log(
        tmp_path, result_query_count=1, effective_samples_per_query=2, generated_samples_per_query=42,
        result_max_latency_ns=2_000_000_000, **equal,
    )  # fmt: skip
    found = measure(detail, LIMITS[Scenario.OFFLINE], Scenario.OFFLINE)
    assert (found.done, found.rate, found.all_carried_out) == (42, 21.0, False)
    single, many = Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM
    assert measure(log(tmp_path, **equal), LIMITS[single], single).all_carried_out
    assert not measure(log(tmp_path, **equal), LIMITS[many], many).all_carried_out
    assert not measure(log(tmp_path), LIMITS[single], single).all_carried_out


def test_server_lasts_until_the_last_answer_and_takes_its_bound_from_the_run(tmp_path: Path) -> None:
    detail = log(
        tmp_path, result_query_count=101, result_completed_samples_per_sec=50.0, effective_target_latency_ns=20_000_000,
        effective_target_latency_percentile=0.99, result_overlatency_query_count=3, effective_target_qps=55.0,
        **{"result_99.00_percentile_latency_ns": 17_000_000, "result_min_latency_ns": 1_000_000},
    )  # fmt: skip
    found = measure(detail, LIMITS[Scenario.SERVER], Scenario.SERVER)
    assert found.lasted_ns == pytest.approx(2e9)
    assert (found.bound_ns, found.at_percentile_ns, found.late, found.planned_rate) == (20e6, 17e6, 3, 55.0)


def test_a_stream_lasts_by_its_rate(tmp_path: Path) -> None:
    detail = log(tmp_path, result_query_count=100, result_qps_with_loadgen_overhead=400.0)
    assert duration_ns(detail, Scenario.SINGLE_STREAM) == pytest.approx(250e6)


def test_a_stream_of_few_queries_lasts_as_long_as_they_took(tmp_path: Path) -> None:
    """Of a real log: queries of 358 s and 239 s, whose rate is told to be one in 358 s."""
    detail = log(
        tmp_path,
        result_query_count=2,
        result_qps_with_loadgen_overhead=0.00279198,
        result_mean_latency_ns=298_377_513_126,
    )
    assert duration_ns(detail, Scenario.SINGLE_STREAM) == pytest.approx(596.755e9, rel=1e-5)


@pytest.mark.parametrize("kind", list(Stopped))
def test_what_ended_the_test_early_is_found(tmp_path: Path, kind: Stopped) -> None:
    detail = log(tmp_path, error=f"Ending early: {kind.value}.", result_query_count=1)
    assert measure(detail, LIMITS[Scenario.SINGLE_STREAM], Scenario.SINGLE_STREAM).stopped is kind


@pytest.mark.parametrize("wrong", [-5, 0, 1, "x", 99])
def test_an_impossible_percentile_is_the_rounds(tmp_path: Path, wrong: object) -> None:
    detail = log(tmp_path, effective_target_latency_percentile=wrong)
    assert measure(detail, LIMITS[Scenario.SERVER], Scenario.SERVER).percentile == 0.99


def test_what_a_run_was_asked_is_in_its_log_or_not_known(tmp_path: Path) -> None:
    assert asked_of(log(tmp_path), Scenario.SERVER) is None
    asked = asked_of(
        log(
            tmp_path,
            effective_min_duration_ms=600_000,
            effective_min_query_count=100,
            effective_performance_sample_count=1024,
        ),
        Scenario.SINGLE_STREAM,
    )
    assert asked is not None
    assert (asked.min_duration_ns, asked.queries, asked.performance_sample_count) == (600 * 10**9, 100, 1024)

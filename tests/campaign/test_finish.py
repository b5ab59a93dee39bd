from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.campaign.finish import labels_for, performance_figures
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Figures, Label
from assay.loadgen.settings import Deviation
from assay.rules.load import load_round
from assay.rules.model import Scenario


def figures(tmp_path: Path, scenario: Scenario, **values: object) -> Figures:
    lines = [
        ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.0, "metadata": {}})
        for key, value in values.items()
    ]
    (tmp_path / DETAIL).write_text("\n".join(lines) + "\n")
    return performance_figures(read_detail(tmp_path / DETAIL), load_round("v3.1"), scenario)


def test_single_stream_is_the_early_stopping_estimate_in_milliseconds(tmp_path: Path) -> None:
    found = figures(
        tmp_path, Scenario.SINGLE_STREAM, early_stopping_latency_ss=2_500_000, result_query_count=100,
        result_qps_with_loadgen_overhead=400.0, **{"result_90.00_percentile_latency_ns": 2_400_000, "result_mean_latency_ns": 2_000_000},
    )  # fmt: skip
    assert (found.value, found.unit, found.lower_is_better) == (2.5, "Latency (ms)", True)
    assert found.latency_ns == {"p90": 2_400_000, "mean": 2_000_000}
    assert (found.queries, found.samples, found.duration_s) == (100, 100, 0.25)
    assert found.samples_per_second == 400


def test_multi_stream_reads_the_latency_of_whole_queries(tmp_path: Path) -> None:
    found = figures(
        tmp_path, Scenario.MULTI_STREAM, early_stopping_latency_ms=9_000_000, result_query_count=10, effective_samples_per_query=8,
        **{
            "result_50.00_percentile_per_query_latency_ns": 8_000_000, "result_50.00_percentile_latency_ns": 1,
            "result_mean_query_latency_ns": 8_000_000,
        },
    )  # fmt: skip
    assert found.value == 9.0
    assert found.latency_ns["p50"] == 8_000_000
    assert found.samples == 80
    assert found.samples_per_second == pytest.approx(1000)


def test_too_few_queries_give_no_figure(tmp_path: Path) -> None:
    # LoadGen writes 0 where it has no estimate; 0 ms would be the best result there ever was.
    assert figures(tmp_path, Scenario.MULTI_STREAM, early_stopping_latency_ms=0, result_query_count=10).value is None


def test_offline_has_no_latencies(tmp_path: Path) -> None:
    found = figures(
        tmp_path, Scenario.OFFLINE, result_samples_per_second=250.0, result_query_count=1, effective_samples_per_query=500,
        result_max_latency_ns=2_000_000_000, **{"result_99.00_percentile_latency_ns": 2_000_000_000},
    )  # fmt: skip
    assert (found.value, found.samples, found.latency_ns) == (250.0, 500, {})
    assert found.samples_per_second == 250.0


def test_labels_follow_from_assets_and_settings() -> None:
    short, relaxed = Deviation("min_duration", "10m", "5s"), Deviation("target_latency", "15ms", "50ms")
    small = Deviation("performance_sample_count", "1,024", "20")
    assert labels_for(("stand-in-model",), ()) == (Label.STAND_IN_MODEL,)
    assert labels_for(("stand-in-model", "stand-in-model"), (short, small)) == (Label.STAND_IN_MODEL, Label.SHORT_RUN)
    assert labels_for((), (relaxed,)) == (Label.RELAXED_RULES,)


def test_the_figure_of_llama_2_counts_tokens_and_loadgens_times_are_kept(tmp_path: Path) -> None:
    newest = load_round("v4.0")
    values = {
        "result_samples_per_second": 2.0, "result_tokens_per_second": 128.0, "result_query_count": 1,
        "effective_samples_per_query": 20, "result_max_latency_ns": 10**10, "requested_use_token_latencies": True,
    }  # fmt: skip
    figures(tmp_path, Scenario.OFFLINE, **values)
    found = performance_figures(
        read_detail(tmp_path / DETAIL), newest, Scenario.OFFLINE, newest.benchmark("llama2-70b")
    )
    assert (found.value, found.unit, found.samples_per_second) == (128.0, "Tokens/s", 2.0)
    assert found.tokens == {"answer_tokens_per_second": 128.0}

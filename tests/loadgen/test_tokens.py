from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.tokens import timed, token_bounds, token_figures, weaker_tokens
from assay.loadgen.verdict import judge
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario, TokenLatency

ROUND = load_round("v4.0")
LLAMA = ROUND.benchmark("llama2-70b")
SERVER = {
    "effective_scenario": "Server", "effective_test_mode": "PerformanceOnly", "result_validity": "VALID", "power_end": "now",
    "requested_use_token_latencies": True, "requested_server_ttft_latency": 2 * 10**9, "requested_server_tpot_latency": 2 * 10**8,
    "effective_target_latency_percentile": 0.99, "result_query_count": 1000, "result_overlatency_query_count": 990,
    "result_completed_tokens_per_second": 812.5, "result_first_token_mean_latency_ns": 300, "result_time_to_output_token_mean": 30,
    "result_first_token_99.00_percentile_latency_ns": 10**9, "result_time_per_output_token_99.00_percentile_ns": 10**8,
    "result_perf_constraints_met": True, "early_stopping_met": True,
}  # fmt: skip


def log(tmp_path: Path, **changes: object) -> DetailLog:
    values = {**SERVER, **changes}
    lines = [
        ":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.0, "metadata": {}})
        for key, value in values.items()
        if value is not None
    ]
    (tmp_path / DETAIL).write_text("\n".join(lines) + "\n")
    return read_detail(tmp_path / DETAIL)


def test_figures_have_the_names_of_assays_own(tmp_path: Path) -> None:
    assert token_figures(log(tmp_path)) == {
        "answer_tokens_per_second": 812.5,
        "first_token_mean_ns": 300,
        "first_token_p99_ns": 10**9,
        "next_token_mean_ns": 30,
        "next_token_p99_ns": 10**8,
    }


def test_offline_has_a_rate_alone(tmp_path: Path) -> None:
    offline = dict.fromkeys(key for key in SERVER if "first" in key or "output" in key or "completed" in key)
    assert token_figures(log(tmp_path, **offline, result_tokens_per_second=90.0)) == {"answer_tokens_per_second": 90.0}


@pytest.mark.parametrize("said", [None, False, "true"])
def test_a_log_that_timed_no_tokens_says_nothing_of_them(tmp_path: Path, said: object) -> None:
    detail = log(tmp_path, requested_use_token_latencies=said)
    assert not timed(detail)
    assert (token_figures(detail), token_bounds(detail, 0.99)) == ({}, ())


def test_bounds_are_those_of_the_run(tmp_path: Path) -> None:
    first, each = token_bounds(log(tmp_path), 0.99)
    assert (first.bound_ns, first.at_percentile_ns, first.met) == (2e9, 1e9, True)
    assert (each.bound_ns, each.at_percentile_ns, each.met) == (2e8, 1e8, True)
    late, unknown = token_bounds(log(tmp_path, requested_server_ttft_latency=1, requested_server_tpot_latency=5), 0.9)
    assert late.met and late.at_percentile_ns is None and unknown.met
    assert not token_bounds(log(tmp_path, requested_server_ttft_latency=1), 0.99)[0].met


def test_server_is_judged_by_its_tokens_and_not_by_whole_answers(tmp_path: Path) -> None:
    # 990 of 1,000 answers took longer than the bound of whole answers, which LoadGen does not look at.
    good = judge(log(tmp_path), ROUND, LLAMA, Scenario.SERVER, Mode.PERFORMANCE)
    assert good.valid
    names = [item.name for item in good.constraints]
    assert "p99 time to first token" in names and "p99 time per token" in names and "p99 latency" not in names
    late = {"result_time_per_output_token_99.00_percentile_ns": 3 * 10**8, "result_perf_constraints_met": False}
    bad = judge(
        log(tmp_path, **late, result_validity="INVALID", effective_target_qps=4.0),
        ROUND,
        LLAMA,
        Scenario.SERVER,
        Mode.PERFORMANCE,
    )
    (wrong,) = (item for item in bad.constraints if not item.met and item.scope == "loadgen")
    assert (wrong.name, wrong.limit, wrong.measured) == ("p99 time per token", "at most 200 ms", "300 ms")
    assert wrong.source == "llama2-70b.Server.tpot_latency" and "--target-qps" in wrong.fix


def test_what_is_weaker_than_the_round_asks(tmp_path: Path) -> None:
    bounds = TokenLatency(2 * 10**9, 2 * 10**8)

    def weaker(
        scenario: Scenario, asked: TokenLatency | None = bounds, **changes: object
    ) -> list[tuple[str, float | None, float]]:
        return list(weaker_tokens(log(tmp_path, **changes), asked, scenario))

    assert weaker(Scenario.SERVER) == []
    assert weaker(Scenario.SERVER, None, requested_use_token_latencies=None) == []
    assert weaker(Scenario.OFFLINE, requested_use_token_latencies=None) == [("use_token_latencies", None, 0.0)]
    assert weaker(Scenario.SERVER, requested_server_ttft_latency=3 * 10**9) == [("ttft_latency", 2 * 10**9, 3 * 10**9)]
    verdict = judge(log(tmp_path, requested_use_token_latencies=None), ROUND, LLAMA, Scenario.SERVER, Mode.PERFORMANCE)
    assert not verdict.accepted and "use_token_latencies of the round" in "".join(verdict.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "Number of tokens need to be greater than 1",
        "n_tokens argument missing or attempted to record 0 as number of tokens",
    ],
)
def test_loadgens_complaints_of_tokens_are_explained(tmp_path: Path, text: str) -> None:
    path = tmp_path / DETAIL
    log(tmp_path)
    line = {"key": "error_runtime", "value": text, "time_ms": 1.0, "metadata": {"is_error": True}}
    path.write_text(path.read_text() + ":::MLLOG " + json.dumps(line) + "\n")
    verdict = judge(read_detail(path), ROUND, LLAMA, Scenario.SERVER, Mode.PERFORMANCE)
    assert not verdict.accepted and any("token" in step for step in verdict.advice)

"""What the detail log of a performance run says, as numbers that a verdict can be made of.

Source of the keys: loadgen/results.cc and test_settings_internal.cc (mlcommons/inference v3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.loadgen.logs import DetailLog
from assay.loadgen.settings import Asked
from assay.loadgen.statistics import MAX_QUERIES
from assay.loadgen.tokens import TokenBound, token_bounds
from assay.loadgen.whole_sets import carries_all_out
from assay.rules.model import Limits, Scenario

_NS_PER_MS = 1_000_000
_MANY = 64
"""Queries of a stream of which one makes little difference."""


class Stopped(StrEnum):
    """What ended a test before LoadGen wanted to, by a part of the message that it logs."""

    RAN_OUT = "Ran out of generated queries"
    MAX_QUERIES = "Max query count reached"
    MAX_DURATION = "Max test duration reached"
    TOO_MANY_OUTSTANDING = "Too many outstanding queries"


@dataclass(frozen=True, slots=True)
class Measured:
    """A performance run, measured. Times in nanoseconds, rates per second; None where the log does not say.

    Attributes:
        lasted_ns: how long the test lasted.
        asked_ns: minimum duration the run was given.
        done: queries completed (Offline: samples).
        asked: minimum of those the run was given.
        percentile: of the latency, as a fraction.
        bound_ns: Server: latency bound of the run.
        at_percentile_ns: latency at the percentile.
        fastest_ns: shortest latency.
        mean_ns: mean latency of a query.
        late: Server: queries over the bound.
        planned_rate: the rate LoadGen planned with (streams: 1 / expected latency).
        rate: what was completed, in queries (Offline: samples).
        stopped: what ended it early.
        all_carried_out: whether a stream carries out all that LoadGen planned, and more than the duration takes.
        tokens: Server: the bounds that LoadGen holds in place of that of the latency where it times tokens.
        duration_met, queries_met, latency_met, stopping_met: LoadGen's own word; False only where it says so.
    """

    scenario: Scenario
    lasted_ns: float | None
    asked_ns: float
    done: int
    asked: int
    percentile: float
    bound_ns: float
    at_percentile_ns: float | None
    fastest_ns: float | None
    mean_ns: float | None
    late: int
    planned_rate: float | None
    rate: float | None
    stopped: Stopped | None
    duration_met: bool
    queries_met: bool
    latency_met: bool
    stopping_met: bool
    all_carried_out: bool = False
    tokens: tuple[TokenBound, ...] = ()


def measure(detail: DetailLog, limits: Limits, scenario: Scenario) -> Measured:
    """Read the figures of a performance run from its log."""
    offline = scenario is Scenario.OFFLINE
    percentile = _percentile(detail, limits)
    done = _count(detail, "result_query_count")
    if offline:
        # With equal issue the one query is filled up to whole sets, and the setting stays as it was.
        done = _count(detail, "generated_samples_per_query") or _count(detail, "effective_samples_per_query")
    lasted = duration_ns(detail, scenario)
    at = f"result_{percentile * 100:.2f}_percentile"
    return Measured(
        scenario=scenario,
        lasted_ns=lasted,
        asked_ns=max((detail.number("effective_min_duration_ms") or 0.0) * _NS_PER_MS, 0.0),
        done=done,
        asked=_count(detail, "effective_min_sample_count" if offline else "effective_min_query_count"),
        percentile=percentile,
        bound_ns=detail.number("effective_target_latency_ns") or float(limits.target_latency_ns or 0),
        at_percentile_ns=_first(detail, f"{at}_per_query_latency_ns", f"{at}_latency_ns"),
        fastest_ns=_first(detail, "result_min_query_latency_ns", "result_min_latency_ns"),
        mean_ns=_first(detail, "result_mean_query_latency_ns", "result_mean_latency_ns"),
        late=min(_count(detail, "result_overlatency_query_count"), done),
        planned_rate=_positive(detail.number("effective_target_qps")),
        rate=done * 1e9 / lasted if done and lasted else None,
        stopped=_stopped(detail),
        duration_met=detail.values.get("result_min_duration_met") is not False,
        queries_met=detail.values.get("result_min_queries_met") is not False,
        latency_met=detail.values.get("result_perf_constraints_met") is not False,
        stopping_met=detail.values.get("early_stopping_met") is not False,
        all_carried_out=carries_all_out(
            scenario, equal_issue=detail.values.get("effective_sample_concatenate_permutation") is True
        ),
        tokens=token_bounds(detail, percentile) if scenario is Scenario.SERVER else (),
    )


def asked_of(detail: DetailLog, scenario: Scenario) -> Asked | None:
    """What a performance run was asked to hold by its own log; None when the log does not say."""
    duration = detail.number("effective_min_duration_ms")
    offline = scenario is Scenario.OFFLINE
    queries = detail.integer("effective_samples_per_query" if offline else "effective_min_query_count")
    loaded = detail.integer("effective_performance_sample_count")
    if duration is None or queries is None or loaded is None:
        return None
    latency = detail.integer("effective_target_latency_ns")
    return Asked(
        min_duration_ns=round(duration * _NS_PER_MS),
        queries=queries,
        max_query_count=detail.integer("effective_max_query_count") or 0,
        performance_sample_count=loaded,
        target_latency_ns=latency if scenario is Scenario.SERVER else None,
        percentile=None if offline else detail.number("effective_target_latency_percentile"),
        samples_per_query=None if offline else detail.integer("effective_samples_per_query"),
        # Logged since v2.0; a log that is silent on it is not judged by it.
        equal_issue=detail.values.get("effective_sample_concatenate_permutation", True) is not False,
        max_duration_ns=round((detail.number("effective_max_duration_ms") or 0) * _NS_PER_MS),
    )


def duration_ns(detail: DetailLog, scenario: Scenario) -> float | None:
    """How long the test lasted; None when the log does not say."""
    count = detail.number("result_query_count")
    if scenario is Scenario.OFFLINE:
        return detail.number("result_max_latency_ns")
    if scenario is Scenario.SERVER:
        rate = detail.number("result_completed_samples_per_sec") or detail.number("result_scheduled_samples_per_sec")
        return None if not rate or not count or count < 2 else (count - 1) / rate * 1e9
    with_overhead = detail.number("result_qps_with_loadgen_overhead")
    mean = _first(detail, "result_mean_query_latency_ns", "result_mean_latency_ns")
    # LoadGen's rate is that of all queries but the last, which of a few is much.
    if with_overhead and count and (count >= _MANY or not mean):
        return count / with_overhead * 1e9
    return None if not mean or not count else count * mean


def _percentile(detail: DetailLog, limits: Limits) -> float:
    logged = detail.number("effective_target_latency_percentile")
    if logged is not None and 0.0 < logged < 1.0:
        return logged
    return limits.percentile or 0.99


def _count(detail: DetailLog, key: str) -> int:
    return min(max(detail.integer(key) or 0, 0), MAX_QUERIES)


def _first(detail: DetailLog, *keys: str) -> float | None:
    for key in keys:
        value = detail.number(key)
        if value is not None:
            return value
    return None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _stopped(detail: DetailLog) -> Stopped | None:
    for error in detail.errors:
        for kind in Stopped:
            if kind.value in error.text:
                return kind
    return None

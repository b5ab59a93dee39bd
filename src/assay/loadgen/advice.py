"""What to change about a run that is not valid: one cause, one step, with a number.

LoadGen recommends for every check on its own and can ask for a higher and a lower rate in one breath
(mlcommons/inference#462). Here the cause is found first, and every check that fails from it gets the same advice.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.base.units import format_count, format_duration
from assay.loadgen.measured import Measured, Stopped
from assay.loadgen.statistics import queries_for_share, queries_needed
from assay.rules.model import Scenario

_WORTH_WAITING = 20
"""A run that has to be longer by more than this factor is better repeated at a lower rate."""

_HEADROOM = 0.8
"""Share of the rate that is tried next when latency is over the bound."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to change for each check that failed; empty for one that did not."""

    duration: str = ""
    queries: str = ""
    latency: str = ""
    stopping: str = ""


def advise(run: Measured) -> Advice:
    """Find what to change about a performance run so that every failed check would hold."""
    if run.stopped in (Stopped.MAX_QUERIES, Stopped.MAX_DURATION):
        return _same(run, _unbounded(run))
    if run.scenario is Scenario.OFFLINE:
        return _same(run, _offline(run))
    if run.scenario is Scenario.SERVER:
        return _same(run, _server(run))
    return _stream(run)


def _same(run: Measured, text: str) -> Advice:
    return Advice(
        duration="" if run.duration_met else text,
        queries="" if run.queries_met else text,
        latency="" if run.latency_met else text,
        stopping="" if run.stopping_met else text,
    )


def _unbounded(run: Measured) -> str:
    bound = "query count" if run.stopped is Stopped.MAX_QUERIES else "duration"
    return f"take the upper bound of the {bound} away: it ended the test after {format_count(run.done)} queries"


def _offline(run: Measured) -> str:
    """LoadGen makes samples for 1.1 times the duration at the planned rate: that rate has to be the system's."""
    if not run.rate:
        return "raise the planned rate to what the system reaches with --target-qps"
    planned = f"{rate_option(run.planned_rate)} was planned with, " if run.planned_rate else ""
    return (
        f"raise the planned rate to what the system reaches: --target-qps {rate_option(run.rate * 1.05)} "
        f"({planned}{rate_option(run.rate)} samples/s were reached)"
    )


def _server(run: Measured) -> str:
    too_late = run.late > run.done * (1.0 - run.percentile)
    if run.stopped is Stopped.TOO_MANY_OUTSTANDING or not run.latency_met or too_late:
        return _slower(run)
    if not run.duration_met:
        return f"run it again: the schedule ended before {format_duration(run.asked_ns)}"
    needed = queries_for_share(run.late, run.done, run.percentile)
    if needed is None or needed > max(run.done, queries_needed(0, run.percentile)) * _WORTH_WAITING:
        return _slower(run)
    return _more_queries(run, needed)


def _slower(run: Measured) -> str:
    """A lower rate that is worth a try, or that no rate will do."""
    if run.fastest_ns is not None and run.fastest_ns > run.bound_ns:
        return (
            f"no rate will do: even the fastest query took {format_duration(run.fastest_ns)}; take a faster --backend or "
            "--precision, more --threads, or a smaller --batch-size"
        )
    rates = [rate for rate in (run.planned_rate, run.rate) if rate]
    if not rates:
        return "lower the rate with --target-qps"
    return f"lower the rate: --target-qps {rate_option(min(rates) * _HEADROOM)}"


def _stream(run: Measured) -> Advice:
    needed = max(queries_needed(1, run.percentile), run.asked)
    more = _more_queries(run, needed)
    if run.duration_met:
        return Advice(queries="" if run.queries_met else more, stopping="" if run.stopping_met else more)
    faster = _expected(run)
    # Queries that a run of the asked length brings at the measured speed.
    coming = run.asked_ns / run.mean_ns if run.mean_ns else 0.0
    enough = coming >= needed * 1.1
    return Advice(
        duration=faster,
        queries="" if run.queries_met else faster if enough else more,
        stopping="" if run.stopping_met else faster if enough else more,
    )


def _expected(run: Measured) -> str:
    """LoadGen makes queries for twice the duration at the expected latency: with half of the true one they suffice.

    Where all of them are carried out, the true one is enough.
    """
    if not run.mean_ns:
        return "lower the expected latency with --target-latency, so that LoadGen makes enough queries"
    share = 1.0 if run.all_carried_out else 0.5
    was = f"{format_duration(1e9 / run.planned_rate)} was expected, " if run.planned_rate else ""
    return (
        f"lower the expected latency, so that LoadGen makes enough queries: --target-latency "
        f"{duration_option(run.mean_ns * share)} ({was}a query took {format_duration(run.mean_ns)})"
    )


def _more_queries(run: Measured, needed: int) -> str:
    about = ""
    rate = run.planned_rate if run.scenario is Scenario.SERVER else run.rate
    if rate:
        about = f" (about {format_duration(needed / rate * 1e9)} at this rate, {format_count(max(needed - run.done, 0))} more)"
    return f"let at least {format_count(needed)} queries finish: --samples {needed}{about}"


def rate_option(value: float) -> str:
    """A rate as ``--target-qps`` wants it, to three digits."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def duration_option(nanoseconds: float) -> str:
    """A duration as an option wants it: ``1.58us``, ``600s``."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            value = nanoseconds / size
            return f"{value:.3g}{unit}" if value < 999.5 else f"{value:.0f}{unit}"
    return f"{max(nanoseconds, 1):.0f}ns"

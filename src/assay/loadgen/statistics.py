"""LoadGen's statistics: early stopping and percentiles.

Early stopping answers: how many queries must be seen before a latency percentile may be claimed with 99% confidence,
if ``t`` of them were over the bound? Source: inference_rules.adoc, appendix on early stopping (inference_policies
e80d1d0b); loadgen/early_stopping.cc and results.cc (mlcommons/inference v3.1).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import InvalidInputError

CONFIDENCE = 0.99
MAX_QUERIES = 10**9
"""More queries than LoadGen can keep in memory; a larger count is no measurement."""


@functools.lru_cache(maxsize=4096)
def within_needed(over: int, percentile: float, confidence: float = CONFIDENCE) -> int:
    """Fewest queries within the bound that outweigh ``over`` queries beyond it: LoadGen's ``h(t, p)``.

    The smallest ``h`` with ``P[Binomial(h + over, 1 - percentile) <= over] <= 1 - confidence``.

    Args:
        over: queries over the bound.
        percentile: share of queries that has to be within it, as a fraction.
        confidence: of the claim.

    Raises:
        InvalidInputError: for a count below 0 or beyond what LoadGen can issue, or a share outside 0..1.
    """
    if not 0.0 < percentile < 1.0 or not 0.0 < confidence < 1.0:
        raise InvalidInputError("a percentile is a fraction between 0 and 1", found=repr(percentile))
    if not 0 <= over <= MAX_QUERIES:
        raise InvalidInputError("not a number of queries", expected=f"0 to {MAX_QUERIES}", found=str(over))
    # With exactly the expected share beyond the bound the odds are about one half: never enough.
    low = int(over * percentile / (1.0 - percentile))
    step = 64
    while not _outweighs(low + step, over, percentile, confidence):
        low, step = low + step, step * 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if _outweighs(middle, over, percentile, confidence):
            high = middle
        else:
            low = middle
    return high


def queries_needed(over: int, percentile: float) -> int:
    """Queries needed in all when ``over`` of them are over the bound."""
    return within_needed(over, percentile) + over


def discarded(queries: int, percentile: float) -> int:
    """The largest ``t`` with ``queries >= h(t, p) + t``; 0 when even one does not fit.

    A stream's estimate is the latency that ``t - 1`` queries exceed.
    """
    if queries < queries_needed(1, percentile):
        return 0
    low, high = 1, 2
    while queries >= queries_needed(high, percentile):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if queries >= queries_needed(middle, percentile):
            low = middle
        else:
            high = middle
    return low


def queries_for_share(over: int, queries: int, percentile: float) -> int | None:
    """Queries after which a run passes if further ones are late as often as those seen.

    LoadGen's own figure supposes that no further query is late; this one supposes that nothing changes.

    Args:
        over: queries over the bound.
        queries: queries seen.
        percentile: share that has to be within the bound, as a fraction.

    Returns:
        The number of queries in all, or None when no number is enough because too large a share is late.
    """
    if queries <= 0 or over >= queries * (1.0 - percentile):
        return None

    def passes(count: int) -> bool:
        return count >= queries_needed(math.ceil(over * count / queries), percentile)

    low, high = 0, max(queries, queries_needed(over, percentile))
    while not passes(high):
        low, high = high, high * 2
        if high > MAX_QUERIES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if passes(middle):
            high = middle
        else:
            low = middle
    return high


def surely_more(over: int, queries: int, percentile: float, confidence: float = CONFIDENCE) -> bool:
    """Whether so many queries over the bound say that more than the allowed share is, as surely as early stopping does.

    True when ``P[Binomial(queries, 1 - percentile) >= over] <= 1 - confidence``.
    """
    if over <= queries * (1.0 - percentile):
        return False
    return 1.0 - _binomial_at_most(over - 1, queries, 1.0 - percentile) <= 1.0 - confidence


@dataclass(frozen=True, slots=True)
class StreamEstimate:
    """Early stopping of a stream scenario.

    Attributes:
        met: whether there were enough queries for an estimate.
        needed: queries needed for one.
        estimate_ns: the percentile's estimate, None when not met.
    """

    met: bool
    needed: int
    estimate_ns: int | None


def stream_estimate(latencies_ns: Sequence[int], percentile: float) -> StreamEstimate:
    """LoadGen's early-stopping estimate of a latency percentile (SingleStream 0.9, MultiStream 0.99)."""
    count, needed = len(latencies_ns), queries_needed(1, percentile)
    if count < needed:
        return StreamEstimate(False, needed, None)
    ordered = sorted(latencies_ns)
    return StreamEstimate(True, needed, ordered[count - discarded(count, percentile)])


def percentile_of(latencies_ns: Sequence[int], percentile: float) -> int:
    """A percentile as LoadGen takes it: ``sorted[int(n * p)]``.

    Raises:
        InvalidInputError: when there are no latencies.
    """
    if not len(latencies_ns):
        raise InvalidInputError("no latencies to take a percentile of")
    ordered = sorted(latencies_ns)
    return ordered[min(int(len(ordered) * percentile), len(ordered) - 1)]


def _outweighs(within: int, over: int, percentile: float, confidence: float) -> bool:
    return _binomial_at_most(over, within + over, 1.0 - percentile) <= 1.0 - confidence


def _binomial_at_most(successes: int, trials: int, chance: float) -> float:
    """``P[Binomial(trials, chance) <= successes]``, summed from the largest term so that nothing underflows."""
    if successes >= trials:
        return 1.0
    peak = min(successes, int((trials + 1) * chance))
    odds = chance / (1.0 - chance)
    choose = math.lgamma(trials + 1) - math.lgamma(peak + 1) - math.lgamma(trials - peak + 1)
    log_peak = choose + peak * math.log(chance) + (trials - peak) * math.log1p(-chance)
    total = term = 1.0
    for k in range(peak, 0, -1):
        term *= k / ((trials - k + 1) * odds)
        total += term
        if term < total * 1e-17:
            break
    term = 1.0
    for k in range(peak, successes):
        term *= (trials - k) * odds / (k + 1)
        total += term
        if term < total * 1e-17:
            break
    return math.exp(log_peak) * total

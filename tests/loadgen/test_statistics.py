from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.loadgen.logs import DetailLog, read_summary
from assay.loadgen.names import SUMMARY
from assay.loadgen.statistics import (
    discarded,
    percentile_of,
    queries_for_share,
    queries_needed,
    stream_estimate,
    surely_more,
    within_needed,
)

# rules.yaml, early_stopping.h_plus_t: computed from the formula of the rules.
H_PLUS_T = {
    0.90: {0: 44, 1: 64, 2: 81, 5: 127, 10: 197, 50: 681, 100: 1246},
    0.97: {0: 152, 1: 219, 2: 277, 5: 433, 10: 667, 50: 2293, 100: 4182},
    0.99: {0: 459, 1: 662, 2: 838, 5: 1307, 10: 2010, 50: 6898, 100: 12571},
}


@pytest.mark.parametrize(
    ("percentile", "over", "needed"), [(p, t, n) for p, row in H_PLUS_T.items() for t, n in row.items()]
)
def test_the_table_of_the_rules(percentile: float, over: int, needed: int) -> None:
    assert queries_needed(over, percentile) == needed


def by_brute_force(over: int, percent: int) -> int:
    """The smallest h, with exact fractions."""
    late = Fraction(100 - percent, 100)
    h = 0
    while True:
        n = h + over
        odds = sum(Fraction(math.comb(n, k)) * late**k * (1 - late) ** (n - k) for k in range(over + 1))
        if odds <= Fraction(1, 100):
            return h
        h += 1


@pytest.mark.parametrize(
    ("over", "percent"), [(0, 50), (3, 50), (10, 50), (0, 90), (1, 90), (4, 90), (12, 75), (2, 95)]
)
def test_against_exact_binomials(over: int, percent: int) -> None:
    assert within_needed(over, percent / 100) == by_brute_force(over, percent)


@pytest.mark.parametrize("percentile", [0.9, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("over", [1_000, 10_000, 100_000])
def test_large_counts_agree_with_the_normal_distribution_and_are_fast(over: int, percentile: float) -> None:
    within_needed.cache_clear()
    begin = time.perf_counter()
    needed = queries_needed(over, percentile)
    assert time.perf_counter() - begin < 1.0
    # P[X <= over] = 1%: over lies 2.3263 standard deviations under the mean; the skew moves it by less than one.
    mean, spread = needed * (1 - percentile), math.sqrt(needed * percentile * (1 - percentile))
    assert (mean - over) / spread == pytest.approx(2.3263, abs=0.06)


@given(over=st.integers(0, 3000), percentile=st.sampled_from([0.5, 0.9, 0.97, 0.99, 0.999]))
@settings(max_examples=60, deadline=None)
def test_one_more_late_query_needs_more_queries(over: int, percentile: float) -> None:
    assert within_needed(over + 1, percentile) > within_needed(over, percentile)


@given(queries=st.integers(0, 200_000), percentile=st.sampled_from([0.9, 0.99]))
@settings(max_examples=60, deadline=None)
def test_discarded_is_the_largest_that_fits(queries: int, percentile: float) -> None:
    found = discarded(queries, percentile)
    assert found == 0 or queries >= queries_needed(found, percentile)
    assert queries < queries_needed(found + 1, percentile)


@pytest.mark.parametrize(("percentile", "fewest"), [(0.9, 64), (0.99, 662)])
def test_a_stream_needs_a_fewest_number_of_queries(percentile: float, fewest: int) -> None:
    short = stream_estimate(range(fewest - 1), percentile)
    assert (short.met, short.needed, short.estimate_ns) == (False, fewest, None)
    # With just enough the slowest query is the estimate.
    assert stream_estimate(range(fewest), percentile).estimate_ns == fewest - 1


def test_the_order_of_latencies_does_not_matter() -> None:
    latencies = list(range(1000))
    assert stream_estimate(latencies[::-1], 0.9) == stream_estimate(latencies, 0.9)


@given(share=st.floats(0, 0.0099), queries=st.integers(1, 5000))
@settings(max_examples=60, deadline=None)
def test_the_share_of_late_queries_is_carried_on(share: float, queries: int) -> None:
    over = int(share * queries)
    needed = queries_for_share(over, queries, 0.99)
    if needed is None:
        assert over > 0
        return
    assert needed >= queries_needed(math.ceil(over * needed / queries), 0.99)


def test_no_number_of_queries_helps_when_too_many_are_late() -> None:
    assert queries_for_share(10, 1000, 0.99) is None
    assert queries_for_share(0, 0, 0.99) is None
    assert queries_for_share(0, 1, 0.99) == 459


@pytest.mark.parametrize("percentile", [0.0, 1.0, -1.0, 2.0, math.nan, math.inf])
def test_a_percentile_that_is_none_is_refused(percentile: float) -> None:
    with pytest.raises(InvalidInputError):
        within_needed(0, percentile)


@pytest.mark.parametrize("over", [-1, 10**18])
def test_a_count_that_no_run_can_have_is_refused(over: int) -> None:
    with pytest.raises(InvalidInputError):
        within_needed(over, 0.99)


def test_percentiles_are_loadgens() -> None:
    assert percentile_of([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile_of(range(100), 0.9) == 90
    assert percentile_of([7], 0.999) == 7
    with pytest.raises(InvalidInputError):
        percentile_of([], 0.9)


def test_what_loadgen_prints_is_what_we_compute(logs: Path, detail: Callable[[str], DetailLog]) -> None:
    for name in ("server_few", "server_one", "server_late", "server_slow", "server_max"):
        log = detail(name)
        done, late = log.integer("result_query_count"), log.integer("result_overlatency_query_count")
        assert done is not None and late is not None
        printed = re.search(
            r"at least (\d+) more queries", " ".join(read_summary(logs / name / SUMMARY).early_stopping)
        )
        assert printed is not None
        assert int(printed[1]) == queries_needed(late, 0.99) - done


def test_published_logs_say_the_same(published: list[Path]) -> None:
    """Queries needed, and queries discarded, in every summary of the v3.0 sample that tells them."""
    told = 0
    for folder in published:
        if not (folder / SUMMARY).is_file():
            continue
        summary = read_summary(folder / SUMMARY)
        text = "\n".join(summary.early_stopping)
        percentile = 0.9 if summary.fields.get("Scenario") == "SingleStream" else 0.99
        for needed in re.findall(r"Need to process at least (\d+) queries", text):
            assert int(needed) == queries_needed(1, percentile)
            told += 1
        enough = re.search(r"Processed at least (\d+) queries \((\d+)\)\.\s+Would discard (\d+) highest", text)
        if enough:
            assert int(enough[1]) == queries_needed(1, percentile)
            assert int(enough[3]) == discarded(int(enough[2]), percentile) - 1
            told += 1
    assert told > 50


def test_surely_more_is_the_tail_of_the_binomial() -> None:
    def tail(over: int, queries: int, chance: float) -> float:
        return sum(math.comb(queries, k) * chance**k * (1 - chance) ** (queries - k) for k in range(over, queries + 1))

    for queries in (50, 300):
        for percentile in (0.9, 0.99):
            for over in range(40):
                assert surely_more(over, queries, percentile) == (tail(over, queries, 1 - percentile) <= 0.01)

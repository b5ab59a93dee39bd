"""Slope and bound, over shares that go as a power of the rate."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.loadgen.lateness import USUAL_SLOPE, Point, apart, bound_from, slope_of

ALLOWED = 0.01


def points(slope: float, bound: float, *factors: float, queries: int = 10**7) -> list[Point]:
    """Runs at rates around a bound, late as the power says."""
    return [(bound * by, queries, round(queries * ALLOWED * by**slope)) for by in factors]


@given(st.floats(3, 30), st.floats(0.1, 1e5))
def test_slope_and_bound_are_those_that_the_shares_were_made_of(slope: float, bound: float) -> None:
    runs = points(slope, bound, 0.96, 1.0, 1.03)
    found = slope_of(runs, ALLOWED)
    assert found == pytest.approx(slope, rel=0.01)
    for run in runs:
        assert bound_from(run, ALLOWED, found) == pytest.approx(bound, rel=1e-3)


def test_few_late_queries_far_rates_and_one_rate_tell_no_slope() -> None:
    assert slope_of([], ALLOWED) == USUAL_SLOPE
    assert slope_of(points(8, 100, 1.0), ALLOWED) == USUAL_SLOPE
    assert slope_of([(100.0, 1000, 2), (110.0, 1000, 1)], ALLOWED) == USUAL_SLOPE
    assert slope_of([(100.0, 1000, 0), (200.0, 1000, 900)], ALLOWED) == USUAL_SLOPE


def test_a_slope_is_believed_as_far_as_there_is_evidence_for_it() -> None:
    slopes = [slope_of(points(16, 100, 0.98, 1.0, 1.02, queries=queries), ALLOWED) for queries in (10**3, 10**5, 10**7)]
    assert USUAL_SLOPE < slopes[0] < 9 < slopes[1] < slopes[2] < 16.1
    # What falls while the rate rises, or leaps, is noise.
    assert slope_of([(100.0, 10**6, 15_000), (105.0, 10**6, 9_000)], ALLOWED) == 2.0
    assert slope_of([(100.0, 10**6, 5_000), (102.0, 10**6, 20_000)], ALLOWED) == 40.0


def test_a_run_without_late_queries_sees_the_bound_far_above() -> None:
    assert bound_from((100.0, 1000, 0), ALLOWED, 8.0) == pytest.approx(100 * math.exp(math.log(20) / 8))
    assert bound_from((100.0, 0, 0), ALLOWED, 8.0) < 100


def test_two_runs_at_one_rate_are_apart_by_what_the_machine_does() -> None:
    assert apart((100.0, 1000, 10), (100.0, 1000, 10), 8.0) == 0.0
    gap = apart((100.0, 1000, 10), (100.0, 1000, 20), 8.0)
    assert gap == apart((100.0, 1000, 20), (100.0, 1000, 10), 8.0) == pytest.approx(math.log(2) / 8)

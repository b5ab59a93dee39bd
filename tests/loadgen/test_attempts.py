"""What attempts say of their rates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.errors import InvalidInputError
from assay.loadgen.attempts import Aim, Attempt, Judged, judge_attempt, judge_surely, queries_to_tell
from assay.loadgen.statistics import discarded, queries_needed, surely_more


def test_what_an_attempt_says() -> None:
    aim = Aim(0.99, 0.05, 600.0)
    short = Attempt(100.0, 10.0, 1000, 0, 100.0, True)
    # A thousand queries are two hundred bunches: not one late is too few to be sure of the 99th percentile.
    assert judge_attempt(short, aim) is Judged.UNDECIDED
    assert judge_attempt(replace(short, queries=6000, duration_s=60.0), aim) is Judged.HELD
    assert judge_attempt(replace(short, late=300), aim) is Judged.MISSED
    assert judge_attempt(replace(short, stopped=True), aim) is Judged.MISSED
    # At full length LoadGen's word is taken.
    full = replace(short, duration_s=600.0, queries=60_000)
    assert judge_attempt(replace(full, late=1000, valid=True), aim) is Judged.HELD
    assert judge_attempt(replace(full, late=0, valid=False), aim) is Judged.MISSED
    # As long as an attempt gets, it is asked whether a full run would pass.
    longest = replace(short, duration_s=aim.longest_s, queries=6000)
    assert judge_attempt(replace(longest, late=50), aim) is Judged.HELD
    assert judge_attempt(replace(longest, late=59), aim) is Judged.MISSED
    assert Attempt(1.0, 1.0, 0, 0, 0.0, False).share == 1.0


def test_what_no_search_ends_with_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not a tolerance") as caught:
        Aim(0.99, 0.05, 600.0, tolerance=0.0)
    assert caught.value.expected == "0.1% to 50%"
    with pytest.raises(InvalidInputError, match="attempts of some length"):
        Aim(0.99, 0.05, 600.0, attempt_s=0.0)


def test_nearly_everything_is_surer_than_a_share_of_the_longest_attempt() -> None:
    aim = Aim(0.99, 0.05, 600.0)
    longest = Attempt(100.0, aim.longest_s, 6000, 50, 100.0, True)
    assert (judge_attempt(longest, aim), judge_surely(longest, aim)) == (Judged.HELD, Judged.UNDECIDED)
    assert judge_surely(replace(longest, late=400), aim) is Judged.MISSED


def test_the_queries_that_tell_tell() -> None:
    for late in (13, 15, 20):
        needed = queries_to_tell(late, 1000, 0.99)
        assert needed is not None
        # Half as many do not, half as many again do.
        more = round(late / 1000 * needed * 1.5)
        assert surely_more(more, round(needed * 1.5), 0.99)
        assert not surely_more(round(late / 1000 * needed / 2), needed // 2, 0.99)
    fewer = queries_to_tell(5, 1000, 0.99)
    assert fewer is not None and fewer >= queries_needed(round(fewer * 0.005), 0.99)
    assert queries_to_tell(10, 1000, 0.99) is None


def test_a_full_run_lets_as_many_be_late_as_early_stopping_does() -> None:
    aim = Aim(0.99, 0.05, 600.0, full_queries=1000)
    assert aim.queries_at(100.0) == 60_000 and aim.queries_at(0.1) == 1000
    allowed = round(aim.allowed_at(100.0) * 60_000)
    assert allowed == discarded(60_000, 0.99)
    assert queries_needed(allowed, 0.99) <= 60_000 < queries_needed(allowed + 1, 0.99)
    # Too few queries for even one: the smallest share there is, so that logarithms have something to work with.
    assert Aim(0.99, 0.05, 1.0).allowed_at(100.0) == 1 / 100


def test_an_attempt_is_as_long_as_lets_a_few_queries_be_late() -> None:
    aim = Aim(0.99, 0.05, 600.0, full_queries=662)
    assert aim.longest_at(None) == aim.longest_at(100.0) == aim.longest_s == 60.0
    # 1,200 queries in full may have three late: an attempt of 120 says nothing of that.
    slow = aim.longest_at(2.0)
    assert 60 < slow < 600 and slow * 2.0 * aim.allowed_at(2.0) == pytest.approx(2)
    assert aim.longest_at(0.5) == 600.0
    few = Attempt(2.0, 60.0, 120, 1, 2.0, True)
    assert judge_attempt(few, aim) is Judged.UNDECIDED

"""The search for the Server rate, over simulated queues: one server, random arrivals, a known service time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from assay.loadgen.attempts import Aim, Attempt, Judged, Step, Tried
from assay.loadgen.search import Found, find_rate
from assay.loadgen.statistics import queries_needed

QUERIES = 30_000
"""Of a run of full length near the capacity; as many as ten minutes of 50 queries a second."""


class Queue:
    """A server that takes one query at a time; arrivals are the same at every rate but for their scale, as LoadGen's are.

    Args:
        service_s: time for one query.
        bounds: latency bound, in service times.
        percentile: share within it.
        seed: of the arrivals.
        noise: each run has arrivals of its own and is as much faster or slower than another, and each query twenty times.
    """

    def __init__(self, service_s: float, bounds: float, percentile: float, seed: int, noise: float = 0.0) -> None:
        self.service_s, self.bound_s, self.percentile = service_s, service_s * bounds, percentile
        self.seed, self.noise, self.made = seed, noise, 0

    @property
    def aim(self) -> Aim:
        full_s = QUERIES * self.service_s
        return Aim(self.percentile, self.bound_s, full_s, attempt_s=full_s / 60)

    def run(self, rate: float | None, seconds: float) -> Attempt:
        """A run at a rate; the probe suggests a third of the capacity."""
        rate = 0.35 / self.service_s if rate is None else rate
        self.made += 1
        draw = np.random.default_rng(self.seed + (self.made if self.noise else 0))
        count = max(1, int(rate * seconds))
        arrivals = np.cumsum(draw.exponential(1.0 / rate, count))
        service = np.full(count, self.service_s)
        if self.noise:
            service *= draw.uniform(1 - self.noise, 1 + self.noise)
            service *= draw.uniform(1 - self.noise * 20, 1 + self.noise * 20, count)
        work = np.cumsum(service)
        ends = np.maximum.accumulate(arrivals - (work - service)) + work
        late = int((ends - arrivals > self.bound_s).sum())
        return Attempt(
            rate, seconds, count, late, count / float(ends[-1]), count >= queries_needed(late, self.percentile)
        )

    def sweep(self) -> tuple[float, float]:
        """The lowest rate of a fine sweep at full length that misses, and the highest that holds."""
        rates = np.arange(0.02, 1.05, 0.005) / self.service_s
        runs = [self.run(float(rate), self.aim.full_s) for rate in rates]
        held = [run.rate for run in runs if run.valid]
        missed = [run.rate for run in runs if not run.valid]
        return min(missed), max(held)


def queues(least_bound: float) -> st.SearchStrategy[Queue]:
    """Queues whose bound is at least so many service times."""
    percentiles, seeds = st.sampled_from((0.9, 0.97, 0.99)), st.integers(0, 2**31)
    return st.builds(Queue, st.floats(0.001, 0.02), st.floats(least_bound, 12.0), percentiles, seeds)


@given(queues(2.0), st.none() | st.floats(0.05, 20))
@settings(max_examples=12, derandomize=True, phases=(Phase.generate,))
def test_the_found_rate_is_that_of_a_fine_sweep_wherever_it_begins(queue: Queue, share: float | None) -> None:
    found = find_rate(queue.run, queue.aim, start=None if share is None else share / queue.service_s)
    lowest_missed, highest_held = queue.sweep()
    assert found.rate is not None and found.confirmed and not found.why
    assert found.missed is not None and found.rate < found.missed <= found.rate * 1.021
    # Between two rates of the sweep that hold, one may miss: what the search saw miss counts as what the sweep saw.
    assert min(lowest_missed, found.missed) * 0.97 <= found.rate <= highest_held * 1.03
    assert len(found.tried) == queue.made - 206


@given(queues(4.0))
@settings(max_examples=10, derandomize=True, phases=(Phase.generate,))
def test_noise_costs_little(queue: Queue) -> None:
    """Where the bound is tighter, a full run ends with too few late queries to tell rates 5 % apart at all."""
    queue.noise = 0.005
    found = find_rate(queue.run, queue.aim)
    lowest_missed, highest_held = queue.sweep()
    assert found.rate is not None and found.confirmed
    assert lowest_missed * 0.95 <= found.rate <= highest_held * 1.05


QUEUE = Queue(0.01, 5.0, 0.99, 7)
SLOW = Queue(0.0115, 5.0 / 1.15, 0.99, 7)
"""The same queue, slower, with the same bound in seconds."""


def test_a_hiccup_at_the_first_rate_is_no_end_of_the_bracket() -> None:
    calls: list[float] = []

    def run(rate: float | None, seconds: float) -> Attempt:
        attempt = QUEUE.run(rate, seconds)
        calls.append(attempt.rate)
        return replace(attempt, late=attempt.queries // 2, valid=False) if len(calls) == 1 else attempt

    found = find_rate(run, QUEUE.aim)
    assert [each.step for each in found.tried[:2]] == [Step.BRACKET, Step.AGAIN]
    assert calls[0] == calls[1]
    undisturbed = find_rate(QUEUE.run, QUEUE.aim)
    assert found.rate is not None and undisturbed.rate is not None
    assert found.rate == pytest.approx(undisturbed.rate, rel=0.03)


def test_a_hiccup_at_the_upper_end_is_looked_at_twice() -> None:
    disturbed: list[float] = []

    def run(rate: float | None, seconds: float) -> Attempt:
        attempt = QUEUE.run(rate, seconds)
        if rate is not None and not disturbed and rate < 50:
            disturbed.append(rate)
            return replace(attempt, late=attempt.queries // 2, valid=False)
        return attempt

    found = find_rate(run, QUEUE.aim, start=20.0)
    undisturbed = find_rate(QUEUE.run, QUEUE.aim)
    assert disturbed and found.rate is not None and undisturbed.rate is not None
    assert found.rate == pytest.approx(undisturbed.rate, rel=0.03)


def test_a_confirmation_that_misses_steps_down() -> None:
    """Runs of full length are worse than any short one, as where a machine gets hot."""
    aim = QUEUE.aim

    def run(rate: float | None, seconds: float) -> Attempt:
        attempt = QUEUE.run(rate, seconds)
        return replace(attempt, valid=attempt.rate < 40) if seconds >= aim.full_s else attempt

    found = find_rate(run, aim)
    assert found.confirmed and found.rate is not None and 39 < found.rate < 40
    steps = [each for each in found.tried if each.step is Step.CONFIRM]
    assert [each.judged for each in steps] == [Judged.MISSED] * (len(steps) - 1) + [Judged.HELD]
    rates = [each.attempt.rate for each in steps]
    assert rates == sorted(rates, reverse=True)


def test_without_confirmation_no_run_is_long() -> None:
    found = find_rate(QUEUE.run, replace(QUEUE.aim, confirm=False))
    assert found.rate is not None and not found.confirmed
    assert max(each.attempt.duration_s for each in found.tried) <= QUEUE.aim.longest_s


def test_the_search_ends_after_so_many_attempts_and_keeps_them() -> None:
    told: list[Tried] = []
    found = find_rate(QUEUE.run, replace(QUEUE.aim, most=4), told=told.append)
    assert found.why == "the search ended after 4 attempts" and not found.confirmed
    assert tuple(told) == found.tried and len(told) == 4


def test_an_engine_slower_than_the_bound_has_no_rate() -> None:
    slow = Queue(0.1, 0.5, 0.99, 1)
    found = find_rate(slow.run, slow.aim)
    assert found == Found(None, False, found.missed, found.tried, found.why)
    assert "every query was late" in found.why and "the engine alone takes too long" in found.why
    # It kept up and every query was late: nothing is tried at a lower rate.
    assert [each.step for each in found.tried] == [Step.BRACKET, Step.AGAIN]


def test_it_ends_where_fewer_queries_do_not_help() -> None:
    """A machine that is slow when it has slept: two queries of a hundred are late at any rate."""

    def run(rate: float | None, seconds: float) -> Attempt:
        attempt = QUEUE.run(rate, max(seconds, 662 / (rate or 35.0)))
        late = attempt.late + round(attempt.queries * 0.02)
        return replace(attempt, late=late, valid=False)

    found = find_rate(run, QUEUE.aim)
    assert found.rate is None and not found.confirmed
    assert "fewer queries did not help" in found.why and "sleep" in found.why
    first, last = found.tried[0].attempt.rate, found.tried[-1].attempt.rate
    assert first / 4.1 < last <= first / 3.9


def test_few_full_runs_are_needed_where_short_ones_mislead() -> None:
    """How late a full run was tells how far away the bound is: fifteen percent are not gone in steps of two."""
    aim = QUEUE.aim

    def run(rate: float | None, seconds: float) -> Attempt:
        # Hot after a while: 15 % slower in full length.
        return QUEUE.run(rate, seconds) if seconds < aim.full_s else SLOW.run(rate, seconds)

    found = find_rate(run, aim)
    assert found.confirmed and found.rate is not None
    assert found.rate == pytest.approx(find_rate(SLOW.run, aim).rate, rel=0.03)
    assert sum(each.step is Step.CONFIRM for each in found.tried) <= 5


def test_a_narrow_miss_in_full_is_made_again_where_the_machine_is_unsteady() -> None:
    usual = find_rate(QUEUE.run, QUEUE.aim)
    assert usual.rate is not None and usual.missed is not None
    made: list[tuple[float, float]] = []

    def run(rate: float | None, seconds: float) -> Attempt:
        attempt = QUEUE.run(rate, seconds)
        made.append((attempt.rate, seconds))
        # The first run of each rate has a bad day.
        late = int(attempt.late * 1.3) if made.count((attempt.rate, seconds)) == 1 else attempt.late
        return replace(attempt, late=late, valid=attempt.queries >= queries_needed(late, QUEUE.percentile))

    found = find_rate(run, QUEUE.aim)
    again = [each for each in found.tried if each.step is Step.AGAIN and each.attempt.duration_s == QUEUE.aim.full_s]
    assert again and found.confirmed and found.rate is not None
    assert found.rate == pytest.approx(usual.rate, rel=0.03)


def test_borderline_attempts_are_made_again_and_most_of_three_count() -> None:
    """Attempts as long as a fifth of the full length or more; every third run is much slower."""
    aim = replace(QUEUE.aim, attempt_s=QUEUE.aim.full_s / 4)
    made: list[float] = []

    def run(rate: float | None, seconds: float) -> Attempt:
        made.append(seconds)
        queue = SLOW if len(made) % 3 == 0 and seconds < aim.full_s else QUEUE
        return queue.run(rate, seconds)

    found = find_rate(run, aim)
    again = [each for each in found.tried if each.step is Step.AGAIN and each.attempt.duration_s < aim.full_s]
    assert again and found.confirmed and found.rate is not None
    assert found.rate == pytest.approx(find_rate(QUEUE.run, aim).rate, rel=0.03)

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.base.units import parse_duration
from assay.loadgen.advice import Advice, advise, duration_option, rate_option
from assay.loadgen.measured import Measured, Stopped
from assay.rules.model import Scenario

GOOD = Measured(
    scenario=Scenario.OFFLINE, lasted_ns=2e9, asked_ns=10e9, done=400, asked=1, percentile=0.99, bound_ns=15e6, at_percentile_ns=10e6,
    fastest_ns=2e6, mean_ns=5e6, late=0, planned_rate=20.0, rate=200.0, stopped=None, duration_met=True, queries_met=True,
    latency_met=True, stopping_met=True,
)  # fmt: skip


@pytest.mark.parametrize("scenario", list(Scenario))
def test_nothing_is_advised_where_everything_holds(scenario: Scenario) -> None:
    assert advise(replace(GOOD, scenario=scenario)) == Advice()


def test_offline_has_to_be_planned_with_what_the_system_reaches() -> None:
    text = advise(replace(GOOD, duration_met=False)).duration
    assert "--target-qps 210" in text
    assert "20 was planned with, 200 samples/s were reached" in text


def test_a_stream_that_ran_out_of_queries_expects_half_of_what_a_query_takes() -> None:
    run = replace(
        GOOD,
        scenario=Scenario.SINGLE_STREAM,
        percentile=0.9,
        duration_met=False,
        stopping_met=False,
        stopped=Stopped.RAN_OUT,
    )
    found = advise(run)
    assert "--target-latency 2.5ms" in found.duration
    # Enough queries come with the time: one cause, one step.
    assert found.stopping == found.duration
    # With equal issue all of twice the duration's are carried out.
    assert "--target-latency 5ms" in advise(replace(run, all_carried_out=True)).duration


def test_late_queries_ask_for_a_lower_rate_and_never_for_a_higher() -> None:
    run = replace(GOOD, scenario=Scenario.SERVER, late=100, latency_met=False, stopping_met=False, planned_rate=100.0)
    found = advise(run)
    assert found.latency == found.stopping == "lower the rate: --target-qps 80"


def test_no_rate_helps_an_engine_that_is_too_slow() -> None:
    run = replace(GOOD, scenario=Scenario.SERVER, late=400, latency_met=False, fastest_ns=20e6)
    assert advise(run).latency.startswith("no rate will do: even the fastest query took 20.0 ms")


def test_too_few_queries_in_time_ask_for_more_of_them() -> None:
    run = replace(GOOD, scenario=Scenario.SERVER, done=100, stopping_met=False, planned_rate=50.0)
    text = advise(run).stopping
    assert "--samples 459" in text
    assert "9.18 s at this rate, 359 more" in text


def test_an_upper_bound_is_to_be_taken_away() -> None:
    run = replace(GOOD, duration_met=False, stopped=Stopped.MAX_QUERIES)
    assert "take the upper bound of the query count away" in advise(run).duration


@pytest.mark.parametrize("nanoseconds", [1, 999, 1580, 2.5e6, 999.6e6, 1e9, 6e11, 1e13])
def test_a_duration_is_written_as_the_option_reads_it(nanoseconds: float) -> None:
    assert parse_duration(duration_option(nanoseconds)) == pytest.approx(nanoseconds, rel=0.01)


def test_rates_have_three_digits() -> None:
    assert [rate_option(v) for v in (0.1234, 9.876, 99.94, 1234.5)] == ["0.123", "9.88", "99.9", "1234"]

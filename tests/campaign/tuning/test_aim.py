"""What is better, what is missed and by how much, what nothing beats, and what a probe rules out."""

from __future__ import annotations

import pytest

from assay.campaign.tuning.aim import Aim, Bar, Measured, TradeOff, front, hopeless
from assay.rules.model import Scenario

LATENCY = Aim(Scenario.SINGLE_STREAM, True, "Latency (ms)", max_p99_ns=4_000_000, max_memory=1000, max_watts=50.0)


def did(figure: float, memory: int = 500, p99: float | None = 2e6, watts: float | None = None) -> Measured:
    return Measured(figure, p99, memory, watts, True, ("run",))


def test_a_gain_is_more_than_one_whichever_way_the_figure_counts() -> None:
    assert LATENCY.better(1.0, 2.0) and LATENCY.gain(1.0, over=2.0) == 2.0
    assert Aim(Scenario.OFFLINE, False, "Samples/s").gain(300.0, over=200.0) == 1.5


def test_what_is_missed_is_told_with_both_numbers() -> None:
    missed = did(1.0, memory=1500, p99=5e6, watts=60.0)
    assert LATENCY.excess(missed) == pytest.approx({"latency": 0.25, "memory": 0.5, "watts": 0.2})
    assert LATENCY.misses(missed) == (
        "p99 5.00 ms, at most 4.00 ms asked; 1.5 kB of memory, at most 1.0 kB asked; 60.0 W, at most 50 W asked"
    )
    assert LATENCY.misses(did(1.0, watts=50.0)) == ""
    assert LATENCY.excess(did(1.0, p99=None)) == pytest.approx({"memory": -0.5})
    assert LATENCY.surely_misses(1200) and not LATENCY.surely_misses(1000)


def test_the_front_is_what_nothing_beats() -> None:
    found = [
        ("a", did(10.0, 900)),
        ("b", did(8.0, 500)),
        ("c", did(9.0, 950)),
        ("d", did(8.0, 700)),
        ("e", did(1.0, 100)),
    ]
    both = Aim(Scenario.OFFLINE, False, "Samples/s", TradeOff.MEMORY)
    assert [name for name, _ in front(both, found)] == ["a", "b", "e"]
    assert [name for name, _ in front(Aim(Scenario.OFFLINE, False, "Samples/s"), found)] == ["a"]
    assert [name for name, _ in front(LATENCY, found)] == ["e"]
    assert front(both, []) == []


def test_a_second_thing_that_was_not_measured_is_never_among_the_best() -> None:
    watts = Aim(Scenario.OFFLINE, False, "Samples/s", TradeOff.WATTS)
    assert [name for name, _ in front(watts, [("a", did(9.0)), ("b", did(8.0, watts=20.0))])] == ["b"]
    assert watts.values(did(8.0, watts=20.0)) == (8.0, 20.0)


def bar(figure: float, promised: float | None = None, memory: int = 500) -> Bar:
    return Bar(figure, figure if promised is None else promised, memory)


def test_a_probe_well_behind_the_best_is_hopeless_and_one_near_it_is_not() -> None:
    aim = Aim(Scenario.OFFLINE, False, "Samples/s")
    assert hopeless(aim, 80.0, 0, [bar(100.0)]) and not hopeless(aim, 90.0, 0, [bar(100.0)])
    assert not hopeless(aim, 80.0, 0, [bar(100.0)], slack=1.0) and hopeless(aim, 49.0, 0, [bar(100.0)], slack=1.0)
    assert not hopeless(aim, 1.0, 0, [])
    assert hopeless(LATENCY, 1.3, 0, [bar(1.0)]) and not hopeless(LATENCY, 1.1, 0, [bar(1.0)])


def test_a_lucky_run_or_a_lucky_probe_rules_nothing_out() -> None:
    aim = Aim(Scenario.OFFLINE, False, "Samples/s")
    assert not hopeless(aim, 80.0, 0, [bar(300.0, promised=85.0)])
    assert not hopeless(aim, 80.0, 0, [bar(85.0, promised=300.0)])


def test_where_two_things_count_a_slow_setting_of_little_memory_is_not_hopeless() -> None:
    both = Aim(Scenario.OFFLINE, False, "Samples/s", TradeOff.MEMORY)
    assert not hopeless(both, 10.0, 400, [bar(100.0)])
    assert hopeless(both, 10.0, 600, [bar(100.0)])
    # No probe tells watts.
    assert not hopeless(Aim(Scenario.OFFLINE, False, "Samples/s", TradeOff.WATTS), 10.0, 600, [bar(100.0)])

"""The simulated analyzer, by a clock that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from assay.power.analyzer import Analyzer, Reading
from assay.power.curves import given
from assay.power.faults import Fault


@dataclass
class Clock:
    """A clock that is moved by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def readings(*faults: str, seconds: float = 4, mark: str = "s_testing") -> list[Reading]:
    clock = Clock()
    analyzer = Analyzer(given([(0, 100)]), tuple(Fault.parse(each) for each in faults), clock=clock)
    analyzer.start(1000, mark)
    clock.now += seconds
    return list(analyzer.due())


def test_a_sample_comes_each_second_from_the_curve() -> None:
    clock = Clock()
    analyzer = Analyzer(given([(0, 100), (12, 300)]), clock=clock)
    clock.now += 10
    analyzer.start(1000, "s_testing")
    assert (list(analyzer.due()), analyzer.wait_s()) == ([], 1)
    clock.now += 2.5
    found = [reading.sample for reading in analyzer.due()]
    assert [(sample.time, sample.watts) for sample in found if sample] == [(1011, 100), (1012, 300)]
    assert analyzer.wait_s() == 0.5
    analyzer.stop()
    assert (analyzer.running, analyzer.wait_s(), len(analyzer.measured)) == (False, None, 2)


def test_faster_where_it_is_asked_to() -> None:
    clock = Clock()
    analyzer = Analyzer(clock=clock, speed=10)
    analyzer.start(1000, "s_testing")
    clock.now += 1.01
    assert len(list(analyzer.due())) == 10


def test_ranges_are_the_next_that_hold_a_value() -> None:
    analyzer = Analyzer(clock=Clock())
    assert analyzer.set_range("A", "0.51")
    assert analyzer.set_range("V", "230")
    assert (analyzer.amps, analyzer.volts) == (1.0, 300.0)
    assert analyzer.set_range("A", "Auto")
    assert analyzer.amps is None
    for wrong in ("21", "0", "-1", "many", "nan"):
        assert not analyzer.set_range("A", wrong), wrong


def test_a_current_above_the_range_is_complained_of() -> None:
    clock = Clock()
    analyzer = Analyzer(given([(0, 900)]), clock=clock)
    analyzer.set_range("A", "2")
    analyzer.start(1000, "s_testing")
    clock.now += 1
    assert [reading.complaints for reading in analyzer.due()] == [
        ("ERROR: Current appears to be too high for set range",)
    ]


def test_dropouts_leave_samples_out() -> None:
    found = readings("dropout")
    assert [reading.sample is not None for reading in found] == [True, False, True, False]
    assert found[1].complaints[0].startswith("ERROR: Bad watts reading nan from ")


def test_uncertainty_and_skew() -> None:
    assert all("above 1.00% limit" in reading.complaints[0] for reading in readings("uncertainty"))
    skewed = [reading.sample.time for reading in readings("clock-skew") if reading.sample]
    assert skewed == [1006, 1007, 1008, 1009]


def test_the_connection_breaks_in_the_middle() -> None:
    assert [reading.lost for reading in readings("lost-connection")] == [False, False, True, True]


@pytest.mark.parametrize("fault", ["dropout", "uncertainty", "overrange", "clock-skew", "lost-connection"])
def test_a_fault_of_the_other_phase_does_not_show(fault: str) -> None:
    assert readings(f"{fault}:ranging") == readings()


def test_refused_ranges() -> None:
    analyzer = Analyzer(faults=(Fault.parse("bad-range"),), clock=Clock())
    assert not analyzer.set_range("A", "1")
    assert analyzer.set_range("A", "Auto")

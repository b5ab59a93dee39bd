from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.results.quantities import Quantities, quantities

SCENARIOS = ["SingleStream", "MultiStream", "Server", "Offline"]


def test_offline() -> None:
    # 1,200 samples a second at 600 W: half a joule a sample.
    found = quantities("Offline", 1200.0, power_value=600.0, power_unit="Watts")
    assert found == Quantities(1200.0, None, 600.0, None, 0.5)


def test_server() -> None:
    # A query is one sample.
    found = quantities("Server", 800.0, power_value=400.0, power_unit="Watts")
    assert found == Quantities(800.0, None, 400.0, 0.5, 0.5)


def test_single_stream_in_millijoules() -> None:
    # 4 ms a query: 250 a second; 60 mJ a query, which over 4 ms would be 15 W, but the mean is not the percentile.
    found = quantities("SingleStream", 4.0, power_value=60.0, power_unit="millijoules")
    assert found == Quantities(250.0, 4e6, None, 0.06, 0.06)


def test_single_stream_in_joules() -> None:
    found = quantities("SingleStream", 4.0, power_value=0.5, power_unit="Joules", watts=120.0)
    assert found == Quantities(250.0, 4e6, 120.0, 0.5, 0.5)


def test_multi_stream() -> None:
    # 16 ms a query of eight samples: 500 samples a second; 400 mJ a query, 50 mJ a sample.
    found = quantities("MultiStream", 16.0, power_value=400.0, power_unit="millijoules")
    assert found.samples_per_second == 500.0 and found.latency == 16e6
    assert found.joules_per_query == pytest.approx(0.4) and found.joules_per_sample == pytest.approx(0.05)
    assert quantities("MultiStream", 16.0, power_value=4, power_unit="Joules").joules_per_sample == 0.5


def test_words_of_units_ignore_case_and_other_units_give_nothing() -> None:
    assert quantities("SingleStream", 4.0, power_value=60.0, power_unit="MilliJoules").joules_per_query == 0.06
    assert quantities("SingleStream", 4.0, power_value=60.0, power_unit="Watts").joules_per_query is None
    assert quantities("SingleStream", 4.0, power_value=60.0, power_unit=None).joules_per_query is None
    assert quantities("Offline", 4.0, power_value=60.0, power_unit="millijoules").watts is None
    assert quantities("Offline", 4.0, power_value=60.0).joules_per_sample is None


def test_the_logs_watts_go_before_the_figure() -> None:
    assert quantities("Offline", 10.0, power_value=50.0, power_unit="Watts", watts=40.0).watts == 40.0
    assert quantities("Offline", 10.0, watts=40.0).joules_per_sample == 4.0


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("value", [None, 0, 0.0, -1.0])
def test_no_figure_gives_no_rate(scenario: str, value: float | None) -> None:
    assert quantities(scenario, value) == Quantities()
    found = quantities(scenario, value, power_value=5.0, power_unit="Watts")
    assert (found.samples_per_second, found.latency, found.joules_per_sample) == (None, None, None)


def test_no_power_is_not_zero_power() -> None:
    assert quantities("Offline", 10.0, power_value=0.0, power_unit="Watts").joules_per_sample == 0.0
    assert quantities("Offline", 10.0).joules_per_sample is None


def test_energy_of_a_stream_needs_no_latency() -> None:
    assert quantities("SingleStream", None, power_value=60.0, power_unit="millijoules").joules_per_sample == 0.06


def test_a_scenario_that_is_none_is_taken_as_a_rate() -> None:
    assert quantities("Interactive", 10.0) == Quantities(10.0)


_FIGURE = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(SCENARIOS), _FIGURE, _FIGURE, st.sampled_from(["Watts", "millijoules", "Joules", None]), _FIGURE)
def test_every_quantity_is_a_number_or_none(
    scenario: str, value: float | None, power: float | None, unit: str | None, watts: float | None
) -> None:
    found = quantities(scenario, value, power_value=power, power_unit=unit, watts=watts)
    for name in Quantities.__slots__:
        figure = getattr(found, name)
        assert figure is None or math.isfinite(figure), name

"""Rates, latencies and energies that follow from an official figure: one unit each, whatever the scenario.

Source: the units of ``summary.csv`` in submission_checker.py at v2.0 to v4.1; energy of a stream is told for one query,
which holds eight samples in MultiStream.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_SAMPLES = {"SingleStream": 1, "MultiStream": 8}
_NS_PER_MS = 1e6
_JOULES = {"millijoules": 1e-3, "joules": 1.0}


@dataclass(frozen=True, slots=True)
class Quantities:
    """What follows from the figures of a result.

    Attributes:
        samples_per_second: throughput; of a stream the samples of a query over its official latency.
        latency: the official latency of a stream in nanoseconds.
        watts: average power.
        joules_per_query: energy of a query; None for Offline, whose one query holds everything.
        joules_per_sample: energy of a sample.
    """

    samples_per_second: float | None = None
    latency: float | None = None
    watts: float | None = None
    joules_per_query: float | None = None
    joules_per_sample: float | None = None


def quantities(
    scenario: str,
    value: float | None,
    *,
    power_value: float | None = None,
    power_unit: str | None = None,
    watts: float | None = None,
) -> Quantities:
    """Quantities of a result.

    Args:
        scenario: official name.
        value: the official figure: samples/s, queries/s, or the latency of a query in milliseconds.
        power_value: the official power figure, None without power.
        power_unit: ``Watts``, ``millijoules`` or ``Joules``.
        watts: average power where the logs give it.
    """
    samples = _SAMPLES.get(scenario)
    value = value if value is not None and value > 0 else None
    if samples is not None:
        rate = samples * 1000 / value if value else None
        scale = _JOULES.get((power_unit or "").casefold())
        query = power_value * scale if power_value is not None and scale is not None else None
        sample = query / samples if query is not None else None
        return Quantities(_finite(rate), _finite(value * _NS_PER_MS if value else None), watts, query, sample)
    if watts is None and power_value is not None and (power_unit or "").casefold() == "watts":
        watts = power_value
    energy = watts / value if watts is not None and value else None
    energy = _finite(energy)
    return Quantities(value, None, watts, energy if scenario == "Server" else None, energy)


def _finite(value: float | None) -> float | None:
    """A figure; None for one beyond what a number can be."""
    return value if value is not None and math.isfinite(value) else None

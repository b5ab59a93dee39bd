"""How the share of late queries goes with the rate, as far as runs tell: its slope, and where it meets what is allowed.

Near its bound a queue makes late a share that grows as a power of the rate: by the sixth to fifteenth for bounds of five to
ten service times, so that a few runs tell the exponent, and one run at a near rate how far away the bound is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

USUAL_SLOPE = 8.0
"""Where runs tell none."""
_USUAL_SPREAD = 4.0
"""Standard deviation of slopes, over the bounds that benchmarks have."""
_BUNCH = 10.0
"""Late queries that are one piece of evidence: a long queue makes all late that arrive while it lasts."""
_SLOPES = (2.0, 40.0)
_NEAR = 2.5
"""Runs whose share of late queries is so many times the allowed one, or a part, say nothing of the slope at the bound."""
_FEWEST = 3
"""Late queries of a run that tells anything."""

Point = tuple[float, int, int]
"""A run: its rate, its queries, and how many were late."""


def slope_of(points: Sequence[Point], allowed: float) -> float:
    """By how much the logarithm of the late share grows with that of the rate, near the allowed share.

    A regression, drawn towards the usual slope where runs say little.

    Args:
        points: runs of about one length, for a longer one makes another share late.
        allowed: share of late queries that a run may have.
    """
    near = [
        (math.log(rate), math.log(late / queries), late)
        for rate, queries, late in points
        if late >= _FEWEST and allowed / _NEAR <= late / queries <= allowed * _NEAR
    ]
    weight = sum(late for _, _, late in near)
    if not weight:
        return USUAL_SLOPE
    rates = sum(rate * late for rate, _, late in near) / weight
    shares = sum(share * late for _, share, late in near) / weight
    known = sum(late * (rate - rates) ** 2 for rate, _, late in near) / _BUNCH
    grown = sum(late * (rate - rates) * (share - shares) for rate, share, late in near) / _BUNCH
    before = 1 / _USUAL_SPREAD**2
    return min(max((grown + before * USUAL_SLOPE) / (known + before), _SLOPES[0]), _SLOPES[1])


def bound_from(point: Point, allowed: float, slope: float) -> float:
    """The rate at which the allowed share would be late, as one run tells it."""
    rate, queries, late = point
    share = max(late, 0.5) / max(queries, 1)
    return rate * math.exp(math.log(allowed / share) / slope)


def apart(first: Point, second: Point, slope: float) -> float:
    """How far apart the bounds are that two runs at one rate tell, as a fraction: what the machine does of itself."""
    shares = [max(late, 0.5) / max(queries, 1) for _, queries, late in (first, second)]
    return abs(math.log(shares[0] / shares[1])) / slope

"""Load curves: how many watts a simulated machine draws at which second."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from assay.errors import InvalidInputError, NotFoundError

Curve = Callable[[float], float]
"""Seconds since the simulation started to watts."""

_MOST_POINTS = 1_000_000


def synthetic(watts: float, *, ripple: float = 0.01, period_s: float = 7.0) -> Curve:
    """A load about some watts with a regular ripple, the same in every simulation."""
    return lambda seconds: watts * (1 + ripple * math.sin(2 * math.pi * seconds / period_s))


def share_of(curve: Curve, parts: int) -> Curve:
    """An equal part of a load, such as one of several power supplies has."""
    return lambda seconds: curve(seconds) / parts


def given(points: list[tuple[float, float]]) -> Curve:
    """A load that keeps each value until the next point, and the last one for ever.

    Args:
        points: seconds and watts, in order, at least one.
    """
    seconds = [point[0] for point in points]
    return lambda now: points[max(bisect_right(seconds, now) - 1, 0)][1]


def read_curve(path: Path) -> Curve:
    """Read a CSV file of seconds and watts; a first line of words is passed over.

    Raises:
        NotFoundError: when there is none.
        InvalidInputError: when a line is none, times go back, or a value is below zero.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError("there is no load curve", where=path, hint="a CSV file: seconds,watts") from error
    points: list[tuple[float, float]] = []
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if not row or (number == 1 and not _is_number(row[0])):
            continue
        if len(row) < 2 or not (_is_number(row[0]) and _is_number(row[1])):
            raise InvalidInputError("not a point of a load curve", where=f"{path}:{number}", expected="seconds,watts")
        point = float(row[0]), float(row[1])
        if point[1] < 0 or (points and point[0] <= points[-1][0]):
            expected = "times that grow, watts not below 0"
            raise InvalidInputError("a point that cannot be", where=f"{path}:{number}", expected=expected)
        points.append(point)
    if not 0 < len(points) <= _MOST_POINTS:
        raise InvalidInputError("the load curve has no points, or too many", where=path, found=str(len(points)))
    return given(points)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

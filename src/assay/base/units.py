"""Durations, sizes, counts and rates: read what people write, write what people read."""

from __future__ import annotations

import re

from assay.errors import UsageError

_DURATION_NS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SIZE = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION_PART = re.compile(rf"{_NUMBER}\s*(ns|us|µs|ms|min|s|m|h)\s*", re.IGNORECASE)
_SIZE_TEXT = re.compile(rf"{_NUMBER}\s*([kmgt]?i?b?)", re.IGNORECASE)


def parse_duration(text: str) -> int:
    """A duration such as ``2ms``, ``10m`` or ``1h30m`` in nanoseconds.

    Raises:
        UsageError: for a bare number or an unknown unit; a duration always carries its unit.
    """
    stripped = text.strip()
    total, position = 0.0, 0
    while position < len(stripped):
        match = _DURATION_PART.match(stripped, position)
        if match is None:
            break
        total += float(match[1]) * _DURATION_NS[match[2].lower()]
        position = match.end()
    if not stripped or position != len(stripped):
        raise UsageError(f"{text!r} is not a duration", expected="a number with a unit, such as 2ms, 30s, 10m or 1h30m")
    return round(total)


def exact_duration(nanoseconds: int) -> str:
    """A duration as :func:`parse_duration` takes it, not a nanosecond more or less: ``10s``, ``18ms``, ``1577us``."""
    for unit in ("s", "ms", "us"):
        if nanoseconds and nanoseconds % _DURATION_NS[unit] == 0:
            return f"{nanoseconds // _DURATION_NS[unit]}{unit}"
    return f"{nanoseconds}ns"


def format_duration(nanoseconds: float) -> str:
    """A duration in the unit that reads best: ``1.23 ms``, ``45.1 s``, ``1h 02m``."""
    ns = float(nanoseconds)
    for limit, unit, name in ((1e3, 1.0, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms"), (60e9, 1e9, "s")):
        if abs(ns) < limit:
            return f"{_significant(ns / unit)} {name}"
    seconds = round(ns / 1e9)
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"


def parse_size(text: str) -> int:
    """A size such as ``500MB`` or ``4GiB`` in bytes.

    Raises:
        UsageError: when the text is no size.
    """
    match = _SIZE_TEXT.fullmatch(text.strip())
    if match is None or match[2].lower() not in _SIZE:
        raise UsageError(f"{text!r} is not a size", expected="a number with a unit, such as 500MB or 4GiB")
    return round(float(match[1]) * _SIZE[match[2].lower()])


def format_size(count: float) -> str:
    """A size in decimal units: ``18.8 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def format_rate(per_second: float, unit: str) -> str:
    """A rate with its unit: ``1,234 samples/s``."""
    return f"{_significant(per_second)} {unit}/s"


def format_count(count: int) -> str:
    """A count with thousands separators."""
    return f"{count:,}"


def _significant(value: float) -> str:
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"

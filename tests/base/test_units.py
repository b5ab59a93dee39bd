from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.units import (
    exact_duration,
    format_count,
    format_duration,
    format_rate,
    format_size,
    parse_duration,
    parse_size,
)
from assay.errors import UsageError


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1ns", 1),
        ("2us", 2_000),
        ("2µs", 2_000),
        ("2ms", 2_000_000),
        ("1.5s", 1_500_000_000),
        ("10m", 600 * 10**9),
        ("10min", 600 * 10**9),
        ("1h30m", 5400 * 10**9),
        (" 1 h 30 m ", 5400 * 10**9),
        ("600S", 600 * 10**9),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", " ", "10", "ms", "-1s", "1s2", "1 d", "1..5s", "s1", "1e3s", "inf s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0.00 ns"),
        (999, "999 ns"),
        (1_234, "1.23 µs"),
        (1_234_567, "1.23 ms"),
        (45_100_000_000, "45.1 s"),
        (59_990_000_000, "60.0 s"),
        (61e9, "1m 01s"),
        (3_720e9, "1h 02m"),
        (-2_000_000, "-2.00 ms"),
    ],
)
def test_durations_as_people_read_them(nanoseconds: float, text: str) -> None:
    assert format_duration(nanoseconds) == text


@given(st.integers(0, 10**15), st.sampled_from(["ns", "us", "ms", "s"]))
def test_a_whole_number_of_a_unit_is_exact(count: int, unit: str) -> None:
    scale = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}[unit]
    if count * scale < 2**53:
        assert parse_duration(f"{count}{unit}") == count * scale


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("12B", 12), ("500MB", 500 * 10**6), ("4GiB", 4 << 30), ("1.5 kb", 1500), ("2tib", 2 << 40)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1 MM", "1k", "1 i", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (18_800_000, "18.8 MB"), (1e12, "1.0 TB"), (5e15, "5000.0 TB")],
)
def test_sizes_as_people_read_them(count: float, text: str) -> None:
    assert format_size(count) == text


def test_rates_and_counts() -> None:
    assert format_rate(1234.4, "samples") == "1,234 samples/s"
    assert format_rate(12.34, "queries") == "12.3 queries/s"
    assert format_rate(0.5, "queries") == "0.50 queries/s"
    assert format_count(1234567) == "1,234,567"


@given(st.integers(0, 10**6), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_exact_durations_are_read_back(count: int, unit: int) -> None:
    assert parse_duration(exact_duration(count * unit)) == count * unit


def test_exact_durations_are_short() -> None:
    assert [exact_duration(ns) for ns in (10**10, 18_000_000, 1_577_000, 17, 0)] == [
        "10s",
        "18ms",
        "1577us",
        "17ns",
        "0ns",
    ]

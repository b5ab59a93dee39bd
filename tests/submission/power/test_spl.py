from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.submission.power import spl
from assay.submission.power.spl import SplError

BEGIN, END = datetime(2023, 3, 1, 18), datetime(2023, 3, 1, 18, 10)
REST = "Volts,230.0,Amps,1.0,PF,{},Mark,m"


def line(stamp: str, watts: str = "100.000000", factor: str = "0.95") -> str:
    return f"Time,{stamp},Watts,{watts},{REST.format(factor)}\n"


def text(*lines: str) -> bytes:
    return "".join(lines).encode()


def stamp(milliseconds: int) -> str:
    return (BEGIN + timedelta(milliseconds=milliseconds)).strftime(spl.TIME_FORMAT)[:-3]


STAMPS = st.one_of(
    st.integers(-5000, 605_000).map(stamp),
    st.integers(-(10**12), 10**12).map(stamp),
    st.sampled_from(
        [
            "03-01-2023 18:00:01.5",
            "3-1-2023 18:00:01.500",
            "02-30-2023 18:00:01.500",
            "03-01-2023 24:00:01.500",
            "03-01-2023 18:60:01.500",
            "03-01-2023 18:00:60.500",
            "00-01-2023 18:00:01.500",
            "03-01-0000 18:00:01.500",
            "03-01-2023 18:00:01.500000",
            "03-01-2023 18:00:01.500 ",
            "\u06603-01-2023 18:00:01.500",
            "",
        ]
    ),
)
WATTS = st.one_of(
    st.integers(0, 10**14 - 1).map(lambda number: f"{number // 10**6}.{number % 10**6:06}"),
    st.floats().map(repr),
    st.sampled_from(
        ["0", "-1.5", "1_0.5", " 7.25", "1e3", "nan", "", "x", ".5", "5.", "1.1.1", "000000000.5", "\u0663"]
    ),
)
FACTORS = st.sampled_from(["0.95", "1", "nan", "", "x", "-0.1"])
ROWS = st.lists(st.tuples(STAMPS, WATTS, FACTORS), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def by_hand(raw: bytes, *, power_factors: bool) -> tuple[list[float], list[float]] | None:
    """What the official tools read, None when they cannot."""
    watts, factors = [], []
    try:
        for row in raw.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            if row == "":
                continue
            fields = row.split(",")
            moment = datetime.strptime(fields[1], spl.TIME_FORMAT)
            if BEGIN < moment < END:
                watts.append(float(fields[3]))
                if power_factors:
                    factors.append(float(fields[9]))
    except (ValueError, IndexError):
        return None
    return watts, factors


@given(ROWS, ENDS, st.booleans(), st.booleans())
@example([("03-01-2023 18:00:01.500", "0.1", "1")], "\n", False, False)
def test_samples_are_those_that_the_official_tools_read(
    rows: list[tuple[str, str, str]], end: str, power_factors: bool, open_end: bool
) -> None:
    raw = "".join(line(*row) for row in rows).replace("\n", end)
    encoded = (raw.removesuffix(end) if open_end else raw).encode()
    expected = by_hand(encoded, power_factors=power_factors)
    try:
        found = spl.samples(encoded, BEGIN, END, power_factors=power_factors)
    except SplError as error:
        assert expected is None
        assert error.line is not None
        return
    assert expected is not None
    assert [repr(each) for each in found.watts] == [repr(each) for each in expected[0]]
    assert [repr(each) for each in found.power_factors] == [repr(each) for each in expected[1]]
    assert found.lines == len(rows)


@given(st.lists(st.integers(0, 10**14 - 1), min_size=1, max_size=30), st.integers(1, 6))
def test_numbers_are_read_to_the_last_bit(numbers: list[int], digits: int) -> None:
    written = [f"{number // 10**6}.{f'{number % 10**6:06}'[:digits]}" for number in numbers]
    raw = text(*(line(stamp(at + 1), watts) for at, watts in enumerate(written)))
    assert spl.samples(raw, BEGIN, END).watts == [float(each) for each in written]


def test_the_ends_of_the_window_are_left_out() -> None:
    raw = text(*(line(stamp(at), f"{at}.0") for at in (0, 1, 599_999, 600_000)))
    found = spl.samples(raw, BEGIN, END)
    assert (found.watts, found.lines, found.first) == ([1.0, 599_999.0], 4, 2)
    later = BEGIN + timedelta(microseconds=999)
    assert spl.samples(raw, later, END).watts == [1.0, 599_999.0]
    assert spl.samples(raw, later + timedelta(microseconds=1), END).watts == [599_999.0]


def test_days_and_years_change() -> None:
    stamps = ["12-31-2023 23:59:59.999", "01-01-2024 00:00:00.000", "02-29-2024 00:00:00.000"]
    raw = text(*map(line, stamps))
    assert len(spl.samples(raw, datetime(2023, 12, 31), datetime(2024, 3, 1)).watts) == 3
    assert len(spl.samples(raw, datetime(2024, 1, 1), datetime(2024, 3, 1)).watts) == 1


def test_no_samples() -> None:
    assert spl.samples(b"", BEGIN, END) == spl.Samples([], [], 0, 0)
    assert spl.samples(text(line("03-01-2022 18:00:01.000")), BEGIN, END) == spl.Samples([], [], 1, 0)


@pytest.mark.parametrize(
    ("raw", "problem", "number"),
    [
        (text(line(stamp(1)), "\n", line(stamp(2))), "the line has too few fields", 2),
        (text(line(stamp(1)), line("now")), "a field of the line cannot be read", 2),
        (text(line(stamp(1), "many")), "a field of the line cannot be read", 1),
        (text(f"Time,{stamp(1)},Watts"), "the line has too few fields", 1),
        (text(line(stamp(1))) + b"\xff\n", "not UTF-8 text at byte 82", 2),
        (b"\n" * 100_000, "the line has too few fields", 1),
        (b"\0" * 1000, "the line has too few fields", 1),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(raw: bytes, problem: str, number: int) -> None:
    with pytest.raises(SplError) as told:
        spl.samples(raw, BEGIN, END)
    assert (told.value.problem, told.value.line) == (problem, number)


def test_lines_that_are_no_samples_are_passed_over_where_the_round_says_so() -> None:
    raw = text("\n", line(stamp(1)), "foo,bar\n", line(stamp(2)), " Time,\n")
    found = spl.samples(raw, BEGIN, END, passes_other_lines=True)
    assert (found.watts, found.lines, found.first) == ([100.0, 100.0], 5, 2)
    with pytest.raises(SplError, match="too few"):
        spl.samples(raw + b"Time\n", BEGIN, END, passes_other_lines=True)


def test_outside_of_the_window_only_the_time_is_read() -> None:
    raw = text("Time,03-01-2022 18:00:01.000,\n", line(stamp(1)))
    assert spl.samples(raw, BEGIN, END).watts == [100.0]
    without = text(f"Time,{stamp(1)},Watts,5.0\n")
    assert spl.samples(without, BEGIN, END).watts == [5.0]
    with pytest.raises(SplError, match="too few"):
        spl.samples(without, BEGIN, END, power_factors=True)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(raw: bytes) -> None:
    try:
        found = spl.samples(b"Time," + raw, BEGIN, END)
    except SplError as error:
        assert error.problem
    else:
        assert found.lines >= 1


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), max_size=50))
def test_a_total_is_added_from_left_to_right(values: list[float]) -> None:
    expected = list(accumulate(values))[-1] if values else 0.0
    assert spl.total(values) == expected
    if values:
        assert spl.mean(values) == expected / len(values)


def test_a_total_does_not_compensate() -> None:
    assert spl.total([0.1] * 10) == 0.9999999999999999
    assert spl.total([]) == 0.0
    assert math.isnan(spl.total([math.nan]))


@pytest.mark.parametrize("raw", [b"a\nb\n", b"a\r\nb", b"a\rb\r", b"a\n\nb", b""])
def test_lines_keep_their_ends(raw: bytes) -> None:
    found = list(spl.lines_of(raw))
    assert "".join(found) == spl.text_of(raw)
    assert all(each.count("\n") <= 1 for each in found)

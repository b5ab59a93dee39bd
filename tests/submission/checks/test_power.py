"""The power part of an entry."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.checks.power import UnreadablePowerError, watts_inside

from ..case_runner import each_case, run_case
from ..cases import Case


@each_case("power-files", "power-log", "power-no", "ranging-")
def test_findings(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)


SPL = "Time,03-01-2023 18:0{}:{:02}.{:03},Watts,{}.25,Volts,230,Amps,1,PF,1,Mark,m\n"


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 59), st.integers(0, 999), st.integers(-5, 500)), max_size=30),
    st.tuples(st.integers(0, 599_999), st.integers(0, 599_999)),
    st.booleans(),
)
def test_watts_in_the_window_are_those_that_strptime_finds(
    samples: list[tuple[int, int, int, int]], window: tuple[int, int], odd: bool
) -> None:
    text = "".join(SPL.format(*sample) for sample in samples)
    if odd:
        # A line that the fast way does not take, far outside of the window.
        text += "Time,03-02-2023 1:2:3.5,Watts,7,\n"
    start = datetime(2023, 3, 1, 18)
    begin, end = (start + timedelta(milliseconds=each) for each in sorted(window))
    expected = []
    for line in text.splitlines():
        fields = line.split(",")
        if begin < datetime.strptime(fields[1], "%m-%d-%Y %H:%M:%S.%f") < end:
            expected.append(float(fields[3]))
    assert watts_inside(text, begin, end, "spl.txt") == expected


@pytest.mark.parametrize("line", ["", "Time", "Time,nonsense,Watts,1", "Time,03-01-2023 18:00:10.000,Watts,many", "\0"])
def test_a_line_that_the_tool_cannot_read_is_told(line: str) -> None:
    begin, end = datetime(2023, 3, 1, 18), datetime(2023, 3, 1, 19)
    text = SPL.format(0, 5, 0, 9) + line + "\n" + SPL.format(0, 6, 0, 9)
    with pytest.raises(UnreadablePowerError) as told:
        watts_inside(text, begin, end, "spl.txt")
    assert (told.value.issue.code, told.value.issue.line) == ("power-log-unreadable", 2)


def test_lines_that_are_no_samples_are_passed_over_where_the_round_says_so() -> None:
    begin, end = datetime(2023, 3, 1, 18), datetime(2023, 3, 1, 19)
    text = f"\n{SPL.format(0, 5, 0, 9)}foo,bar\n{SPL.format(0, 6, 0, 9)} Time,\n"
    assert watts_inside(text, begin, end, "spl.txt", passes_other_lines=True) == [9.25, 9.25]
    with pytest.raises(UnreadablePowerError) as told:
        watts_inside(f"{text}Time\n", begin, end, "spl.txt", passes_other_lines=True)
    assert told.value.issue.line == 6


def test_a_time_at_the_end_of_a_line_is_none_as_in_the_tool() -> None:
    """The tool's field keeps the line's end, so that only a last line without one can be read; there it has no watts."""
    begin, end = datetime(2023, 3, 1, 18), datetime(2023, 3, 1, 18, 10)
    short = "Time,03-01-2023 18:10:30.500"
    for text in (f"{SPL.format(0, 5, 0, 9)}{short}\n", f"{short}\n{SPL.format(0, 5, 0, 9)}"):
        with pytest.raises(UnreadablePowerError) as told:
            watts_inside(text, begin, end, "spl.txt")
        assert told.value.issue.found == short
    assert watts_inside(SPL.format(0, 5, 0, 9) + short, begin, end, "spl.txt") == [9.25]
    with pytest.raises(UnreadablePowerError):
        watts_inside(short.replace("18:10", "18:05"), begin, end, "spl.txt")

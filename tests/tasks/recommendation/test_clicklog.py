from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.recommendation.clicklog import COLUMNS, parse_lines

from .made import table, text

WHERE = Path("day_23")
RANGE = 40_000_000


def line(**fields: str) -> bytes:
    """A line of fives with some columns changed (``c3="x"``)."""
    values = ["1", *(["5"] * 13), *(["68fd1e64"] * 26)]
    for name, value in fields.items():
        values[int(name[1:])] = value
    return ("\t".join(values) + "\n").encode()


def parse(block: bytes, most: int = 10**6) -> list[list[int]]:
    return parse_lines(block, WHERE, 100, RANGE, most=most).tolist()


def test_lines_are_what_they_were_made_from() -> None:
    rows = table(500, most=2**31 - 1)
    rows[:, 0] %= 2
    expected = rows.copy()
    expected[:, 14:] %= RANGE
    assert np.array_equal(parse_lines(text(rows).encode(), WHERE, 0, RANGE, most=10**6), expected)


def test_as_in_the_reference_empty_is_0_and_counts_below_0_are_0() -> None:
    line_of_windows = line(c1="", c2="-3", c13="2147483647", c14="", c15="ffffffff", c39="ABCDEF01")[:-1] + b"\r\n"
    (row,) = parse(line_of_windows)
    assert row[:4] == [1, 0, 0, 5]
    assert row[13:16] == [2147483647, 0, 0xFFFFFFFF % RANGE]
    assert row[39] == 0xABCDEF01 % RANGE


def test_only_so_many_lines_are_looked_at() -> None:
    assert len(parse(line() * 3 + b"nonsense\n", most=3)) == 3
    assert parse(b"") == []


@pytest.mark.parametrize(
    ("bad", "place", "what"),
    [
        (b"1,2,3\n", "day_23:102", "1 columns"),
        (line()[:-2] + b"\t7\n", "day_23:102", "41 columns"),
        (line()[2:], "day_23:102", "39 columns"),
        (line(c5="1.5"), "day_23:102: column 5", "'1.5'"),
        (line(c5="nan"), "day_23:102: column 5", "'nan'"),
        (line(c5="99999999999"), "day_23:102: column 5", "'99999999999'"),
        (line(c5="2147483648"), "day_23:102: column 5", "'2147483648'"),
        (line(c20="68fd1e6g"), "day_23:102: column 20", "'68fd1e6g'"),
        (line(c20="068fd1e64"), "day_23:102: column 20", "'068fd1e64'"),
        (line(c20="-1"), "day_23:102: column 20", "'-1'"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_place(bad: bytes, place: str, what: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(line() + bad + line())
    assert caught.value.where == place
    assert what in str(caught.value.found)


def test_forty_columns() -> None:
    assert len(line().split(b"\t")) == COLUMNS

"""Stamps read with numpy are those that ``strptime`` reads."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from assay.submission.power import stamps

_STAMP = re.compile(r"\d\d-\d\d-\d\d\d\d \d\d:\d\d:\d\d.\d\d\d")
_digit = st.integers(0, 9).map(str)
_written = st.datetimes(datetime(1000, 1, 1), datetime(2255, 1, 1)).map(
    lambda each: f"{each.month:02}-{each.day:02}-{each.year:04} {each:%H:%M:%S}.{each.microsecond // 1000:03}"
)
_odd = st.text("0123456789-: .x", max_size=25)
_edited = st.tuples(_written, st.integers(0, 22), st.sampled_from("0123456789-: .x")).map(
    lambda each: each[0][: each[1]] + each[2] + each[0][each[1] + 1 :]
)


def slow(line: str) -> float | None:
    """Seconds since 1970 as the official tools read them.

    Raises:
        ValueError: when it looks like a time and is none.
    """
    match = _STAMP.match(line)
    if match is None:
        return None
    return datetime.strptime(match[0], "%m-%d-%Y %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()


@given(st.lists(st.one_of(_written, _edited, _odd), min_size=1, max_size=8), st.booleans())
@example(["02-29-2024 23:59:59.999: a", "02-29-2024 23:59:59"], True)
@example(["02-29-2023 23:59:59.999"], True)
@example(["01-01-2023 00:00:60.000"], True)
@example(["01-01-2023 00:00:00x000"], False)
@example(["01-01-2023 00:00:00", "000"], False)
@example(["01-01-4254 00:00:00.001"], False)
def test_as_strptime(lines: list[str], ended: bool) -> None:
    text = "\n".join(lines) + "\n" * ended
    starts = np.array([0, *(match.end() for match in re.finditer("\n", text))], np.int64)[: len(lines)]
    found = stamps.line_moments(text.encode(), starts)
    try:
        expected = [slow(line) for line in lines]
    except ValueError:
        assert found is None
        return
    if any(each is not None and each * 1e6 > 1 << 53 for each in expected):
        assert found is None
        return
    assert found is not None
    assert [None if math.isnan(each) else each for each in found.tolist()] == expected


def test_no_line_at_all() -> None:
    assert stamps.moments(np.empty((0, stamps.WIDTH), np.uint8)) is not None

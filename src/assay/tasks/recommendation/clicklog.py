"""Lines of Criteo's click logs to numbers, many at once.

A line is a target, 13 counts in decimal and 26 ids in hexadecimal with tabs between; any may be empty. As in the
reference (facebookresearch/dlrm, data_utils.py) what is empty is 0, counts below 0 are 0, and ids are taken modulo
``max_ind_range``. Digits are added up place by place over all fields together: a line at a time is thirty times slower.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError

COLUMNS, DENSE = 40, 13
_TAB, _NEWLINE, _RETURN, _MINUS = 9, 10, 13, 45
_MOST_DECIMAL, _MOST_HEX = 10, 8
_NO_DIGIT = 99


def parse_lines(block: bytes, where: Path, first: int, max_ind_range: int, *, most: int) -> NDArray[np.int32]:
    """Whole lines to rows of 40 int32: target, counts, ids.

    Args:
        block: lines, each ended.
        where: the file, for messages.
        first: number of rows before this block, for messages.
        max_ind_range: ids are taken modulo this.
        most: lines that are wanted; those after them are left.

    Raises:
        InvalidInputError: for a line of another number of fields, or a field that is no number, with its line.
    """
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero((text == _TAB) | (text == _NEWLINE))
    lines = np.flatnonzero(text[ends] == _NEWLINE)[:most]
    if not len(lines):
        return np.empty((0, COLUMNS), np.int32)
    counts = np.diff(lines, prepend=-1)
    if (counts != COLUMNS).any():
        row = int(np.argmax(counts != COLUMNS))
        raise InvalidInputError(
            "not a row of the click logs",
            where=f"{where}:{first + row + 1}",
            expected=f"{COLUMNS} columns with tabs between",
            found=f"{counts[row]} columns",
        )
    ends = ends[: lines[-1] + 1]
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    lengths[COLUMNS - 1 :: COLUMNS] -= text[ends[COLUMNS - 1 :: COLUMNS] - 1] == _RETURN
    table = (starts.reshape(-1, COLUMNS), lengths.reshape(-1, COLUMNS))
    rows = np.empty((len(lines), COLUMNS), np.int32)
    split = 1 + DENSE
    rows[:, :split] = _decimal(text, table[0][:, :split], table[1][:, :split], where, first)
    rows[:, split:] = _hexadecimal(text, table[0][:, split:], table[1][:, split:], where, first) % max_ind_range
    np.maximum(rows[:, 1:split], 0, out=rows[:, 1:split])
    return rows


def _decimal(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], where: Path, first: int
) -> NDArray[np.int64]:
    negative = (lengths > 1) & (text[np.minimum(starts, len(text) - 1)] == _MINUS)
    value = _digits(text, starts + negative, lengths - negative, 10, _MOST_DECIMAL, where, first, 0)
    return np.where(negative, -value, value)


def _hexadecimal(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], where: Path, first: int
) -> NDArray[np.int64]:
    return _digits(text, starts, lengths, 16, _MOST_HEX, where, first, 1 + DENSE)


def _digits(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    base: int,
    longest: int,
    where: Path,
    first: int,
    column: int,
) -> NDArray[np.int64]:
    """Numbers of some fields; refuses what is longer than 32 bits or holds another letter."""
    values = _VALUES[base]
    result = np.zeros(starts.shape, np.int64)
    wrong = lengths > longest
    for place in range(min(longest, int(lengths.max(initial=0)))):
        inside = place < lengths
        digit = values[text[np.where(inside, starts + place, 0)]]
        wrong |= inside & (digit == _NO_DIGIT)
        result = np.where(inside, result * base + digit, result)
    if base == 10:
        wrong |= result > 2**31 - 1
    if wrong.any():
        row, place = (int(each[0]) for each in np.nonzero(wrong))
        begin = int(starts[row, place])
        found = text[begin : begin + min(int(lengths[row, place]), 20)].tobytes().decode("ascii", "replace")
        raise InvalidInputError(
            "a field of the click logs is no number",
            where=f"{where}:{first + row + 1}: column {column + place}",
            expected="digits of 32 bits" if base == 10 else "at most 8 hexadecimal digits",
            found=repr(found),
        )
    return result


def _table(digits: str) -> NDArray[np.int64]:
    table = np.full(256, _NO_DIGIT, np.int64)
    for value, letter in enumerate(digits):
        table[[ord(letter), ord(letter.upper())]] = value
    return table


_VALUES = {10: _table("0123456789"), 16: _table("0123456789abcdef")}

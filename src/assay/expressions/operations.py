"""Every operation once: its SQL and its Python, side by side, because they have to agree to the last bit.

In SQL templates ``{0}`` is the first argument. Unless it says otherwise an operation of a null is null in both, and is
only asked about values that are there. Arithmetic follows IEEE 754 inside, so a part may be infinite for a moment;
``finite`` stands wherever such a number is used, and makes it null.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to values.

    Attributes:
        template: SQL; a function of the number of arguments where that varies.
        run: Python, on the list of values; None for what only a database can do.
        nulls: whether ``run`` is asked about nulls too.
        condition: for a guard, the SQL condition under which the value stays what it is.
    """

    template: str | Callable[[int], str]
    run: Callable[[Values], Any] | None
    nulls: bool = False
    condition: str = ""


def _spread(before: str, between: str, after: str) -> Callable[[int], str]:
    def template(count: int) -> str:
        return before + between.join(f"{{{index}}}" for index in range(count)) + after

    return template


def _number(function: Callable[[Values], float]) -> Callable[[Values], float | None]:
    """What leaves the range of numbers, or has no answer, is null."""

    def run(values: Values) -> float | None:
        try:
            result = function(values)
        except (OverflowError, ValueError, ZeroDivisionError):
            return None
        return result if math.isfinite(result) else None

    return run


def _guard(condition: str, holds: Callable[[float], bool]) -> Operation:
    return Operation("", lambda values: values[0] if holds(values[0]) else None, condition=condition)


# --- logic of three values ---


def _and(values: Values) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def _or(values: Values) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def _in(values: Values) -> bool | None:
    wanted, *items = values
    if wanted is None:
        return None
    if any(item is not None and item == wanted for item in items):
        return True
    return None if any(item is None for item in items) else False


def _has(values: Values) -> bool | None:
    items, wanted = values
    if items is None or (wanted is None and items):
        return None
    # Nothing is in an empty list, not even what is not known.
    return wanted in items


def _coalesce(values: Values) -> Any:
    return next((value for value in values if value is not None), None)


def _chosen(values: Values) -> Any:
    return values[1] if values[0] is True else values[2]


def _least(values: Values) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _greatest(values: Values) -> float | None:
    return max((value for value in values if value is not None), default=None)


# --- numbers ---


def _away_from_zero(value: float) -> float:
    whole = float(math.trunc(value))
    return whole + math.copysign(1.0, value) if abs(value - whole) >= 0.5 else whole


def _round(values: Values) -> float:
    value, scale = values
    scaled = value * scale
    return float(_away_from_zero(scaled) / scale) if math.isfinite(scaled) else float(value)


# DuckDB's own rounding to digits takes another way for large figures; rounding to a whole number is exact.
_ROUND_SQL = "list_transform([{0}], lambda v: CASE WHEN isfinite(v * {1}) THEN round(v * {1}) / {1} ELSE v END)[1]"


# --- texts, letter by letter as the database has it: no letter becomes two ---


def lowered(text: str) -> str:
    """The text in small letters."""
    return text.lower() if text.isascii() else "".join(letter.lower()[0] for letter in text)


def _raised_letter(letter: str) -> str:
    raised = letter.upper()
    if len(raised) == 1:
        return raised
    if letter == "ß":
        return "ẞ"
    title = letter.title()
    return title if len(title) == 1 else letter


def raised(text: str) -> str:
    """The text in capital letters."""
    return text.upper() if text.isascii() else "".join(_raised_letter(letter) for letter in text)


def _like(values: Values) -> bool:
    return like(lowered(values[0]), lowered(values[1]))


def like(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern of ``%`` (any characters) and ``_`` (any one), in time of their product."""
    at = place = 0
    star, resume = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "%":
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("_", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(character == "%" for character in pattern[place:])


OPERATIONS: dict[str, Operation] = {
    # arithmetic
    "add": Operation("({0} + {1})", lambda v: v[0] + v[1]),
    "subtract": Operation("({0} - {1})", lambda v: v[0] - v[1]),
    "multiply": Operation("({0} * {1})", lambda v: v[0] * v[1]),
    "divide": Operation("({0} / {1})", lambda v: v[0] / v[1]),
    "negate": Operation("(-{0})", lambda v: -v[0]),
    "power": Operation("pow({0}, {1})", _number(lambda v: math.pow(v[0], v[1]))),
    # guards
    "finite": _guard("isfinite({0})", math.isfinite),
    "nonzero": _guard("{0} <> 0", lambda value: value != 0),
    "positive": _guard("{0} > 0", lambda value: value > 0),
    "not_negative": _guard("{0} >= 0", lambda value: value >= 0),
    # functions of numbers
    "abs": Operation("abs({0})", lambda v: abs(v[0])),
    "round": Operation(_ROUND_SQL, _round),
    "floor": Operation("floor({0})", lambda v: float(math.floor(v[0]))),
    "ceil": Operation("ceil({0})", lambda v: float(math.ceil(v[0]))),
    "sqrt": Operation("sqrt({0})", lambda v: math.sqrt(v[0])),
    "ln": Operation("ln({0})", lambda v: math.log(v[0])),
    "log10": Operation("log10({0})", lambda v: math.log10(v[0])),
    "log2": Operation("log2({0})", lambda v: math.log2(v[0])),
    "exp": Operation("exp({0})", _number(lambda v: math.exp(v[0]))),
    "min": Operation(_spread("least(", ", ", ")"), _least, nulls=True),
    "max": Operation(_spread("greatest(", ", ", ")"), _greatest, nulls=True),
    # comparison
    "==": Operation("({0} = {1})", lambda v: operator.eq(*v)),
    "!=": Operation("({0} <> {1})", lambda v: operator.ne(*v)),
    "<": Operation("({0} < {1})", lambda v: operator.lt(*v)),
    "<=": Operation("({0} <= {1})", lambda v: operator.le(*v)),
    ">": Operation("({0} > {1})", lambda v: operator.gt(*v)),
    ">=": Operation("({0} >= {1})", lambda v: operator.ge(*v)),
    "between": Operation("({0} BETWEEN {1} AND {2})", lambda v: _and(_sides(v)), nulls=True),
    "in": Operation(lambda count: "({0} IN (" + _rest(count) + "))", _in, nulls=True),
    "is_null": Operation("({0} IS NULL)", lambda v: v[0] is None, nulls=True),
    # logic
    "and": Operation(_spread("(", " AND ", ")"), _and, nulls=True),
    "or": Operation(_spread("(", " OR ", ")"), _or, nulls=True),
    "not": Operation("(NOT {0})", lambda v: not v[0]),
    "if": Operation("CASE WHEN {0} THEN {1} ELSE {2} END", _chosen, nulls=True),
    "coalesce": Operation(_spread("coalesce(", ", ", ")"), _coalesce, nulls=True),
    # texts
    "lower": Operation("lower({0})", lambda v: lowered(v[0])),
    "upper": Operation("upper({0})", lambda v: raised(v[0])),
    "length": Operation("CAST(length({0}) AS DOUBLE)", lambda v: float(len(v[0]))),
    "startswith": Operation("starts_with(lower({0}), lower({1}))", lambda v: lowered(v[0]).startswith(lowered(v[1]))),
    "endswith": Operation("suffix(lower({0}), lower({1}))", lambda v: lowered(v[0]).endswith(lowered(v[1]))),
    "contains": Operation("contains(lower({0}), lower({1}))", lambda v: lowered(v[1]) in lowered(v[0])),
    "like": Operation("({0} ILIKE {1})", _like),
    "has": Operation("list_contains({0}, {1})", _has, nulls=True),
    # aggregates
    "count_rows": Operation("CAST(count(*) AS DOUBLE)", None),
    "count": Operation("CAST(count({0}) AS DOUBLE)", None),
    "sum": Operation("sum({0})", None),
    "mean": Operation("avg({0})", None),
    "median": Operation("median({0})", None),
    "stddev": Operation("stddev_samp({0})", None),
    "quantile": Operation("quantile_cont({0}, {1})", None),
    "smallest": Operation("min({0})", None),
    "largest": Operation("max({0})", None),
    # windows: their groups come from the context
    "rank": Operation(
        "CASE WHEN {0} IS NOT NULL THEN CAST(rank() OVER ({partition}ORDER BY {0} DESC NULLS LAST) AS DOUBLE) END",
        None,
    ),
    "best": Operation("max({0}) OVER ({partition})", None),
    "baseline": Operation("max({0}) FILTER (WHERE {baseline}) OVER ({partition})", None),
}
AGGREGATES = frozenset(
    {"count_rows", "count", "sum", "mean", "median", "stddev", "quantile", "smallest", "largest"},
)
WINDOWS = frozenset({"rank", "best", "baseline"})


def _rest(count: int) -> str:
    return ", ".join(f"{{{index}}}" for index in range(1, count))


def _sides(values: Values) -> tuple[bool | None, bool | None]:
    value, low, high = values
    above = None if value is None or low is None else low <= value
    below = None if value is None or high is None else value <= high
    return above, below

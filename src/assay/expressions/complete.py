"""What could be written next: for shells, editors and the search field of a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assay.expressions.error import ExpressionError
from assay.expressions.functions import FUNCTIONS
from assay.expressions.schema import Kind, Schema
from assay.expressions.tokens import Token, Type, tokens_of
from assay.expressions.unit import UNIT_WORDS, Unit, parse_unit

_LOGIC = {"and": "both are true", "or": "one of them is true"}
_ORDER = {
    "==": "equal",
    "!=": "not equal",
    "<": "less",
    "<=": "less or equal",
    ">": "more",
    ">=": "more or equal",
}
_NULLS = {"is null": "there is no value", "is not null": "there is a value"}
_SUMS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "^": "to the power of"}
_TEXTS = {
    "==": "equal, by every letter",
    "!=": "not equal",
    "in": "one of a list",
    "not in": "none of a list",
    "like": "matches a pattern of % and _, ignoring case",
    "not like": "does not match",
    "contains": "has it in it, ignoring case",
    "not contains": "does not have it in it",
}
_OPERATORS: dict[Kind | None, dict[str, str]] = {
    Kind.NUMBER: {**_ORDER, **_SUMS, "in": "one of a list", **_NULLS, **_LOGIC},
    Kind.TEXT: {**_TEXTS, **_NULLS, **_LOGIC},
    Kind.BOOLEAN: {**_LOGIC, "==": "equal", "!=": "not equal", **_NULLS},
    Kind.TEXTS: {"==": "holds it", "!=": "does not hold it", "in": "holds one of them", **_NULLS, **_LOGIC},
    None: {**_LOGIC, **_ORDER, **_SUMS, **_TEXTS, **_NULLS},
}
_WORDS = {"not": "the opposite of a condition", "true": "", "false": "", "null": "no value"}


class Place(StrEnum):
    """What a suggestion is."""

    FIELD = "field"
    METRIC = "metric"
    PARAMETER = "parameter"
    FUNCTION = "function"
    OPERATOR = "operator"
    UNIT = "unit"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that fits at the cursor.

    Attributes:
        text: what is put in; a function ends with its opening parenthesis.
        start: offset of the first character it takes the place of.
        end: offset behind the last one; the cursor.
        place: what it is.
        description: one sentence, or a unit.
    """

    text: str
    start: int
    end: int
    place: Place
    description: str = ""


def complete(text: str, cursor: int, schema: Schema) -> list[Suggestion]:
    """What fits at the cursor, best first; nothing inside of a text in quotes.

    Args:
        text: what is written so far; what stands behind the cursor does not matter.
        cursor: offset in the text.
        schema: the names there are.
    """
    end = min(max(cursor, 0), len(text))
    try:
        tokens = tokens_of(text[:end])[:-1]
    except ExpressionError:
        return []
    before, word, start = _split(tokens, text[:end], end)
    candidates = _operands(schema) if _needs_value(before) else _following(before, schema)
    folded = word.casefold()
    fitting = [
        Suggestion(each, start, end, place, description)
        for each, place, description in candidates
        if folded in each.casefold()
    ]
    return sorted(fitting, key=lambda each: not each.text.casefold().startswith(folded))


def _split(tokens: list[Token], text: str, end: int) -> tuple[list[Token], str, int]:
    """The tokens before the word at the cursor, and the word with its place."""
    if tokens and tokens[-1].end == end:
        last = tokens[-1]
        if last.unit is not None:
            return [*tokens[:-1], Token(Type.NUMBER, last.value, last.start, last.unit_at)], last.unit, last.unit_at
        if last.type in (Type.NAME, Type.KEYWORD) and text[last.start] not in "`&|!":
            return tokens[:-1], text[last.start : end], last.start
    return tokens, "", end


def _needs_value(before: list[Token]) -> bool:
    if not before:
        return True
    last = before[-1]
    if last.type is Type.KEYWORD:
        return last.value not in ("true", "false", "null", "is")
    return last.type is Type.OPERATOR and last.value != ")"


def _operands(schema: Schema) -> Iterator[tuple[str, Place, str]]:
    for field in schema.fields.values():
        yield _written(field.name), Place.FIELD, _told(field.description, field.unit)
    for metric in schema.definitions.values():
        yield _written(metric.name), Place.METRIC, _told(metric.description, metric.unit)
    for parameter in schema.parameters.values():
        yield _written(parameter.name), Place.PARAMETER, _told(parameter.description, parameter.unit)
    for function in FUNCTIONS.values():
        yield f"{function.name}(", Place.FUNCTION, f"{function.signature}: {function.summary}"
    for word, meaning in _WORDS.items():
        yield word, Place.KEYWORD, meaning


def _written(name: str) -> str:
    """The name as the language reads it: in backticks unless it is a word."""
    try:
        tokens = tokens_of(name)
    except ExpressionError:
        return f"`{name}`"
    return name if len(tokens) == 2 and tokens[0].type is Type.NAME else f"`{name}`"


def _told(description: str, unit: Unit | None) -> str:
    return f"{description} [{unit.name}]".strip() if unit else description


def _following(before: list[Token], schema: Schema) -> Iterator[tuple[str, Place, str]]:
    last = before[-1]
    if last.value == "is" and last.type is Type.KEYWORD:
        yield "null", Place.KEYWORD, _NULLS["is null"]
        yield "not null", Place.KEYWORD, _NULLS["is not null"]
        return
    if last.type is Type.NUMBER and last.unit is None:
        yield from ((word, Place.UNIT, "") for word in _units(before, schema))
    for operator, meaning in _OPERATORS[_kind(last, schema)].items():
        yield operator, Place.OPERATOR, meaning


def _units(before: list[Token], schema: Schema) -> list[str]:
    """Words for the unit of a number: those that fit what it is compared with, else all."""
    known = [*UNIT_WORDS, *sorted(schema.unit_words)]
    field = schema.fields.get(before[-3].value) if len(before) > 2 else None
    if field is None or field.unit is None:
        return known
    wanted = field.unit
    return [word for word in known if parse_unit(word, schema.unit_words).compatible(wanted)] or [wanted.name]


def _kind(last: Token, schema: Schema) -> Kind | None:
    """The kind of the value before the cursor where one token tells it."""
    if last.type is Type.NAME and last.value in schema.fields:
        return schema.fields[last.value].kind
    if last.type is Type.NAME:
        # A metric without a unit may be of any kind.
        metric = schema.definitions.get(last.value)
        return Kind.NUMBER if last.value in schema.parameters or (metric and metric.unit) else None
    return {Type.NUMBER: Kind.NUMBER, Type.TEXT: Kind.TEXT}.get(last.type)

"""Artifacts by an expression over their fields: ``power.watts <= 300 and tags contains "bert"``.

What a field holds is taken from the artifacts that are looked at; a name that none of them has is a mistake of the
expression, one that some do not have is null there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from assay.cm.meta import JsonObject, JsonValue
from assay.errors import InvalidInputError
from assay.expressions import Field, Kind, Schema, parse
from assay.expressions import compile as meaning

_MAX_DEPTH = 32
_MAX_NAMES = 20_000


def fitting(text: str, metas: Sequence[JsonObject]) -> list[bool]:
    """Which of these metadata fulfil a condition.

    Numbers have no unit. Where a field holds one kind of value here and another there, the commonest counts and the
    others are null; a text beside lists of texts is a list of one.

    Raises:
        ExpressionError: for an expression that means nothing over them, with the character.
        InvalidInputError: for metadata of absurdly many fields.
    """
    parse(text)
    if not metas:
        return []
    rows = [dict(_flat(meta)) for meta in metas]
    kinds = _kinds(rows)
    fields = {name: Field(name, kind, "") for name, kind in kinds.items() if "`" not in name and name.isprintable()}
    condition = meaning(
        text, Schema({name: each for name, each in fields.items() if len(name) <= 100}), want=Kind.BOOLEAN
    )
    return [
        condition.evaluate({name: _as(kinds[name], row.get(name)) for name in condition.fields}) is True for row in rows
    ]


def _flat(meta: Mapping[str, JsonValue], before: str = "", depth: int = 0) -> Iterator[tuple[str, JsonValue]]:
    for name, value in meta.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        elif _kind(value) is not None:
            yield f"{before}{name}", value


def _kind(value: JsonValue) -> Kind | None:
    """What a value is; None for what expressions do not know, such as a list of numbers."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return Kind.TEXTS
    return None


def _kinds(rows: Sequence[Mapping[str, JsonValue]]) -> dict[str, Kind]:
    counted: dict[str, Counter[Kind]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.items():
            kind = _kind(value)
            assert kind is not None
            counted[name][kind] += 1
    if len(counted) > _MAX_NAMES:
        raise InvalidInputError(
            f"{len(counted):,} fields are too many to choose by", expected=f"at most {_MAX_NAMES:,}"
        )
    found = {name: counts.most_common(1)[0][0] for name, counts in counted.items()}
    texts = {name: Kind.TEXTS for name, kind in found.items() if kind is Kind.TEXT and counted[name][Kind.TEXTS]}
    return found | texts


def _as(kind: Kind, value: JsonValue) -> object:
    if kind is Kind.TEXTS and isinstance(value, str):
        return [value]
    return value if _kind(value) is kind else None

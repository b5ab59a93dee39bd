"""Facets: how many results there would be for each value of a field, with everything else as it is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.errors import UsageError
from assay.expressions import Kind, Schema
from assay.results.fields import field_info
from assay.results.query import Query, Scope, source_of
from assay.results.store import Store

FACETS = (
    "round", "task", "benchmark", "scenario", "category", "division", "availability", "organisation", "accelerator",
)  # fmt: skip
NONE = "(none)"
"""The value that stands for results without one."""
_MOST = 5_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value with its count.

    Attributes:
        value: as results have it; :data:`NONE` for none.
        count: results that have it, with all other facets as they are chosen.
        chosen: it is one of those that were chosen.
    """

    value: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """A field with its values: chosen ones first, then by count."""

    name: str
    values: tuple[FacetValue, ...]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The values that were chosen."""
        return tuple(each.value for each in self.values if each.chosen)


def filter_of(chosen: Mapping[str, Sequence[str]]) -> str:
    """Chosen values as a filter in the language of expressions; empty when nothing is chosen.

    Raises:
        NotFoundError: for an unknown field.
        UsageError: for a field that holds no words, or a value that is too long.
    """
    return " and ".join(_condition(name, values) for name, values in chosen.items() if values)


def _condition(name: str, values: Sequence[str]) -> str:
    kind = field_info(name).kind
    if kind not in (Kind.TEXT, Kind.TEXTS):
        raise UsageError(f"{name} holds no words", expected=f"one of {', '.join(FACETS)}")
    parts = [f"{name} is null" for value in values if value == NONE]
    words = [_literal(value) for value in values if value != NONE]
    if kind is Kind.TEXTS:
        parts += [f"{name} == {word}" for word in words]
    elif len(words) == 1:
        parts.append(f"{name} == {words[0]}")
    elif words:
        parts.append(f"{name} in ({', '.join(words)})")
    return f"({' or '.join(parts)})" if len(parts) > 1 else parts[0]


def _literal(value: str) -> str:
    if len(value) > _LONGEST:
        raise UsageError("a chosen value is too long", expected=f"at most {_LONGEST} characters")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def facets(
    store: Store,
    names: Schema,
    chosen: Mapping[str, Sequence[str]],
    *,
    filter_text: str = "",
    scope: Scope | None = None,
    wanted: Sequence[str] = FACETS,
) -> tuple[Facet, ...]:
    """Count the values of fields.

    Args:
        store: the index.
        names: what the filter may use.
        chosen: values by field; a field's own choice does not limit its own counts.
        filter_text: what holds besides.
        scope: what is looked at at all.
        wanted: fields to count.

    Raises:
        ExpressionError, NotFoundError, UsageError: for a filter or choices that mean nothing.
    """
    counts: dict[str, dict[str, int]] = {}
    free = [name for name in wanted if not chosen.get(name)]
    if free:
        counts |= _counted(store, names, free, _query(chosen, filter_text, scope))
    for name in wanted:
        if chosen.get(name):
            others = {other: values for other, values in chosen.items() if other != name}
            counts |= _counted(store, names, [name], _query(others, filter_text, scope))
    return tuple(_facet(name, counts[name], chosen.get(name, ())) for name in wanted)


def _query(chosen: Mapping[str, Sequence[str]], filter_text: str, scope: Scope | None) -> Query:
    parts = [part for part in (filter_of(chosen), filter_text) if part.strip()]
    return Query(" and ".join(f"({part})" for part in parts), scope=scope or Scope())


def _counted(store: Store, names: Schema, wanted: Sequence[str], query: Query) -> dict[str, dict[str, int]]:
    """Counts of several fields in one pass over the results."""
    source, parameters = source_of(query, names)
    fields = [field_info(name) for name in wanted]
    # A list of words is grouped as it is, and taken apart here: there are few different ones.
    picked = ", ".join(f'"{field.name}"' for field in fields)
    sets = ", ".join(f'("{field.name}")' for field in fields)
    grouping = ", ".join(f'GROUPING("{field.name}")' for field in fields)
    rows = store.run(f"SELECT {grouping}, {picked}, count(*) FROM {source} GROUP BY GROUPING SETS ({sets})", parameters)
    found: dict[str, dict[str, int]] = {name: {} for name in wanted}
    width = len(fields)
    for row in rows.fetchall():
        # GROUPING says 0 for the field that this row counts.
        place = row[:width].index(0)
        value, count, values = row[width + place], row[-1], found[wanted[place]]
        for word in value if isinstance(value, list) and value else [value]:
            told = NONE if word in (None, []) else str(word)
            values[told] = values.get(told, 0) + count
    return found


def _facet(name: str, counts: Mapping[str, int], chosen: Sequence[str]) -> Facet:
    there = {**dict.fromkeys(chosen, 0), **counts}
    values = [FacetValue(value, count, value in chosen) for value, count in there.items()]
    values.sort(key=lambda each: (not each.chosen, -each.count, each.value))
    if name == "round":
        values.sort(key=lambda each: each.value, reverse=True)
    return Facet(name, tuple(values[:_MOST]))


def count(store: Store, names: Schema, query: Query) -> int:
    """How many results a question is about."""
    source, parameters = source_of(query, names)
    ((found,),) = store.run(f"SELECT count(*) FROM {source}", parameters).fetchall()
    return int(found)

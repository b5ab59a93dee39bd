"""Facets: how many results there would be for each value of a field, with everything else as it is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.errors import UsageError
from assay.expressions import Kind, Schema
from assay.expressions import compile as compile_expression
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


@dataclass(frozen=True, slots=True)
class Counted:
    """Fields with their values, and how many results fulfil everything that was chosen."""

    facets: tuple[Facet, ...]
    total: int


def facets(
    store: Store,
    names: Schema,
    chosen: Mapping[str, Sequence[str]],
    *,
    filter_text: str = "",
    scope: Scope | None = None,
    wanted: Sequence[str] = FACETS,
) -> Counted:
    """Count the values of fields, in one pass over the results.

    Args:
        store: the index.
        names: what the filter may use.
        chosen: values by field; a field's own choice does not limit its own counts.
        filter_text: what holds besides.
        scope: what is looked at at all, where the choices do not speak of it themselves.
        wanted: fields to count.

    Raises:
        ExpressionError, NotFoundError, UsageError: for a filter or choices that mean nothing.
    """
    limits = [name for name in chosen if chosen[name]]
    tests = [compile_expression(filter_of({name: chosen[name]}), names, want=Kind.BOOLEAN).sql() for name in limits]
    source, bound = source_of(Query(filter_text, scope=_wider(scope or Scope(), limits)), names, keep=store.uids)
    fields = [field_info(name) for name in wanted]
    picked = ", ".join(f'"{field.name}"' for field in fields)
    flags = "".join(f", {test.text} AS b{number}" for number, test in enumerate(tests))
    # What fails in two choices counts for no field.
    near = " + ".join(f"(b{number} IS NOT TRUE)::INT" for number in range(len(tests)))
    where = f" WHERE {near} <= 1" if tests else ""
    sums = ", ".join(_sum(len(tests), left_out) for left_out in (None, *range(len(tests))))
    # By all fields at once, and added up for each of them here: of a million results there are some thousand groups,
    # and a statement with a grouping for each field takes twice as long to plan.
    sql = f"SELECT {picked}, {sums} FROM (SELECT {picked}{flags} FROM {source}){where} GROUP BY {picked}"
    parameters = (*(each for test in tests for each in test.parameters), *bound)
    picks = tuple((name, tuple(chosen[name])) for name in limits)
    return store.answer(
        (sql, parameters, picks), lambda: _read(store.run(sql, parameters).fetchall(), wanted, limits, dict(picks))
    )


def _wider(scope: Scope, limits: Sequence[str]) -> Scope:
    """A scope without what is chosen by hand."""
    return Scope(
        inferred=scope.inferred or "method" in limits,
        refused=scope.refused or "official" in limits,
        local=scope.local or "origin" in limits,
    )


def _sum(tests: int, left_out: int | None) -> str:
    """The count of what fulfils all choices, or all but one."""
    parts = [f"b{number}" for number in range(tests) if number != left_out]
    return f"count(*) FILTER (WHERE {' AND '.join(parts)})" if parts else "count(*)"


def _read(
    rows: Sequence[tuple[Any, ...]], wanted: Sequence[str], limits: Sequence[str], chosen: Mapping[str, Sequence[str]]
) -> Counted:
    columns = list(zip(*rows, strict=True)) or [()] * (len(wanted) + len(limits) + 1)
    everything = columns[len(wanted)]
    found: list[Facet] = []
    for name, values in zip(wanted, columns, strict=False):
        counts = columns[len(wanted) + 1 + limits.index(name)] if name in limits else everything
        found.append(_facet(name, _added(values, counts), chosen.get(name, ())))
    return Counted(tuple(found), sum(everything))


def _added(values: Sequence[Any], counts: Sequence[int]) -> dict[str, int]:
    """The counts of each value; of a list of words each word counts."""
    sums: dict[Any, int] = {}
    for value, count in zip(values, counts, strict=True):
        if count:
            key = tuple(value) if isinstance(value, list) else value
            sums[key] = sums.get(key, 0) + count
    found: dict[str, int] = {}
    for key, count in sums.items():
        for word in key if isinstance(key, tuple) and key else [key]:
            told = NONE if word in (None, ()) else str(word)
            found[told] = found.get(told, 0) + count
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
    source, parameters = source_of(query, names, keep=store.uids)
    ((found,),) = store.run(f"SELECT count(*) FROM {source}", parameters).fetchall()
    return int(found)

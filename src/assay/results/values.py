"""Values that results have: what an option or a filter means that spells one differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.errors import AssayError, NotFoundError, UsageError, nearest
from assay.expressions import Kind, Node, parse
from assay.expressions.tree import Binary, Comparison, Logic, Membership, Name, Text, Unary
from assay.results.fields import by_name, field_info, schema
from assay.results.names import name_tables
from assay.results.store import Store
from assay.rules.load import load_round, round_names
from assay.rules.model import Category, Division, Scenario

_MOST = 20_000
_SHOWN, _LISTED = 3, 12
_WORDS: Mapping[str, type[Scenario | Division | Category]] = {
    "scenario": Scenario,
    "division": Division,
    "category": Category,
}


def values_of(store: Store, name: str) -> list[str]:
    """The values that a field of words has in the index, in their order.

    Raises:
        NotFoundError: for an unknown field.
        UsageError: for a field that holds no words.
    """
    field = field_info(name)
    if field.kind not in (Kind.TEXT, Kind.TEXTS):
        raise UsageError(f"{name} holds no words")
    # A list has to be taken apart first; the field called "value" is not meant.
    word = f'unnest("{field.name}")' if field.kind is Kind.TEXTS else f'"{field.name}"'
    sql = f"SELECT DISTINCT word FROM (SELECT {word} AS word FROM results) WHERE word IS NOT NULL"
    found = store.run(f"{sql} ORDER BY word LIMIT {_MOST}").fetchall()
    return [value for (value,) in found]


def spelt(store: Store, name: str, given: str) -> str:
    """A value as results spell it: another case, an alias, or ``3.0`` for ``v3.0`` is taken for what it means.

    A round or benchmark of the rules of which there are no results is a value, too.

    Raises:
        NotFoundError: for what no result has, with the closest values.
    """
    if name in _WORDS:
        return str(_WORDS[name].parse(given).value)
    known = values_of(store, name)
    by_key = {value.casefold(): value for value in known}
    ruled = _ruled(name, given)
    for each in (given, ruled):
        if each is not None and (found := each if each in known else by_key.get(each.casefold())) is not None:
            return found
    official = _all_ruled(name)
    if ruled in official:
        return str(ruled)
    every = sorted({*known, *official})
    close = _close(given, every)
    raise NotFoundError(
        f"unknown {name} {given!r}",
        expected=" or ".join(close) or ", ".join(every[:_LISTED]) or None,
        hint=f"assay results query --group {name} --aggregate 'count()'",
    )


def strange(store: Store, text: str) -> list[str]:
    """What a filter compares with that no result has, in words; for an answer without rows.

    Args:
        text: a filter that means something.
    """
    found: dict[str, None] = {}
    for name, value in _compared(parse(text)):
        known = values_of(store, name)
        if value not in known:
            close = _close(value, known)
            found[f'no result has {name} "{value}"' + (f"; closest: {', '.join(close)}" if close else "")] = None
    return list(found)


def _close(given: str, known: list[str]) -> list[str]:
    """The closest values, then those that hold what was given."""
    folded = given.casefold()
    same = [value for value in known if value.casefold() == folded]
    holding = [value for value in known if folded and folded in value.casefold()]
    return same or list(dict.fromkeys([*nearest(given, known), *holding]))[:_SHOWN]


def _ruled(name: str, given: str) -> str | None:
    """The spelling that a name has by the rules and the tables of names, if it means anything."""
    if name == "round":
        return given.lower() if given[:1] in "vV" else f"v{given}"
    if name == "organisation":
        return name_tables().organisations.name(given) if given.strip() else None
    if name == "benchmark":
        for round_ in reversed(round_names()):
            try:
                return load_round(round_).benchmark(given).name
            except AssayError:
                continue
    return None


def _all_ruled(name: str) -> list[str]:
    if name == "round":
        return list(round_names())
    if name == "benchmark":
        return [benchmark for round_ in round_names() for benchmark in load_round(round_).benchmarks]
    return []


def _compared(node: Node) -> Iterator[tuple[str, str]]:
    """Fields of words and the texts that a filter says they are."""
    if isinstance(node, Comparison):
        for operator, left, right in zip(node.operators, node.operands, node.operands[1:], strict=False):
            if operator == "==":
                yield from _pair(left, right)
                yield from _pair(right, left)
    elif isinstance(node, Membership):
        for item in node.items:
            yield from _pair(node.operand, item)
    elif isinstance(node, Logic):
        for operand in node.operands:
            yield from _compared(operand)
    elif isinstance(node, Unary):
        yield from _compared(node.operand)
    elif isinstance(node, Binary):
        yield from _compared(node.left)
        yield from _compared(node.right)


def _pair(left: Node, right: Node) -> Iterator[tuple[str, str]]:
    if isinstance(left, Name) and isinstance(right, Text):
        name = schema().resolved(left.name)
        if name is not None and by_name()[name].kind in (Kind.TEXT, Kind.TEXTS):
            yield name, right.value

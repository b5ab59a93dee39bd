"""Systems of the index: all of them with counts, and what was submitted as one system's description."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from assay.errors import NotFoundError, nearest, unknown
from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What systems are wanted.

    Attributes:
        words: that all have to stand in the names of system, organisation, accelerator or processor.
        organisation: None for any; likewise the others.
        sort: one of :data:`SORTS`.
    """

    words: tuple[str, ...] = ()
    organisation: str | None = None
    round: str | None = None
    category: str | None = None
    accelerator: str | None = None
    sort: str = "organisation"


@dataclass(frozen=True, slots=True)
class SystemLine:
    """A system with what it has; descriptions are those of its newest round.

    Attributes:
        rounds: oldest first.
        results: all of them.
        measured: not computed from another scenario's run.
        power: with power.
        benchmarks: different ones.
        official: at least one result was published.
    """

    organisation: str
    system: str
    system_name: str | None
    availability: str | None
    category: tuple[str, ...]
    accelerator: str | None
    accelerators: int | None
    processor: str | None
    nodes: int | None
    rounds: tuple[str, ...]
    results: int
    measured: int
    power: int
    benchmarks: int
    official: bool


_NAMES = tuple(field.name for field in fields(SystemLine))
_SYSTEMS = """
SELECT organisation, system, arg_max(system_name, (round, uid)), arg_max(availability, (round, uid)),
    list_sort(list_distinct(flatten(list(category)))), arg_max(accelerator, (round, uid)), arg_max(accelerators, (round, uid)),
    arg_max(processor, (round, uid)), arg_max(nodes, (round, uid)), list_sort(list(DISTINCT round)), count(*) AS results,
    count(*) FILTER (method = 'measured') AS measured, count(*) FILTER (power) AS power,
    count(DISTINCT benchmark) AS benchmarks, bool_or(origin = 'official'), count(*) OVER () AS found
FROM results
WHERE organisation IS NOT NULL AND system IS NOT NULL
    AND ($1::VARCHAR IS NULL OR organisation = $1) AND ($2::VARCHAR IS NULL OR round = $2)
    AND ($3::VARCHAR IS NULL OR list_contains(category, $3)) AND ($4::VARCHAR IS NULL OR accelerator = $4)
    AND list_bool_and(list_transform($5::VARCHAR[], lambda word: contains(lower(concat_ws(' ', organisation, system,
        system_name, accelerator, processor)), word))) IS NOT FALSE
GROUP BY organisation, system
"""
SORTS = {
    "organisation": "ORDER BY lower(organisation), lower(system), system",
    "system": "ORDER BY lower(system), system, organisation",
    "accelerator": "ORDER BY arg_max(accelerator, (round, uid)) NULLS LAST, organisation, system",
    "-accelerators": "ORDER BY arg_max(accelerators, (round, uid)) DESC NULLS LAST, organisation, system",
    "-results": "ORDER BY results DESC, organisation, system",
    "-measured": "ORDER BY measured DESC, organisation, system",
    "-power": "ORDER BY power DESC, organisation, system",
    "-benchmarks": "ORDER BY benchmarks DESC, organisation, system",
    "-round": "ORDER BY max(round) DESC, lower(organisation), system",
}
"""The orders that systems may be asked for in."""


def systems(store: Store, asked: Asked, *, most: int, offset: int = 0) -> tuple[int, list[SystemLine]]:
    """How many systems are there, and a page of them.

    Args:
        store: the index.
        asked: which ones.
        most: rows of the page.
        offset: rows before it.

    Raises:
        NotFoundError: for an order that there is none of.
    """
    if asked.sort not in SORTS:
        raise unknown("order", asked.sort, SORTS)
    sql = " ".join((_SYSTEMS, SORTS[asked.sort], "LIMIT $6 OFFSET $7"))
    words = [word.casefold() for word in asked.words]
    rows = store.run(
        sql, [asked.organisation, asked.round, asked.category, asked.accelerator, words, most, offset]
    ).fetchall()
    if not rows and offset:
        return systems(store, asked, most=1)[0], []
    return (rows[0][-1] if rows else 0), [_line(row[:-1]) for row in rows]


def _line(row: tuple[Any, ...]) -> SystemLine:
    values = dict(zip(_NAMES, row, strict=True))
    return SystemLine(**{**values, "category": tuple(values["category"] or ()), "rounds": tuple(values["rounds"])})


def choices(store: Store) -> dict[str, list[str]]:
    """The values that systems can be chosen by: organisation, round, category, accelerator."""
    ((organisation, round_, category, accelerator),) = store.run(
        "SELECT list_sort(list(DISTINCT organisation)), list_sort(list(DISTINCT round), 'DESC'), "
        "list_sort(list_distinct(flatten(list(DISTINCT category)))), list_sort(list(DISTINCT accelerator)) "
        "FROM results WHERE system IS NOT NULL AND organisation IS NOT NULL"
    ).fetchall()
    lists = {"organisation": organisation, "round": round_, "category": category, "accelerator": accelerator}
    return {name: [value for value in values or [] if value is not None] for name, values in lists.items()}


DESCRIBED = (
    "system_name", "availability", "category", "accelerator_given", "accelerators_per_node", "accelerators",
    "processor_given", "processors_per_node", "cores", "nodes", "memory_given", "operating_system", "framework_given",
    "notes",
)  # fmt: skip
"""The fields of a description as submitted."""
_DESCRIPTIONS = """
SELECT round, min(system_name), min(availability), list_sort(list_distinct(flatten(list(category)))),
    min(accelerator_given), min(accelerators_per_node), min(accelerators), min(processor_given),
    min(processors_per_node), min(cores), min(nodes), min(memory_given),
    min(operating_system), min(framework_given), min(notes)
FROM results WHERE organisation = ? AND system = ? GROUP BY round ORDER BY round
"""


@dataclass(frozen=True, slots=True)
class System:
    """A system as it was submitted.

    Attributes:
        descriptions: round to the fields of :data:`DESCRIBED`, oldest round first.
    """

    organisation: str
    system: str
    descriptions: dict[str, dict[str, Any]]


def find_system(store: Store, organisation: str, system: str) -> System:
    """A system by its organisation and its name; errors as of :func:`system_names`."""
    organisation, system = system_names(store, organisation, system)
    rows = store.run(_DESCRIPTIONS, [organisation, system]).fetchall()
    return System(organisation, system, {row[0]: dict(zip(DESCRIBED, row[1:], strict=True)) for row in rows})


def system_names(store: Store, organisation: str, system: str) -> tuple[str, str]:
    """Organisation and name of a system that is there.

    A slash may belong to either name: an address does not tell. What is there decides.

    Raises:
        NotFoundError: for none, with the closest ones.
    """
    found = store.run(
        "SELECT organisation, system FROM results WHERE organisation || '/' || system = ? AND system IS NOT NULL "
        "GROUP BY organisation, system ORDER BY organisation = ? DESC, organisation LIMIT 1",
        [f"{organisation}/{system}", organisation],
    ).fetchall()
    if found:
        ((organisation, system),) = found
        return organisation, system
    known = store.run("SELECT DISTINCT system FROM results WHERE organisation = ?", [organisation]).fetchall()
    if not known:
        known = store.run("SELECT DISTINCT system FROM results WHERE system IS NOT NULL").fetchall()
    close = nearest(system, [name for (name,) in known if name])
    raise NotFoundError(
        f"no system {system!r} of {organisation!r}",
        expected=" or ".join(close) or None,
        hint="search all systems: /systems",
    )


def same_chip(store: Store, found: System, *, most: int) -> list[tuple[str, str, int | None, int]]:
    """Other systems with the same accelerator, else with the same processor: organisation, name, accelerators, results.

    Those with as many accelerators come first.
    """
    return store.run(
        "WITH own AS (SELECT max(accelerator) AS accelerator, max(accelerators) AS accelerators, "
        "max(processor) AS processor FROM results WHERE organisation = $1 AND system = $2) "
        "SELECT organisation, system, max(results.accelerators) AS number, count(*) FROM results, own "
        "WHERE (results.accelerator = own.accelerator OR (own.accelerator IS NULL AND results.accelerator IS NULL "
        "AND results.processor = own.processor)) AND NOT (organisation = $1 AND system = $2) "
        "GROUP BY organisation, system, own.accelerators "
        "ORDER BY number IS DISTINCT FROM own.accelerators, organisation, system LIMIT $3",
        [found.organisation, found.system, most],
    ).fetchall()

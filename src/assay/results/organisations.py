"""Organisations: what each submitted, round by round."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from assay.errors import unknown
from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Submitted:
    """Counts of what was submitted.

    Attributes:
        systems: different ones.
        results: all of them.
        measured: not computed from another scenario's run.
        closed: in the closed division; the network division counts as closed.
        open: in the open division.
        power: with power.
        benchmarks: different ones.
        official: at least one was published.
    """

    systems: int
    results: int
    measured: int
    closed: int
    open: int
    power: int
    benchmarks: int
    official: bool

    @property
    def power_share(self) -> float:
        """Share of the results that has power."""
        return self.power / self.results if self.results else 0.0


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation with all that it submitted.

    Attributes:
        rounds: oldest first.
    """

    name: str
    rounds: tuple[str, ...]
    submitted: Submitted


_COUNTS = """count(DISTINCT system), count(*), count(*) FILTER (method = 'measured'),
    count(*) FILTER (division <> 'open'), count(*) FILTER (division = 'open'), count(*) FILTER (power),
    count(DISTINCT benchmark), bool_or(origin = 'official')"""
_ALL = " ".join(
    (
        "SELECT organisation, list_sort(list(DISTINCT round)),",
        _COUNTS,
        "FROM results WHERE organisation IS NOT NULL GROUP BY organisation ORDER BY lower(organisation), organisation",
    )
)
_ROUNDS = " ".join(("SELECT round,", _COUNTS, "FROM results WHERE organisation = ? GROUP BY round ORDER BY round"))


def organisations(store: Store) -> list[Organisation]:
    """Every organisation, by name."""
    return [Organisation(row[0], tuple(row[1]), _submitted(row[2:])) for row in store.run(_ALL).fetchall()]


def find_organisation(store: Store, name: str) -> dict[str, Submitted]:
    """What an organisation submitted, by round, oldest first.

    Raises:
        NotFoundError: for an organisation that is not there, with the closest names.
    """
    found = {row[0]: _submitted(row[1:]) for row in store.run(_ROUNDS, [name]).fetchall()}
    if not found:
        names = store.run("SELECT DISTINCT organisation FROM results WHERE organisation IS NOT NULL").fetchall()
        raise unknown("organisation", name, [each for (each,) in names], hint="all organisations: /organisations")
    return found


def _submitted(row: tuple[Any, ...]) -> Submitted:
    return Submitted(**dict(zip((field.name for field in fields(Submitted)), row, strict=True)))

"""What there is to ask about: the results of each round, counted."""

from __future__ import annotations

from dataclasses import dataclass

from assay.results.store import Store

_COUNTS = """
SELECT round, origin = 'official', count(*), count(*) FILTER (method = 'measured'), count(*) FILTER (power),
    count(DISTINCT organisation), count(DISTINCT (organisation, system)), count(DISTINCT benchmark)
FROM results GROUP BY ALL ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """The results of a round, published ones and local ones apart.

    Attributes:
        round: its name.
        official: published by MLCommons; else of this machine, or of trees that nobody published.
        results: how many.
        measured: those that are not computed from another scenario's run.
        power: those with power.
        organisations: how many submitted them.
        systems: how many were measured.
        benchmarks: official names, or the submitter's own where there is none.
    """

    round: str
    official: bool
    results: int
    measured: int
    power: int
    organisations: int
    systems: int
    benchmarks: int


def overview(store: Store) -> list[RoundCounts]:
    """The rounds of the index: published ones first, each kind in the order of their names."""
    return [RoundCounts(*row) for row in store.run(_COUNTS).fetchall()]


def whole(store: Store) -> tuple[int, int]:
    """Organisations and systems of all results."""
    ((organisations, systems),) = store.run(
        "SELECT count(DISTINCT organisation), count(DISTINCT (organisation, system)) FROM results"
    ).fetchall()
    return organisations, systems

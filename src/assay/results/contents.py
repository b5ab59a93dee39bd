"""What rounds and benchmarks hold: counts by benchmark, category and division, and how accuracies are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Content:
    """Results of one benchmark, category and division in one round; one for both categories counts in both.

    Attributes:
        official: published by MLCommons.
        results: all of them.
        measured: not computed from another scenario's run.
        power: with power.
        organisations: different ones.
        systems: different ones.
    """

    round: str
    official: bool
    benchmark: str
    category: str
    division: str
    results: int
    measured: int
    power: int
    organisations: int
    systems: int


_CONTENTS = """
SELECT round, origin = 'official', benchmark, category, division, count(*), count(*) FILTER (method = 'measured'),
    count(*) FILTER (power), count(DISTINCT organisation), count(DISTINCT (organisation, system))
FROM (SELECT * EXCLUDE category, unnest(category) AS category FROM
        (SELECT round, origin, benchmark, category, division, method, power, organisation, system FROM results
         WHERE ($1::VARCHAR IS NULL OR round = $1) AND ($2::VARCHAR IS NULL OR benchmark = $2)))
GROUP BY ALL ORDER BY round DESC, 2 DESC, benchmark, category, division
"""


def contents(store: Store, *, round_: str | None = None, benchmark: str | None = None) -> list[Content]:
    """What there is, newest round first, published results before others.

    Args:
        store: the index.
        round_: of one round alone.
        benchmark: of one benchmark alone.
    """
    return [Content(*row) for row in store.run(_CONTENTS, [round_, benchmark]).fetchall()]


@dataclass(frozen=True, slots=True)
class Totals:
    """Published results of a round, and how many of one's own there are besides."""

    results: int
    measured: int
    power: int
    organisations: int
    systems: int
    local: int


_TOTALS = """
SELECT count(*) FILTER (origin = 'official'), count(*) FILTER (origin = 'official' AND method = 'measured'),
    count(*) FILTER (origin = 'official' AND power),
    count(DISTINCT organisation) FILTER (origin = 'official'),
    count(DISTINCT (organisation, system)) FILTER (origin = 'official'), count(*) FILTER (origin <> 'official')
FROM results WHERE round = ?
"""


def totals(store: Store, round_: str) -> Totals:
    """Counts of a round; all zero for one that is not there."""
    (row,) = store.run(_TOTALS, [round_]).fetchall()
    return Totals(*row)


_KINDS = ("organisation", "accelerator", "benchmark")
_NAMES = """
SELECT round, list_sort(list(DISTINCT organisation)), list_sort(list(DISTINCT accelerator)),
    list_sort(list(DISTINCT benchmark))
FROM results WHERE list_contains(?, round) AND origin = 'official' GROUP BY round
"""


def names_in(store: Store, rounds: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Organisations, accelerators and benchmarks of the published results of rounds, by round and kind."""
    found = {
        row[0]: {kind: [name for name in names if name] for kind, names in zip(_KINDS, row[1:], strict=True)}
        for row in store.run(_NAMES, [[*rounds]]).fetchall()
    }
    return {name: found.get(name, {kind: [] for kind in _KINDS}) for name in rounds}


@dataclass(frozen=True, slots=True)
class AccuracyBin:
    """How many results have an accuracy between two figures.

    Attributes:
        low: included.
        high: not included, but in the last bin.
    """

    metric: str
    unit: str | None
    division: str
    low: float
    high: float
    results: int


_BINS = 24
_ACCURACIES = """
WITH own AS (
    SELECT accuracy_metric AS metric, accuracy_unit AS unit, division, accuracy FROM results
    WHERE benchmark = ? AND accuracy IS NOT NULL AND isfinite(accuracy) AND accuracy_metric IS NOT NULL
        AND method = 'measured' AND official IS NOT FALSE AND origin = 'official'
), ranges AS (
    SELECT metric, unit, min(accuracy) AS low, max(accuracy) AS high FROM own GROUP BY ALL
    ORDER BY count(*) DESC, metric, unit LIMIT 1
), binned AS (
    SELECT own.metric, own.unit, division, low, high,
        CASE WHEN high > low THEN least(floor((accuracy - low) / (high - low) * $BINS), $BINS - 1) ELSE 0 END AS bin
    FROM own, ranges WHERE own.metric = ranges.metric AND own.unit IS NOT DISTINCT FROM ranges.unit
)
SELECT metric, unit, division, low + bin * (high - low) / $BINS, low + (bin + 1) * (high - low) / $BINS, count(*)
FROM binned GROUP BY ALL ORDER BY division, 4
""".replace("$BINS", str(_BINS))


def accuracies(store: Store, benchmark: str) -> list[AccuracyBin]:
    """How the accuracies of a benchmark's measured results are spread, in its most usual metric; empty for none."""
    return [AccuracyBin(*row) for row in store.run(_ACCURACIES, [benchmark]).fetchall()]

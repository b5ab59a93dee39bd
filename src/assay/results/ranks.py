"""A result's place among those that it may be compared with, in each category that it was submitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.results.best import By
from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Rank:
    """A place among the published, measured, accepted results of one round, benchmark, scenario and division.

    Attributes:
        by: what is compared.
        category: that the others were submitted to, too.
        place: 1 is the best; equals share a place.
        of: results that are compared, this one included.
        counted: False where the result itself is none of them (inferred, refused, unofficial): the place it would have.
        best_uid: of the best one.
        share: figure as a share of the best one's.
    """

    by: By
    category: str
    place: int
    of: int
    counted: bool
    best_uid: str
    share: float


_RANKS = """
SELECT count(samples_per_second), count(*) FILTER (samples_per_second > $7),
    max(samples_per_second), arg_max(uid, (samples_per_second, uid)) FILTER (samples_per_second IS NOT NULL),
    count(*) FILTER (joules_per_sample > 0), count(*) FILTER (joules_per_sample > 0 AND joules_per_sample < $8),
    min(joules_per_sample) FILTER (joules_per_sample > 0),
    arg_min(uid, (joules_per_sample, uid)) FILTER (joules_per_sample > 0),
    coalesce(bool_or(uid = $6), false)
FROM results
WHERE round = $1 AND benchmark = $2 AND scenario = $3 AND division = $4 AND list_contains(category, $5)
    AND method = 'measured' AND official IS NOT FALSE AND origin = 'official'
"""


def ranks(store: Store, values: Mapping[str, Any]) -> list[Rank]:
    """The places of a result: by throughput and by samples per joule, in each of its categories.

    In a stream throughput follows from the latency, so its order is that of the official figure.

    Args:
        store: the index.
        values: fields of the result, by name.
    """
    found: list[Rank] = []
    speed, joules = values["samples_per_second"], values["joules_per_sample"]
    names = ("round", "benchmark", "scenario", "division")
    for category in values["category"] or []:
        parameters = [*(values[name] for name in names), category, values["uid"], speed, joules]
        ((fast_of, faster, top, top_uid, frugal_of, better, least, least_uid, own),) = store.run(
            _RANKS, parameters
        ).fetchall()
        if speed and fast_of and top:
            found.append(Rank(By.THROUGHPUT, category, faster + 1, fast_of + (not own), own, top_uid, speed / top))
        if joules and frugal_of:
            found.append(
                Rank(By.EFFICIENCY, category, better + 1, frugal_of + (not own), own, least_uid, least / joules)
            )
    return found


def ordinal(place: int) -> str:
    """A place in words: ``1st``, ``22nd``, ``113th``."""
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"

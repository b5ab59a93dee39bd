"""The best of every group of comparable results: fastest, and most samples for a joule.

A result that was submitted to both categories stands in both. Only published, measured, accepted results are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from assay.results.store import Store


class By(StrEnum):
    """What results are compared by; the names are those of the language."""

    THROUGHPUT = "samples_per_second"
    EFFICIENCY = "samples_per_joule"


@dataclass(frozen=True, slots=True)
class Best:
    """The best result of a group.

    Attributes:
        by: what it is best in.
        results: results of the group that have that figure.
        joules_per_sample: None without power.
        accelerators: of all nodes.
    """

    by: By
    round: str
    benchmark: str
    scenario: str
    division: str
    category: str
    uid: str
    organisation: str | None
    system: str | None
    accelerator: str | None
    accelerators: int | None
    value: float | None
    unit: str | None
    samples_per_second: float | None
    watts: float | None
    joules_per_sample: float | None
    results: int

    @property
    def samples_per_joule(self) -> float | None:
        """Power efficiency; None without power."""
        return 1 / self.joules_per_sample if self.joules_per_sample else None

    @property
    def figure(self) -> float | None:
        """What it is best in, in samples per second or samples per joule."""
        return self.samples_per_second if self.by is By.THROUGHPUT else self.samples_per_joule

    @property
    def group(self) -> tuple[str, str, str, str]:
        """Benchmark, scenario, division and category: what makes it comparable from round to round."""
        return self.benchmark, self.scenario, self.division, self.category


# Equals are told apart by their uid, so that the answer is the same every time.
_BEST = """
WITH scoped AS (
    SELECT round, benchmark, scenario, division, unnest(category) AS category, uid, samples_per_second,
        CASE WHEN joules_per_sample > 0 THEN joules_per_sample END AS joules
    FROM results
    WHERE method = 'measured' AND official IS NOT FALSE AND origin = 'official'
        AND (len($1::VARCHAR[]) = 0 OR list_contains($1::VARCHAR[], round)) AND ($2::VARCHAR IS NULL OR benchmark = $2)
), groups AS (
    SELECT round, benchmark, scenario, division, category,
        count(samples_per_second) AS fast_of, count(joules) AS frugal_of,
        max((samples_per_second, uid)) FILTER (samples_per_second IS NOT NULL) AS fast,
        min((joules, uid)) FILTER (joules IS NOT NULL) AS frugal
    FROM scoped GROUP BY ALL
), named AS (
    SELECT *, fast[2] AS uid, fast_of AS number, 'samples_per_second' AS by FROM groups WHERE fast_of > 0
    UNION ALL
    SELECT *, frugal[2] AS uid, frugal_of AS number, 'samples_per_joule' AS by FROM groups WHERE frugal_of > 0
)
SELECT named.by, results.round, results.benchmark, results.scenario, results.division, named.category, uid,
    organisation, system, accelerator, accelerators, value, unit, samples_per_second, watts, joules_per_sample, number
FROM named JOIN results USING (uid)
WHERE ($3::VARCHAR IS NULL OR organisation = $3) AND ($4::VARCHAR IS NULL OR system = $4)
ORDER BY results.round DESC, results.benchmark, named.category DESC, results.division, results.scenario, named.by DESC
"""


def best_results(
    store: Store,
    *,
    rounds: Sequence[str] = (),
    benchmark: str | None = None,
    organisation: str | None = None,
    system: str | None = None,
) -> list[Best]:
    """The best of each group: newest round first, then by benchmark, category, division, scenario.

    Args:
        store: the index.
        rounds: groups of these rounds alone; of all when there are none.
        benchmark: groups of one benchmark alone.
        organisation: only those that an organisation leads.
        system: only those that a system of this name leads.
    """
    rows = store.run(_BEST, [[*rounds], benchmark, organisation, system]).fetchall()
    return [Best(By(row[0]), *row[1:]) for row in rows]


def paired(found: Sequence[Best]) -> list[tuple[Best | None, Best | None]]:
    """The fastest and the most frugal result of each group beside each other, in the order of the groups."""
    groups: dict[tuple[str, ...], dict[By, Best]] = {}
    for each in found:
        groups.setdefault((each.round, *each.group), {})[each.by] = each
    return [(group.get(By.THROUGHPUT), group.get(By.EFFICIENCY)) for group in groups.values()]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of the best from one round to another.

    Attributes:
        before: of the earlier round.
        after: of the later one.
    """

    before: Best
    after: Best

    @property
    def ratio(self) -> float | None:
        """How many times as good the later one is; None where that cannot be said."""
        old, new = self.before.figure, self.after.figure
        return new / old if old and new is not None else None


def steps(before: Sequence[Best], after: Sequence[Best]) -> list[Step]:
    """Groups that both rounds have, in the order of the later one."""
    old = {(each.by, *each.group): each for each in before}
    return [Step(old[key], each) for each in after if (key := (each.by, *each.group)) in old]

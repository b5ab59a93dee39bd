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


_GROUP = ("round", "benchmark", "scenario", "division", "category")
# Equals are told apart by their uid, so that the answer is the same every time. One plain statement: planning takes
# longer than reading.
_BEST = """
SELECT round, benchmark, scenario, division, category, count(samples_per_second), count(joules),
    arg_max(struct_pack(uid, organisation, system, accelerator, accelerators, value, unit, samples_per_second, watts,
        joules_per_sample := joules), (samples_per_second, uid)) FILTER (samples_per_second IS NOT NULL),
    arg_min(struct_pack(uid, organisation, system, accelerator, accelerators, value, unit, samples_per_second, watts,
        joules_per_sample := joules), (joules, uid)) FILTER (joules IS NOT NULL)
FROM (
    SELECT round, benchmark, scenario, division, unnest(category) AS category, uid, organisation, system, accelerator,
        accelerators, value, unit, samples_per_second, watts,
        CASE WHEN joules_per_sample > 0 THEN joules_per_sample END AS joules
    FROM results
    WHERE method = 'measured' AND official IS NOT FALSE AND origin = 'official'
        AND (len($1::VARCHAR[]) = 0 OR list_contains($1::VARCHAR[], round)) AND ($2::VARCHAR IS NULL OR benchmark = $2)
)
GROUP BY ALL ORDER BY round DESC, benchmark, category DESC, division, scenario
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
    found: list[Best] = []
    for *group, fast_of, frugal_of, fast, frugal in store.run(_BEST, [[*rounds], benchmark]).fetchall():
        for by, number, best in ((By.THROUGHPUT, fast_of, fast), (By.EFFICIENCY, frugal_of, frugal)):
            if best is not None and organisation in (None, best["organisation"]) and system in (None, best["system"]):
                found.append(Best(by=by, results=number, **dict(zip(_GROUP, group, strict=True)), **best))
    return found


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

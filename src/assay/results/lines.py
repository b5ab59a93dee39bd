"""Results as lines of a table, and those that belong beside one: other rounds, other systems with the same chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """A result with what a table says of it; fields are those of a row."""

    uid: str
    round: str
    benchmark: str
    scenario: str
    division: str
    category: tuple[str, ...]
    organisation: str | None
    system: str | None
    accelerator: str | None
    accelerators: int | None
    model: str | None
    value: float | None
    unit: str | None
    samples_per_second: float | None
    accuracy: float | None
    accuracy_metric: str | None
    accuracy_unit: str | None
    accuracy_met: bool | None
    watts: float | None
    joules_per_sample: float | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]
    access: str | None

    @property
    def samples_per_joule(self) -> float | None:
        """Power efficiency; None without power."""
        return 1 / self.joules_per_sample if self.joules_per_sample else None


_NAMES = tuple(field.name for field in fields(Line))
_COLUMNS = """SELECT uid, round, benchmark, scenario, division, category, organisation, system, accelerator,
    accelerators, model, value, unit, samples_per_second, accuracy, accuracy_metric, accuracy_unit, accuracy_met,
    watts, joules_per_sample, origin, method, official, labels, access
FROM results"""
_OF_SYSTEM = f"""{_COLUMNS} WHERE organisation = ? AND system = ?
ORDER BY division, round DESC, method DESC, benchmark, scenario, samples_per_second DESC NULLS LAST, uid LIMIT ?"""
# One statement for all that stands beside a result: planning takes longer than reading.
_BESIDE = """
SELECT kind, uid, round, benchmark, scenario, division, category, organisation, system, accelerator, accelerators,
    model, value, unit, samples_per_second, accuracy, accuracy_metric, accuracy_unit, accuracy_met, watts,
    joules_per_sample, origin, method, official, labels, access
FROM (
    SELECT *, CASE
        WHEN organisation = $5 AND system = $6 AND model IS NOT DISTINCT FROM $7 AND round = $8 THEN 0
        WHEN organisation = $5 AND system = $6 AND model IS NOT DISTINCT FROM $7 AND scenario = $4 THEN 1
        WHEN accelerator = $9 AND accelerators IS NOT DISTINCT FROM $10::BIGINT AND scenario = $4
            AND method = 'measured' AND official IS NOT FALSE AND (organisation, system) IS DISTINCT FROM ($5, $6) THEN 2
        END AS kind
    FROM results WHERE benchmark = $2 AND division = $3 AND uid <> $1
)
WHERE kind IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY round DESC, samples_per_second DESC NULLS LAST, uid) <= $11
ORDER BY kind, round DESC, samples_per_second DESC NULLS LAST, uid
"""
_OF_UIDS = f"{_COLUMNS} WHERE uid IN (SELECT unnest(?)) LIMIT ?"


def of_system(store: Store, organisation: str, system: str, *, most: int) -> list[Line]:
    """Results of a system, by division, newest round first, measured before inferred."""
    return _lines(store, _OF_SYSTEM, [organisation, system, most])


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs beside a result.

    Attributes:
        scenarios: the same system and model in other scenarios of the benchmark, in the same round.
        rounds: the same system, model and scenario in other rounds, newest first.
        chips: measured results of other systems with as many of the same accelerator, newest round and fastest first.
    """

    scenarios: tuple[Line, ...]
    rounds: tuple[Line, ...]
    chips: tuple[Line, ...]


def lines_beside(store: Store, values: Mapping[str, Any], *, most: int) -> Beside:
    """What belongs beside a result.

    Args:
        store: the index.
        values: fields of the result, by name.
        most: how many of each kind at most.
    """
    names = (
        "uid", "benchmark", "division", "scenario", "organisation", "system", "model", "round", "accelerator",
        "accelerators",
    )  # fmt: skip
    kinds: tuple[list[Line], ...] = ([], [], [])
    for kind, *row in store.run(_BESIDE, [*(values[name] for name in names), most]).fetchall():
        kinds[kind].append(_line(dict(zip(_NAMES, row, strict=True))))
    scenarios, rounds, chips = kinds
    return Beside(tuple(scenarios), tuple(rounds), tuple(chips))


def of_uids(store: Store, uids: Sequence[str]) -> list[Line]:
    """Results in the order of their uids; those that are not there are left out."""
    found = {each.uid: each for each in _lines(store, _OF_UIDS, [list(uids), len(uids)])}
    return [found[uid] for uid in uids if uid in found]


def line_of(values: Mapping[str, Any]) -> Line:
    """The line of a result whose fields are known.

    Args:
        values: fields of the result, by name.
    """
    return _line({name: values[name] for name in _NAMES})


def _lines(store: Store, sql: str, parameters: Sequence[object]) -> list[Line]:
    return [_line(dict(zip(_NAMES, row, strict=True))) for row in store.run(sql, parameters).fetchall()]


def _line(row: dict[str, Any]) -> Line:
    return Line(**{**row, "category": tuple(row["category"] or ()), "labels": tuple(row["labels"] or ())})

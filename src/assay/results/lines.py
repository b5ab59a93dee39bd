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
_OTHER_ROUNDS = f"""{_COLUMNS} WHERE organisation = ? AND system = ? AND benchmark = ? AND scenario = ?
    AND division = ? AND model IS NOT DISTINCT FROM ? AND round <> ? ORDER BY round, uid LIMIT ?"""
_SAME_CHIP = f"""{_COLUMNS} WHERE accelerator = ? AND accelerators IS NOT DISTINCT FROM ? AND benchmark = ?
    AND scenario = ? AND division = ? AND method = 'measured' AND official IS NOT FALSE
    AND (organisation, system) IS DISTINCT FROM (?, ?)
ORDER BY round DESC, samples_per_second DESC NULLS LAST, uid LIMIT ?"""
_OF_UIDS = f"{_COLUMNS} WHERE uid IN (SELECT unnest(?)) LIMIT ?"


def of_system(store: Store, organisation: str, system: str, *, most: int) -> list[Line]:
    """Results of a system, by division, newest round first, measured before inferred."""
    return _lines(store, _OF_SYSTEM, [organisation, system, most])


def other_rounds(store: Store, values: Mapping[str, Any], *, most: int) -> list[Line]:
    """The same system's results of the same benchmark, scenario and model in other rounds, oldest first.

    Args:
        store: the index.
        values: fields of the result, by name.
        most: how many at most.
    """
    names = ("organisation", "system", "benchmark", "scenario", "division", "model", "round")
    return _lines(store, _OTHER_ROUNDS, [*(values[name] for name in names), most])


def same_accelerator(store: Store, values: Mapping[str, Any], *, most: int) -> list[Line]:
    """Measured results of other systems with as many of the same accelerator, newest round and fastest first.

    Args:
        store: the index.
        values: fields of the result, by name.
        most: how many at most.
    """
    if values["accelerator"] is None:
        return []
    names = ("accelerator", "accelerators", "benchmark", "scenario", "division", "organisation", "system")
    return _lines(store, _SAME_CHIP, [*(values[name] for name in names), most])


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

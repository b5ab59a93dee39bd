"""One result, found by any of its names, with what belongs to it; several of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.errors import NotFoundError, UsageError, nearest
from assay.results.fields import FIELDS
from assay.results.store import Store

_NAMES = ", ".join(f'"{field.name}"' for field in FIELDS)
_SHOWN = 8
_SHORTEST = 4
_UID = 16


@dataclass(frozen=True, slots=True)
class Found:
    """A result of the index.

    Attributes:
        values: every field by name.
        siblings: results of the same system, benchmark and round in other scenarios: uid, scenario, figure, unit.
    """

    values: dict[str, Any]
    siblings: tuple[tuple[str, str, float | None, str | None], ...] = ()


def find_result(store: Store, name: str) -> Found:
    """The result of a uid, the beginning of one, CM's uid, its location, or a path or an address that ends in it.

    Raises:
        NotFoundError: for none, with the closest ones.
        UsageError: for several, or a name that is too short.
    """
    key = name.strip()
    if len(key) < _SHORTEST:
        raise UsageError(f"{name!r} is too short", expected=f"at least {_SHORTEST} characters of a uid, or a location")
    plain = key.casefold()
    rows = _rows(store, "uid = ?", (plain,)) if len(plain) == _UID else []
    rows = rows or _rows(store, "uid = ? OR cm_uid = ? OR location = ?", (plain, plain, key.rstrip("/")))
    rows = rows or _rows(store, "starts_with(uid, ?) OR starts_with(cm_uid, ?)", (plain, plain))
    if not rows and "/" in key:
        rows = _rows(store, "url = ?", (key.rstrip("/"),))
        rows = rows or _rows(store, "ends_with(?, '/' || location)", (key.rstrip("/"),))
    if not rows:
        known = store.run("SELECT location FROM results WHERE contains(location, ?) LIMIT 200", (key.split("/")[-1],))
        close = nearest(key, [location for (location,) in known.fetchall()])
        raise NotFoundError(f"no result {name!r}", expected=" or ".join(close) or None, hint="assay results query")
    if len(rows) > 1:
        shown = ", ".join(f"{row['uid']} ({row['round']} {row['location']})" for row in rows[:_SHOWN])
        raise UsageError(f"{name!r} fits {len(rows)} results", found=shown, expected="a longer part of one uid")
    return Found(rows[0], _siblings(store, rows[0]))


def recorded(store: Store, uids: Sequence[str]) -> str:
    """The first of these uids that is a result of the index; empty when none is."""
    found = {
        uid for (uid,) in store.run("SELECT uid FROM results WHERE uid IN (SELECT unnest(?))", [list(uids)]).fetchall()
    }
    return next((uid for uid in uids if uid in found), "")


def results_of_uids(store: Store, uids: Sequence[str]) -> dict[str, Found]:
    """The results of whole uids, without what belongs to them; those that are not there are left out."""
    rows = _rows(store, "uid IN (SELECT unnest(?))", ([*uids],)) if uids else []
    return {row["uid"]: Found(row) for row in rows}


def _rows(store: Store, condition: str, parameters: Sequence[object]) -> list[dict[str, Any]]:
    sql = f"SELECT {_NAMES} FROM results WHERE {condition} ORDER BY uid LIMIT 100"
    names = [field.name for field in FIELDS]
    return [dict(zip(names, row, strict=True)) for row in store.run(sql, parameters).fetchall()]


def _siblings(store: Store, values: dict[str, Any]) -> tuple[tuple[str, str, float | None, str | None], ...]:
    found = store.run(
        "SELECT uid, scenario, value, unit FROM results WHERE round = ? AND division = ? AND benchmark = ? "
        "AND organisation IS NOT DISTINCT FROM ? AND system IS NOT DISTINCT FROM ? AND model IS NOT DISTINCT FROM ? "
        "AND system IS NOT NULL AND uid <> ? ORDER BY scenario LIMIT 20",
        [values[key] for key in ("round", "division", "benchmark", "organisation", "system", "model", "uid")],
    )
    return tuple(found.fetchall())


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of several results.

    Attributes:
        name: of the field.
        unit: of its values.
        values: one for each result.
        ratios: each number over the first one; None for what is no number, or where one is missing.
    """

    name: str
    unit: str
    values: tuple[Any, ...]
    ratios: tuple[float | None, ...] | None

    @property
    def differs(self) -> bool:
        """The results do not all have the same."""
        return any(value != self.values[0] for value in self.values[1:])


_NOT_COMPARED = frozenset(
    {"uid", "cm_uid", "location", "format", "logs", "url", "accuracies", "source", "commit", "created"}
)


def compare_results(found: Sequence[Found]) -> list[ComparedField]:
    """Fields of results beside each other, in the order of the row; those that none of them has are left out.

    Raises:
        UsageError: for fewer than two results, or more than six.
    """
    if not 2 <= len(found) <= 6:
        what = "one result has nothing to be compared with" if len(found) == 1 else f"{len(found)} results are too many"
        raise UsageError(what if found else "no results to compare", expected="two to six")
    compared: list[ComparedField] = []
    for field in FIELDS:
        values = tuple(each.values[field.name] for each in found)
        if field.name in _NOT_COMPARED or all(value is None or value == [] for value in values):
            continue
        compared.append(ComparedField(field.name, field.unit, values, _ratios(values)))
    return compared


def cautions(found: Sequence[Found]) -> list[str]:
    """Why ratios of these results may not say what they seem to say."""
    words: list[str] = []
    for key, what in (
        ("benchmark", "benchmarks differ"),
        ("scenario", "scenarios differ: their figures are not the same thing"),
        ("division", "divisions differ: the open division may change the model and the data"),
        ("accuracy_met", "not all of them reach the closed division's accuracy"),
        ("method", "some figures are computed from another scenario's run"),
        ("origin", "some are official and some are not"),
    ):
        if len({str(each.values[key]) for each in found}) > 1:
            words.append(what)
    labels = sorted({label for each in found for label in each.values["labels"] or []})
    return words + ([f"labels: {', '.join(labels)}"] if labels else [])


def _ratios(values: Sequence[Any]) -> tuple[float | None, ...] | None:
    numbers = [value if isinstance(value, int | float) and not isinstance(value, bool) else None for value in values]
    if all(number is None for number in numbers):
        return None
    first = numbers[0]
    return tuple(None if not first or number is None else number / first for number in numbers)

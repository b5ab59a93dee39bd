"""Results beside each other for people who decide: which figures are better, by how much, and in what else they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.expressions import Schema
from assay.results.compare import SAME_WITHIN, Change
from assay.results.derived import derived_of
from assay.results.field_groups import GROUPS
from assay.results.fields import by_name
from assay.results.lines import Line, of_system
from assay.results.metrics import Better, Metrics
from assay.results.one import ComparedField, Found, compare_results
from assay.results.store import Store

FIGURES = (
    "samples_per_second", "samples_per_second_per_accelerator", "samples_per_joule", "latency", "latency_p99", "watts",
    "accuracy",
)  # fmt: skip
"""The figures that a picture shows, as far as the results have them."""
_HIGHER = frozenset({"samples_per_second", "accuracy"})
_LOWER = frozenset(
    {
        "latency", "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p97", "latency_p99",
        "latency_p999", "watts", "joules_per_query", "joules_per_sample", "power_value",
    }
)  # fmt: skip
# A figure is only held against another where these are the same.
_SAME_FIRST = {
    "value": "unit",
    "accuracy": "accuracy_metric",
    "accuracy_target": "accuracy_metric",
    "power_value": "power_unit",
}
_PLAIN = frozenset({"lower_is_better", "qsl_seed", "sample_index_seed", "schedule_seed", "official", "strict"})
_RESULTS = 2000


@dataclass(frozen=True, slots=True)
class Compared:
    """A field or a metric of several results.

    Attributes:
        unit: of its values.
        meaning: one sentence.
        values: one for each result.
        ratios: each over the first one; None where there is none.
        changes: whether each is better than the first one; None where that cannot be said.
        differs: they do not all have the same.
        better: ``higher`` or ``lower``; empty for what is neither good nor bad.
    """

    name: str
    unit: str
    meaning: str
    values: tuple[Any, ...]
    ratios: tuple[float | None, ...]
    changes: tuple[Change | None, ...]
    differs: bool
    better: str


def beside(found: Sequence[Found], metrics: Metrics, names: Schema) -> list[tuple[str, list[Compared]]]:
    """Fields and metrics of results in groups; those that none of them has are left out.

    Args:
        found: two to six results; the first is what the others are held against.
        metrics: derived metrics.
        names: what their formulas may use.

    Raises:
        UsageError: for fewer than two results, or more than six.
    """
    fields = {each.name: _field(each, found) for each in compare_results(found)}
    groups = [(title, [fields[name] for name in group if name in fields]) for title, group in GROUPS]
    groups.insert(2, ("Derived metrics", _metrics(found, metrics, names)))
    return [(title, lines) for title, lines in groups if lines]


def _field(each: ComparedField, found: Sequence[Found]) -> Compared:
    better = "higher" if each.name in _HIGHER else "lower" if each.name in _LOWER else ""
    if each.name == "value":
        directions = {one.values["lower_is_better"] for one in found}
        better = {True: "lower", False: "higher"}.get(directions.pop(), "") if len(directions) == 1 else ""
    ratios = each.ratios or (None,) * len(found)
    first = _SAME_FIRST.get(each.name)
    if each.name in _PLAIN or (first and len({one.values[first] for one in found}) > 1):
        ratios, better = (None,) * len(found), ""
    info = by_name()[each.name]
    values = tuple(str(value) if each.name.endswith("_seed") and value is not None else value for value in each.values)
    return _compared(each.name, each.unit, info.description, values, ratios, better)


def _metrics(found: Sequence[Found], metrics: Metrics, names: Schema) -> list[Compared]:
    figures = [
        {each.name: each for each in known if each.value is not None}
        for known in derived_of([one.values for one in found], metrics, names)
    ]
    lines = []
    for name in dict.fromkeys(name for each in figures for name in each):
        some = next(each[name] for each in figures if name in each)
        values = tuple(each[name].value if name in each else None for each in figures)
        better = "" if some.better is Better.NEITHER else some.better.value
        lines.append(_compared(name, some.unit, some.description, values, _ratios(values), better))
    return lines


def _compared(
    name: str, unit: str, meaning: str, values: tuple[Any, ...], ratios: tuple[float | None, ...], better: str
) -> Compared:
    changes = tuple(_change(ratio, better) if place else None for place, ratio in enumerate(ratios))
    differs = any(value != values[0] for value in values[1:])
    return Compared(name, unit, meaning, values, ratios, changes, differs, better)


def _ratios(values: tuple[Any, ...]) -> tuple[float | None, ...]:
    def number(value: Any) -> float | None:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    first = number(values[0])
    figures = [number(value) for value in values]
    return tuple(None if not first or figure is None else figure / first for figure in figures)


def _change(ratio: float | None, better: str) -> Change | None:
    if ratio is None or not better:
        return None
    if abs(ratio - 1) < SAME_WITHIN:
        return Change.SAME
    return Change.BETTER if (ratio > 1) == (better == "higher") else Change.WORSE


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which result of a system is compared; None where any may be."""

    benchmark: str | None = None
    scenario: str | None = None
    round: str | None = None


def of_systems(store: Store, systems: Sequence[tuple[str, str]], wanted: Wanted) -> list[Line | None]:
    """A result of each system: of the same benchmark and scenario, the newest round and the best there.

    Where benchmark or scenario is left open, the one is taken that most of the systems have.

    Args:
        store: the index.
        systems: organisation and name of each.
        wanted: what is asked for.
    """
    candidates = [
        [each for each in of_system(store, *system, most=_RESULTS) if _fits(each, wanted)] for system in systems
    ]
    shared: dict[tuple[str, str], int] = {}
    for lines in candidates:
        for key in dict.fromkeys((each.benchmark, each.scenario) for each in lines):
            shared[key] = shared.get(key, 0) + 1
    if not shared:
        return [None for _ in systems]
    # Of equally many: image classification in Offline, which most people know.
    chosen = max(shared, key=lambda key: (shared[key], key[0] == "resnet", key[1] == "Offline", key))
    return [_best([each for each in lines if (each.benchmark, each.scenario) == chosen]) for lines in candidates]


def _fits(each: Line, wanted: Wanted) -> bool:
    return all(
        asked in (None, found)
        for asked, found in (
            (wanted.benchmark, each.benchmark),
            (wanted.scenario, each.scenario),
            (wanted.round, each.round),
        )
    )


def _best(lines: Sequence[Line]) -> Line | None:
    return max(
        lines,
        key=lambda each: (
            each.method == "measured", each.official is not False, each.division == "closed", each.round,
            each.samples_per_second or 0.0, each.uid,
        ),
        default=None,
    )  # fmt: skip

"""Derived metrics of one result: those that apply, and those that wait for a number of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.expressions import Schema
from assay.expressions import compile as meaning
from assay.results.metrics import Metrics, Scope
from assay.results.metrics.model import Better, Metric


@dataclass(frozen=True, slots=True)
class Derived:
    """A metric with the figure that a result has in it.

    Attributes:
        value: None when it does not apply.
        unit: of the figure; empty for a pure number.
        needs: numbers of the user's that are missing for it.
    """

    name: str
    title: str
    value: Any
    unit: str
    formula: str
    better: Better
    description: str
    caution: str
    needs: tuple[str, ...] = ()


def derived(values: Mapping[str, Any], metrics: Metrics, names: Schema) -> list[Derived]:
    """Metrics that look at one result alone: those with a figure, and those that need a number from the user.

    Args:
        values: fields of the result, by name.
        metrics: all there are.
        names: what their formulas may use, with the user's numbers.
    """
    return derived_of([values], metrics, names)[0]


def derived_of(many: Sequence[Mapping[str, Any]], metrics: Metrics, names: Schema) -> list[list[Derived]]:
    """The same for several results: a list for each."""
    found: list[list[Derived]] = [[] for _ in many]
    for metric in metrics.by_name.values():
        if metric.scope is not Scope.RESULT:
            continue
        expression = meaning(metric.name, names)
        missing = tuple(sorted(expression.missing))
        for values, figures in zip(many, found, strict=True):
            value = None if missing else expression.evaluate(values)
            if missing or value is not None:
                figures.append(_derived(metric, value, missing))
    return found


def _derived(metric: Metric, value: Any, missing: tuple[str, ...]) -> Derived:
    unit = metric.unit.name if metric.unit is not None and metric.unit.name != "one" else ""
    return Derived(
        metric.name,
        metric.title,
        value,
        unit,
        " ".join(metric.expression.split()),
        metric.better,
        metric.description,
        metric.caution,
        missing,
    )

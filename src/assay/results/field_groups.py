"""The fields of a result in the order that people read them: what it is, figures, system, verdicts, where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.results.fields import by_name

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What it is", (
        "round", "benchmark", "task", "scenario", "category", "division", "availability", "origin", "method", "labels",
    )),
    ("Performance", (
        "value", "unit", "lower_is_better", "samples_per_second", "latency", "latency_mean", "latency_p50",
        "latency_p90", "latency_p95", "latency_p97", "latency_p99", "latency_p999", "latency_bound", "min_duration",
        "queries",
    )),
    ("Accuracy", (
        "accuracy", "accuracy_metric", "accuracy_unit", "accuracy_target", "accuracy_met", "accuracies",
    )),
    ("Power", ("power", "watts", "joules_per_query", "joules_per_sample", "power_value", "power_unit")),
    ("System", (
        "organisation", "organisation_given", "system", "system_name", "accelerator", "accelerator_vendor",
        "accelerator_given", "accelerators_per_node", "accelerators", "processor", "processor_given",
        "processors_per_node", "cores", "nodes", "memory", "memory_given",
    )),
    ("Software", (
        "model", "precision", "framework", "framework_given", "backend", "operating_system", "notes", "loadgen",
    )),
    ("Verdicts", ("official", "strict", "compliance", "findings")),
    ("Where it comes from", (
        "uid", "cm_uid", "location", "source", "source_kind", "commit", "url", "logs", "qsl_seed", "sample_index_seed",
        "schedule_seed", "created", "format",
    )),
    ("In playgrounds", ("contributor", "challenges", "accepted", "access", "embargo")),
)  # fmt: skip
_WHOLE = frozenset({"qsl_seed", "sample_index_seed", "schedule_seed"})


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field of a result.

    Attributes:
        value: None when it is not known; seeds are text, for they do not fit a number of JavaScript.
        unit: of a number; empty for none.
        meaning: one sentence.
    """

    name: str
    value: Any
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that are read together.

    Attributes:
        known: those that have a value.
        unknown: names of the others.
    """

    title: str
    known: tuple[FieldValue, ...]
    unknown: tuple[str, ...]


def grouped(values: Mapping[str, Any]) -> list[FieldGroup]:
    """Every field of a result in its group.

    Args:
        values: by name of the field.
    """
    return [
        FieldGroup(
            title,
            tuple(_value(name, values[name]) for name in names if values[name] not in (None, [], {})),
            tuple(name for name in names if values[name] in (None, [], {})),
        )
        for title, names in GROUPS
    ]


def _value(name: str, value: Any) -> FieldValue:
    info = by_name()[name]
    return FieldValue(name, str(value) if name in _WHOLE else value, info.unit, info.description)

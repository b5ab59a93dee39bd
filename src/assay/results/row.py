"""The normalised row: one result, flat and typed, wherever it came from. Missing is None, never a word or an empty text.

Rows are what the index holds, what queries see, what is exchanged as Parquet, and what stands under ``assay`` in the
``cm-result.json`` of an imported result. What each field means, and its unit, is told by :mod:`assay.results.fields`.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from assay.results.model import Method, Origin

FORMAT = 1
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Accuracy(msgspec.Struct, frozen=True, gc=False):
    """One accuracy of a result.

    Attributes:
        metric: official name, such as ``acc`` or ``ROUGE1``.
        value: in ``unit``.
        unit: ``percent``, ``fraction`` or a noun; None where the round is not known.
        target: what the closed division asks for.
        met: the target is reached, and a limit above is not passed.
    """

    metric: str
    value: float
    unit: str | None = None
    target: float | None = None
    met: bool | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One result. :data:`assay.results.fields.FIELDS` says what each field is."""

    uid: str
    round: str
    benchmark: str
    scenario: str
    division: str
    location: str
    format: int = FORMAT
    origin: Origin = Origin.OFFICIAL
    method: Method = Method.MEASURED
    cm_uid: str | None = None
    task: str | None = None
    category: tuple[str, ...] = ()
    availability: str | None = None
    organisation: str | None = None
    organisation_given: str | None = None
    system: str | None = None
    system_name: str | None = None
    model: str | None = None
    precision: str | None = None
    backend: str | None = None

    value: float | None = None
    unit: str | None = None
    lower_is_better: bool | None = None
    samples_per_second: float | None = None
    latency: float | None = None
    latency_mean: float | None = None
    latency_p50: float | None = None
    latency_p90: float | None = None
    latency_p95: float | None = None
    latency_p97: float | None = None
    latency_p99: float | None = None
    latency_p999: float | None = None
    latency_bound: float | None = None
    min_duration: float | None = None
    queries: Count | None = None

    accuracy: float | None = None
    accuracy_metric: str | None = None
    accuracy_unit: str | None = None
    accuracy_target: float | None = None
    accuracy_met: bool | None = None
    accuracies: tuple[Accuracy, ...] = ()

    power: bool | None = None
    watts: float | None = None
    joules_per_query: float | None = None
    joules_per_sample: float | None = None
    power_value: float | None = None
    power_unit: str | None = None

    accelerator: str | None = None
    accelerator_vendor: str | None = None
    accelerator_given: str | None = None
    accelerators_per_node: Count | None = None
    accelerators: Count | None = None
    processor: str | None = None
    processor_given: str | None = None
    processors_per_node: Count | None = None
    cores: Count | None = None
    nodes: Count | None = None
    memory: Count | None = None
    memory_given: str | None = None
    operating_system: str | None = None
    framework: str | None = None
    framework_given: str | None = None
    notes: str | None = None

    official: bool | None = None
    strict: bool | None = None
    compliance: bool | None = None
    findings: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    source: str | None = None
    source_kind: str | None = None
    commit: str | None = None
    url: str | None = None
    logs: dict[str, str] = {}
    loadgen: str | None = None
    qsl_seed: int | None = None
    sample_index_seed: int | None = None
    schedule_seed: int | None = None
    created: str | None = None

    contributor: str | None = None
    challenges: tuple[str, ...] = ()
    accepted: str | None = None
    access: str | None = None
    embargo: str | None = None


def uid_of(round_: str, location: str, benchmark: str, scenario: str) -> str:
    """The uid of a published result: 16 hex digits that follow from where it stands, so every importer gives the same.

    Args:
        round_: name of the round.
        location: path of the result in its tree, ``closed/Org/results/system/model/scenario``.
        benchmark: official name of the benchmark.
        scenario: official name of the scenario.
    """
    return hashlib.sha256(f"{round_}\0{location}\0{benchmark}\0{scenario}".encode("utf-8", "replace")).hexdigest()[:16]


def seeds_of(row: Row) -> tuple[int | None, int | None, int | None]:
    """The seeds of a row: 64 bits without a sign."""
    return row.qsl_seed, row.sample_index_seed, row.schedule_seed

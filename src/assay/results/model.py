"""A result: one row, typed, wherever it came from. Missing is None, never a word or an empty text.

The same class holds what this machine measured and what a round published; ``origin``, ``method`` and
``labels`` say which it is, and nothing may show a figure without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

FORMAT = 1


class Origin(StrEnum):
    """Who stands behind a result."""

    LOCAL = "local"
    OFFICIAL = "official"


class Method(StrEnum):
    """How the figure came about."""

    MEASURED = "measured"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Performance:
    """The official figure of a scenario.

    Attributes:
        value: in ``unit``; None when the run gave none.
        unit: official unit, such as ``Samples/s``, ``Queries/s`` or ``Latency (ms)``.
        lower_is_better: direction of the figure.
        samples_per_second: throughput whatever the scenario, None when not known.
        samples: samples answered in the run.
        duration_s: length of the run.
        latency_ns: latency by percentile (``p50`` ... ``p99.9``), ``mean``, ``min``, ``max``; nanoseconds.
    """

    value: float | None
    unit: str
    lower_is_better: bool
    samples_per_second: float | None = None
    samples: int | None = None
    duration_s: float | None = None
    latency_ns: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccuracyMetric:
    """One accuracy.

    Attributes:
        metric: official name, such as ``acc``.
        value: in ``unit``.
        unit: ``percent``, ``fraction`` or a noun.
        target: what the benchmark asks for; None when it asks for nothing.
        met: whether the target is reached; None when the target means nothing for this model or data.
        samples: samples it was computed over.
    """

    metric: str
    value: float
    unit: str
    target: float | None = None
    met: bool | None = None
    samples: int | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """Power of a performance run; the labels say what kind of power it is.

    Attributes:
        watts: average power.
        figure: the official figure in ``unit``; None where the round has none.
        unit: ``Watts``, ``millijoules`` or ``Joules``.
    """

    watts: float
    figure: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class System:
    """The machine and the software, in the words of the official system description.

    Attributes:
        organisation: submitter; None for a local result.
        name: of the system.
        memory_bytes: memory of one node.
        accelerator: model name of the accelerators, None without any.
        framework: engine and its version.
    """

    organisation: str | None = None
    name: str | None = None
    processor: str | None = None
    processors_per_node: int | None = None
    cores: int | None = None
    nodes: int | None = None
    accelerator: str | None = None
    accelerators_per_node: int | None = None
    memory_bytes: int | None = None
    operating_system: str | None = None
    framework: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one run.

    Attributes:
        valid: LoadGen's verdict.
        accepted: whether the round would take it.
        reasons: what is not met, one sentence each.
    """

    valid: bool
    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One LoadGen execution behind a result.

    Attributes:
        mode: ``performance`` or ``accuracy``.
        run: its id in the run catalogue, or the path in the submission.
        created: ISO time, UTC.
        labels: what its figures must not be shown without.
        logs: LoadGen's files and their SHA-256.
        seeds: LoadGen's seeds by name.
        command: the command that reproduces it.
        dataset: name of the data.
        dataset_sha256: of the data, None for random inputs.
        verdict: None when it was not judged.
    """

    mode: str
    run: str
    created: str
    labels: tuple[str, ...] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    command: str | None = None
    dataset: str | None = None
    dataset_sha256: str | None = None
    dataset_samples: int | None = None
    verdict: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One row: a model on a system in a scenario, with everything that says what the figures are.

    Attributes:
        uid: 16 hex digits.
        round: round whose rules it was taken under, such as ``v3.1``.
        benchmark: official name, such as ``resnet``.
        task: kind of problem, such as ``image-classification``.
        model: name of the model that really ran.
        labels: of all source runs together.
        versions: library to version, LoadGen's among them.
        sources: the runs behind it; a performance run, an accuracy run, or both.
    """

    uid: str
    origin: Origin
    method: Method
    round: str
    benchmark: str
    task: str
    scenario: str
    category: str
    division: str
    model: str
    model_sha256: str | None
    precision: str | None
    backend: str | None
    performance: Performance | None
    accuracy: tuple[AccuracyMetric, ...]
    system: System
    labels: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[SourceRun, ...] = ()
    group: str | None = None
    power: Power | None = None
    format: int = FORMAT

    @property
    def comparable(self) -> bool:
        """Whether it may stand beside published results: it needs no label, and the round takes it."""
        judged = [source.verdict for source in self.sources]
        return not self.labels and all(verdict is None or verdict.accepted for verdict in judged)

    def source(self, mode: str) -> SourceRun | None:
        """The run of a mode behind this result."""
        return next((item for item in self.sources if item.mode == mode), None)

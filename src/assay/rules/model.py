"""The nouns of a round, frozen and without I/O.

Times are nanoseconds unless the name says otherwise; accuracies are in the unit of their metric (percent for
``acc``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.errors import UsageError, nearest, unknown
from assay.rules.submission import SubmissionRules


class _Named(StrEnum):
    """An enum whose members are found by any spelling: case, ``-`` and ``_`` do not matter."""

    @classmethod
    def parse(cls, text: str) -> _Named:
        key = text.strip().replace("-", "").replace("_", "").casefold()
        for member in cls:
            if member.value.replace("-", "").replace("_", "").casefold() == key:
                return member
        names = [member.value for member in cls]
        close = nearest(text, names)
        raise UsageError(f"unknown {cls.__name__.lower()} {text!r}", expected=" or ".join(close or names))


class Scenario(_Named):
    """How LoadGen sends queries."""

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    SERVER = "Server"
    OFFLINE = "Offline"


class Category(_Named):
    """Which market a system is submitted to."""

    EDGE = "edge"
    DATACENTER = "datacenter"


class Division(_Named):
    """Under which rules a result is submitted."""

    CLOSED = "closed"
    OPEN = "open"
    NETWORK = "network"


class Mode(_Named):
    """What one LoadGen execution measures."""

    PERFORMANCE = "performance"
    ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True)
class ScenarioFacts:
    """What a round says of a scenario for every benchmark.

    Attributes:
        result_field: key of the official figure in ``mlperf_log_detail.txt``.
        unit: official unit of the figure, such as ``Samples/s`` or ``Latency (ms)``.
        divide_by: what the logged figure is divided by to be in that unit.
        lower_is_better: direction of the figure.
        percentile: latency percentile of the scenario as a fraction (0.9), None where there is none.
        samples_per_query: samples in one query; None for Offline, whose one query holds all.
    """

    scenario: Scenario
    result_field: str
    unit: str
    divide_by: float
    lower_is_better: bool
    percentile: float | None
    samples_per_query: int | None
    uses_early_stopping: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What a valid performance run of one benchmark in one scenario has to reach.

    Attributes:
        min_duration_ns: shortest run.
        min_query_count: fewest queries (Offline: fewest samples in the one query).
        target_latency_ns: Server: the latency bound. Streams: the expected latency LoadGen plans with.
        percentile: share of queries within the bound, as a fraction; None for Offline.
        target_qps: the default rate LoadGen plans with (Server, Offline); None for the streams.
        samples_per_query: 1, 8 for MultiStream, None for Offline.
        performance_sample_count: samples loaded for a performance run.
        equal_issue: every sample has to be issued equally often (``sample_concatenate_permutation``).
    """

    min_duration_ns: int
    min_query_count: int
    target_latency_ns: int | None
    percentile: float | None
    target_qps: float | None
    samples_per_query: int | None
    performance_sample_count: int
    equal_issue: bool


@dataclass(frozen=True, slots=True)
class TokenLatency:
    """Bounds that a benchmark has for tokens; the 99th percentile of each has to be below.

    Attributes:
        first_token_ns: time to the first token (TTFT).
        per_token_ns: time for each token after it (TPOT).
    """

    first_token_ns: int
    per_token_ns: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The official figure of a benchmark where it is not the one that the scenario has.

    Attributes:
        result_field: key of the figure in ``mlperf_log_detail.txt``.
        unit: what it counts; the official tool writes the scenario's unit all the same.
    """

    result_field: str
    unit: str


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of the model that are handed in with the accuracy run, as names of files without their endings.

    Attributes:
        required: a result without them is refused.
        expected: the official tool looks for them and lets a result without them pass.
    """

    required: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityTarget:
    """One accuracy a closed-division result has to reach.

    Attributes:
        metric: official name, such as ``acc`` or ``F1``.
        unit: ``percent``, ``fraction`` or a noun.
        reference: accuracy of the reference model.
        ratio: share of the reference that is asked for.
        target: the figure compared with (``reference * ratio`` in IEEE double).
        upper_limit: largest figure allowed, None where there is none.
    """

    metric: str
    unit: str
    reference: float
    ratio: float
    target: float
    upper_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Seeds:
    """The random seeds of a round (64 bits each)."""

    qsl: int
    sample_index: int
    schedule: int


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A round's entry: task, model, dataset and quality target.

    Attributes:
        name: official name in the checker, such as ``resnet`` or ``bert-99``.
        aliases: other names users know it by (``resnet50``).
        task: task of assay that runs it, such as ``image-classification``.
        area: area of the rules, such as ``Vision``.
        model: reference model.
        dataset: accuracy dataset.
        dataset_size: samples in it.
        conf_model: model name in ``mlperf.conf`` and ``user.conf``.
        sample: what one sample is.
        required: scenarios that a closed submission of a category must hold.
        optional: scenarios that it may hold besides.
        limits: what a valid run of a scenario has to reach.
        compliance: compliance tests asked for.
        test01_sampling_target: answers that TEST01 has LoadGen keep of a performance run, about.
        placeholder: named in the official tool with no reference behind it.
        token_latency: bounds for tokens, None where the benchmark has none.
        figures: the figures that are not those of the scenario.
        outputs: folder of the accuracy run to the outputs in it.
    """

    name: str
    aliases: tuple[str, ...]
    task: str
    area: str
    model: str
    dataset: str
    dataset_size: int
    sample: str
    conf_model: str
    quality: tuple[QualityTarget, ...]
    required: Mapping[Category, tuple[Scenario, ...]]
    optional: Mapping[Category, tuple[Scenario, ...]]
    limits: Mapping[Scenario, Limits]
    compliance: tuple[str, ...]
    test01_sampling_target: int = 4096
    placeholder: bool = False
    token_latency: TokenLatency | None = None
    figures: Mapping[Scenario, Figure] = field(default_factory=dict)
    outputs: Mapping[str, Outputs] = field(default_factory=dict)

    def scenarios(self, category: Category) -> tuple[Scenario, ...]:
        """Scenarios of a category, required ones first; empty when the benchmark is not in it."""
        return self.required.get(category, ()) + self.optional.get(category, ())

    def figure(self, facts: ScenarioFacts) -> Figure:
        """The official figure in a scenario: its own, or the scenario's."""
        return self.figures.get(facts.scenario) or Figure(facts.result_field, facts.unit)

    def categories(self) -> tuple[Category, ...]:
        """Categories that have this benchmark."""
        return tuple(category for category in Category if self.scenarios(category))


@dataclass(frozen=True, slots=True)
class Round:
    """One round of MLPerf Inference.

    Attributes:
        name: such as ``v3.1``.
        source: where its facts were read: repository, tag and revision.
        conf_source: the file that LoadGen's defaults of the round come from.
        submission: what a submission tree must hold; None where the round file does not say.
    """

    name: str
    source: str
    conf_source: str
    seeds: Seeds
    test05_seeds: Seeds
    scenarios: Mapping[Scenario, ScenarioFacts]
    benchmarks: Mapping[str, Benchmark]
    submission: SubmissionRules | None = None

    def benchmark(self, name: str) -> Benchmark:
        """The benchmark of a name or alias, whatever its case.

        Raises:
            NotFoundError: with the closest names.
        """
        key = name.casefold()
        for benchmark in self.benchmarks.values():
            if key == benchmark.name.casefold() or key in (alias.casefold() for alias in benchmark.aliases):
                return benchmark
        known = [alias for entry in self.benchmarks.values() for alias in (entry.name, *entry.aliases)]
        raise unknown("benchmark", name, known, hint=f"assay benchmarks list --round {self.name}")

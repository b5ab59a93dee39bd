"""What a round asks of a submission tree, and how its official tool looks at one; frozen and without I/O.

The facts of a round's official tool stand here too where they are oddities: a check asks for the fact
(``joined_accuracy``), never for the round's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_FORBID = {"extra": "forbid"}


class Level(StrEnum):
    """How grave a finding is under one rule set.

    Attributes:
        IGNORE: not looked at.
        NOTE: said, and nothing follows.
        WARN: worth a look before a submission goes out; nothing is rejected.
        FLAG: the row stays and the submission as a whole is refused.
        REJECT: the result, or everything below the place, is refused.
    """

    IGNORE = "ignore"
    NOTE = "note"
    WARN = "warn"
    FLAG = "flag"
    REJECT = "reject"

    @property
    def rank(self) -> int:
        """Position from harmless to grave."""
        return list(Level).index(self)


class LinkRule(StrEnum):
    """Which symbolic links the tool of a round refuses."""

    ANY = "any"
    UNRESOLVED = "unresolved"


class FileDiff(StrEnum):
    """How the tool of a round compares a folder's files with its list.

    ``longer`` looks only at what the longer of both has more, and not at all when one is empty.
    """

    BOTH = "both"
    LONGER = "longer"


@dataclass(frozen=True, slots=True)
class NameGuess:
    """A model directory whose name contains one of these is taken for that model."""

    __pydantic_config__ = _FORBID
    contains: tuple[str, ...]
    model: str


@dataclass(frozen=True, slots=True)
class SystemRules:
    """Fields of ``systems/<system>.json``.

    Attributes:
        required: must be there.
        required_network: must be there when ``is_network`` is true.
        not_empty: must say something (the tool: a truthy value).
        known: may be there; anything else is unknown.
        availability: values of ``status``, compared without case.
        types: values of ``system_type``, compared exactly.
    """

    __pydantic_config__ = _FORBID
    required: tuple[str, ...]
    required_network: tuple[str, ...]
    not_empty: tuple[str, ...]
    known: tuple[str, ...]
    availability: tuple[str, ...]
    types: tuple[str, ...]
    network_flag: str = "is_network"
    network_sut_name: str = "Network SUT"


@dataclass(frozen=True, slots=True)
class MeasurementRules:
    """Files and fields of ``measurements/<system>/<model>/<scenario>/``.

    Attributes:
        files: must be there.
        fields: keys of the implementation's JSON.
        power_documents: stems of the documents a measured result needs.
        stops_entry: the tool looks at nothing else of a result whose measurements have issues.
    """

    __pydantic_config__ = _FORBID
    files: tuple[str, ...]
    fields: tuple[str, ...]
    power_documents: tuple[str, ...] = ()
    stops_entry: bool = False


@dataclass(frozen=True, slots=True)
class FileRules:
    """Files of the folders of a result.

    Attributes:
        ignored: names that may stand anywhere.
        power_run: what ``run_1`` and ``ranging`` hold besides when power was measured.
        power: what ``performance/power`` holds.
        max_bytes: largest file of a tree; None where nothing is said.
        accuracy_log_max_bytes: largest ``mlperf_log_accuracy.json``.
        open_mapping: a submitter of the open division may map its model names in a file.
        root_suffixes: the only files that may stand in the root; None where nothing is said.
    """

    __pydantic_config__ = _FORBID
    performance: tuple[str, ...]
    performance_optional: tuple[str, ...]
    accuracy: tuple[str, ...]
    power_run: tuple[str, ...]
    power: tuple[str, ...]
    ignored: tuple[str, ...]
    compare: FileDiff = FileDiff.BOTH
    max_bytes: int | None = None
    accuracy_log_max_bytes: int = 10240
    folder_checks: bool = True
    links: LinkRule = LinkRule.ANY
    open_mapping: bool = True
    root_suffixes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AccuracyRules:
    """How ``accuracy.txt`` is read.

    Attributes:
        patterns: metric to regular expression, matched at the start of a line; group 1 is the figure.
        hash_pattern: the line with the hash of the accuracy log.
        every_line: every matching line counts and all metrics have to be met (else: the last figure before both
            figure and hash were found).
    """

    __pydantic_config__ = _FORBID
    patterns: Mapping[str, str]
    hash_pattern: str
    every_line: bool = False


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much the figure of a compliance test may differ from the one that it is compared with.

    Attributes:
        share: how much, as a share of the figure compared with.
        stream_share: the same in SingleStream and MultiStream, where it is another.
        short_ns: scenario to the latency up to which ``short_share`` holds in its place.
        better_fails: a figure that is better by more fails.
        worse_fails: a figure that is worse by more fails.
        as_rate: latencies are compared as queries per second.
    """

    __pydantic_config__ = _FORBID
    share: float
    stream_share: float | None = None
    short_ns: Mapping[str, int] = field(default_factory=dict)
    short_share: float = 0.2
    better_fails: bool = True
    worse_fails: bool = True
    as_rate: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceRules:
    """How compliance folders are looked at.

    Attributes:
        performance_files: files of a test's ``performance/run_1``.
        performance_optional: files that may stand there besides.
        accuracy_files: files of TEST01's ``accuracy`` when the outputs were equal.
        accuracy_files_inexact: the same when they were not, and two accuracies are compared.
        judges_runs: the tool judges the logs of the tests as it judges a performance run.
        last_test_decides: only the last test of the list counts for performance.
        without_verify: tests that need no ``verify_performance.txt``.
        max_delta_percent: by how much the two accuracies of TEST01 may differ.
        max_delta_percent_tight: the same for benchmarks with ``99.9`` in their name.
        optional_for: a model directory whose name contains one of these needs no compliance folder when its benchmark
            has no test (the empty text: every directory).
        verify_lines: tests that are judged by ``verify_accuracy.txt`` alone: of each group of lines one has to be there.
        tolerances: test to what its figure may be; parts of a test (TEST04-A) go by the test's name.
        plain_figures: streams are compared by LoadGen's percentile instead of its estimate of early stopping, and Server
            by the rate that was scheduled instead of that which was completed.
    """

    __pydantic_config__ = _FORBID
    performance_files: tuple[str, ...]
    performance_optional: tuple[str, ...]
    accuracy_files: tuple[str, ...]
    accuracy_files_inexact: tuple[str, ...]
    judges_runs: bool = True
    compares_accuracy: bool = True
    last_test_decides: bool = False
    without_verify: tuple[str, ...] = ()
    max_delta_percent: float = 1.0
    max_delta_percent_tight: float = 0.1
    optional_for: tuple[str, ...] = ()
    verify_lines: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    plain_figures: bool = False


@dataclass(frozen=True, slots=True)
class PowerUnits:
    """How a measured result is written.

    Attributes:
        energy_unit: unit of the streams' figure.
        energy_scale: joules to that unit.
        positive_only: samples that are not above 0 W are left out.
        reads_ranging: the tool reads the result of the ranging run too, and refuses what it cannot read.
        checker_default: the power working group's checks run unless switched off.
        passes_other_lines: lines of ``spl.txt`` that do not begin with ``Time`` are passed over.
    """

    __pydantic_config__ = _FORBID
    energy_unit: str
    energy_scale: float
    positive_only: bool = False
    reads_ranging: bool = False
    checker_default: bool = False
    passes_other_lines: bool = False


@dataclass(frozen=True, slots=True)
class CsvForm:
    """Form of the official ``summary.csv``.

    Attributes:
        compliance_column: heading of the compliance column.
        quotes_accelerators: ``accelerators_per_node`` stands in quotes.
        joins_empty_notes: the separator between both notes is written when the first is empty, too.
    """

    __pydantic_config__ = _FORBID
    compliance_column: str = "compliance"
    quotes_accelerators: bool = True
    joins_empty_notes: bool = False


@dataclass(frozen=True, slots=True)
class ReportForm:
    """Form of the workbook that the round's final report generator makes of a ``summary.csv``.

    Attributes:
        number: of the round, as it stands in an ID; the name of the round without its ``v`` when empty.
        address: of the folder that the links point into.
        id_digits: of the running number in an ID.
        nodes: there is a column of nodes (else: processors are counted over all nodes).
        code: there is a link to the code, too.
        suite_first: sheets are named ``edge - closed - power`` rather than ``closed,edge,power``.
        required_power_only: power figures of scenarios that are not required are left out.
    """

    __pydantic_config__ = _FORBID
    number: str = ""
    address: str = "."
    id_digits: int = 4
    nodes: bool = True
    code: bool = True
    suite_first: bool = True
    required_power_only: bool = True


@dataclass(frozen=True, slots=True)
class SubmissionRules:
    """A round's rules of submission trees.

    Attributes:
        tool: the official checker: repository, tag, file.
        divisions: directories of the root.
        ignored_root: directories of the root that are passed over in silence.
        model_mapping: name of a model directory to benchmark.
        model_guesses: tried in order when nothing else names the benchmark.
        min_duration_ms: shortest performance run.
        offline_min_samples: fewest samples of the one Offline query; a benchmark may have fewer of its own.
        offline_min_queries: fewest queries of an Offline run.
        unexpected_counts: a scenario that the benchmark does not have counts in the column of errors.
        open_forgives: codes that the tool forgives in the open division.
        open_free: codes that the written rules do not ask of the open division.
        severity: finding code to the level that the official tool of this round gives it, where it is not the
            catalogue's.
    """

    __pydantic_config__ = _FORBID
    tool: str
    divisions: tuple[str, ...]
    ignored_root: tuple[str, ...]
    model_mapping: Mapping[str, str]
    model_guesses: tuple[NameGuess, ...]
    system: SystemRules
    measurements: MeasurementRules
    files: FileRules
    accuracy: AccuracyRules
    compliance: ComplianceRules
    power: PowerUnits
    csv: CsvForm = field(default_factory=CsvForm)
    report: ReportForm = field(default_factory=ReportForm)
    min_duration_ms: int = 600000
    offline_min_samples: int = 24576
    offline_min_queries: int = 1
    unexpected_counts: bool = False
    open_forgives: tuple[str, ...] = ()
    open_free: tuple[str, ...] = ()
    severity: Mapping[str, Level] = field(default_factory=dict)

    def benchmark_name(self, directory: str, known: Mapping[str, object], mapping: Mapping[str, object]) -> str:
        """The benchmark that a model directory stands for; the name itself when nothing fits.

        Args:
            directory: name of the directory.
            known: the round's benchmarks by name.
            mapping: the submitter's own mapping (open division).
        """
        if directory in known:
            return directory
        if found := self.model_mapping.get(directory):
            return found
        if (own := mapping.get(directory)) and isinstance(own, str):
            return own
        guessed = next(
            (guess.model for guess in self.model_guesses if any(part in directory for part in guess.contains)),
            directory,
        )
        return self.model_mapping.get(guessed, guessed)

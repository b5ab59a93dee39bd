"""What checking a tree gives: findings, results with two verdicts, and the rows the official tool would write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.rules.model import Round
from assay.rules.submission import Level
from assay.submission.issue import Issue


class Part(StrEnum):
    """Which part of a result an issue is about; each part is judged as a whole."""

    TREE = "tree"
    SUBMITTER = "submitter"
    SYSTEM = "system"
    MODEL = "model"
    ENTRY = "entry"
    MEASUREMENTS = "measurements"
    ACCURACY = "accuracy"
    PERFORMANCE = "performance"
    POWER = "power"
    COMPLIANCE = "compliance"


@dataclass(frozen=True, slots=True)
class Seen:
    """An issue and the part that it belongs to."""

    part: Part
    issue: Issue


@dataclass(slots=True)
class EntryOutcome:
    """What was read and seen of one scenario directory.

    Attributes:
        directory: name of the scenario directory as it is spelt.
        scenario: the scenario that it stands for, whether or not it is one.
        value: the figure of the result in its official unit; None when the logs give none.
        value_text: the figure as the official tool prints it.
        inferred: the figure is computed from another scenario's run.
        accuracy: the figure of ``accuracy.txt``, as text.
        accuracies: metric to figure, as text.
        performance_there: ``performance/run_1`` is there.
        has_power: power was measured.
        power: figure of the power metric, None when there is none.
        power_efficiency: samples per joule (v3.1 on), None when there is none.
        watts: average power while LoadGen ran, None when there is none.
        compliance_passed: the tool lets the compliance folder pass; None when it does not look.
        facts: figures of the log that other rooms keep: LoadGen version, seeds, measured scenario, latencies.
        hashes: path within the entry to SHA-256, of the files that the figures come from; empty unless asked for.
    """

    directory: str
    scenario: str
    value: float | int | None = None
    value_text: str = "None"
    inferred: bool = False
    accuracy: str | None = None
    accuracies: dict[str, str] = field(default_factory=dict)
    performance_there: bool = False
    has_power: bool = False
    power: float | None = None
    power_efficiency: float | None = None
    watts: float | None = None
    compliance_passed: bool | None = None
    seen: list[Seen] = field(default_factory=list)
    facts: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ModelOutcome:
    """A model directory: the benchmark it stands for, and its scenario directories in the order of the disk."""

    directory: str
    benchmark: str
    entries: list[EntryOutcome] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    known: bool = True


@dataclass(slots=True)
class SystemOutcome:
    """A system directory of results.

    Attributes:
        description: the fields of ``systems/<system>.json``; empty when it cannot be read.
        judged: False when the system itself is refused by the tool before its models are looked at.
        files: files read or listed below.
        bytes: bytes of the logs that were read.
        folder_seen: what the folder checks saw below; they are the submitter's.
    """

    system: str
    description: dict[str, object] = field(default_factory=dict)
    models: list[ModelOutcome] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    folder_seen: list[Seen] = field(default_factory=list)
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """An issue with its meaning and its two levels.

    Attributes:
        result: path of the result that it is about, or of the folder whose results it is about; empty for the tree.
    """

    code: str
    title: str
    path: str
    official: Level
    strict: Level
    part: Part
    result: str
    detail: str = ""
    field: str = ""
    found: str = ""
    expected: str = ""
    line: int | None = None
    source: str = ""
    fix: str = ""

    @property
    def place(self) -> str:
        """``path:line`` where there is a line."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class ResultReport:
    """One scenario directory with its two verdicts.

    Attributes:
        path: of the directory, relative to the root.
        official: the round's tool accepts the result and writes a row.
        strict: the written rules accept it.
        power: the official power figure: watts, or energy per query, as ``power_unit`` says.
        watts: average power while LoadGen ran.
        compliance: the round's tool lets the compliance folder pass; None when it does not look.
        accuracies: metric to figure, as text.
        facts: figures of the log, see :class:`EntryOutcome`.
        description: the fields of the system description.
    """

    path: str
    division: str
    submitter: str
    system: str
    system_name: str
    model: str
    benchmark: str
    scenario: str
    official: bool
    strict: bool
    value: float | int | None = None
    unit: str = ""
    accuracy: str | None = None
    power: float | None = None
    power_unit: str = ""
    power_efficiency: float | None = None
    watts: float | None = None
    has_power: bool = False
    inferred: bool = False
    compliance: bool | None = None
    findings: tuple[Finding, ...] = ()
    accuracies: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule set says of the tree as a whole.

    Attributes:
        accepted: results that are taken.
        refused: places without a result; each alone refuses the submission.
        ok: nothing is refused.
    """

    accepted: int
    refused: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing is refused."""
        return not self.refused


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that checking a tree gave.

    Attributes:
        round: name of the round whose rules were applied.
        rules: that round.
        tool: the official tool whose verdict ``official`` is.
        root: root of the tree, as it was given.
        results: every scenario directory that could be a result.
        findings: everything that was seen, in the order of the tree.
        rows: lines of the official ``summary.csv`` after its heading, without line ends.
        header: that heading.
    """

    round: str
    rules: Round = field(repr=False)
    tool: str
    root: str
    results: tuple[ResultReport, ...]
    findings: tuple[Finding, ...]
    official: Outcome
    strict: Outcome
    header: str
    rows: tuple[str, ...]
    systems: int = 0
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    reused: int = 0

"""What building a tree is given and what it gives: wishes, runs that are taken, what is missing, a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.loadgen.record import RunRecord
from assay.rules.model import Benchmark, Category, Division, Scenario


@dataclass(frozen=True, slots=True)
class Wish:
    """What a tree is wanted.

    Attributes:
        system: id of the system, the name of its folders and file.
        description: official fields of the system.
        described_in: the file that they were read from, where it is not one that is kept under the id.
        categories: one, or both.
        runs: ids of runs to take; the best of the home when empty.
        benchmarks: names of benchmarks to take; all that have runs when empty.
        implementation: name of the implementation; the engine's when None.
        fields: fields of the implementation's file that no record tells, by name or ``benchmark.name``.
        calibration: text on how the models were calibrated, for what no record tells.
        infer: scenarios that follow from others are filled in where the round allows.
        power_settings: text on how the machine's power was set, for results with power.
        rehearsal: labelled runs are taken, and everything says so.
    """

    submitter: str
    division: Division
    categories: tuple[Category, ...]
    system: str
    description: Mapping[str, object]
    runs: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    implementation: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    calibration: str | None = None
    infer: bool = True
    rehearsal: bool = False
    described_in: str = ""
    power_settings: str | None = None

    @property
    def top(self) -> str:
        """The submitter's folder."""
        return f"{self.division.value}/{self.submitter}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A run and its folder."""

    record: RunRecord
    folder: Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario directory to be.

    Attributes:
        scenario: what the directory is named after.
        inferred_from: the scenario that was run, where the figure follows from it.
        compliance: test to the folder with its official form.
        labels: why the runs may not be submitted; empty for those that may.
    """

    benchmark: Benchmark
    scenario: Scenario
    performance: Taken
    accuracy: Taken | None = None
    inferred_from: Scenario | None = None
    compliance: Mapping[str, Path] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Benchmark and scenario."""
        return f"{self.benchmark.name} {self.scenario.value}"

    @property
    def runs(self) -> tuple[Taken, ...]:
        """The runs that it is made of."""
        return (self.performance,) if self.accuracy is None else (self.performance, self.accuracy)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a tree needs and nobody has given.

    Attributes:
        where: benchmark and scenario, or the system.
        what: one phrase.
        how: the command or option that gives it.
        spared: a rehearsal goes without it.
    """

    where: str
    what: str
    how: str
    spared: bool = False

    def to_dict(self) -> dict[str, str | bool]:
        """As one JSON object."""
        return {"where": self.where, "what": self.what, "how": self.how, "rehearsal_goes_without": self.spared}


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of the tree: its bytes, or the file that is copied."""

    path: str
    data: bytes | None = None
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was built, or would be, or why not.

    Attributes:
        out: the tree.
        missing: what keeps it from being built.
        notes: what a reader should know: runs that were left out, what a rehearsal goes without.
        findings: what the strict check says against a rehearsal, code to how many places.
        files: path within the tree to SHA-256; empty where nothing was built.
        listing: the list of the hashes, beside the tree.
        archive: the packed tree and its SHA-256.
    """

    out: Path
    round: str
    wish: Wish
    entries: tuple[Entry, ...]
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    findings: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pieces: int = 0
    listing: Path | None = None
    archive: tuple[Path, str] | None = None
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Nothing keeps it from being built."""
        return not self.missing

    @property
    def built(self) -> bool:
        """The tree is there."""
        return self.ok and not self.dry_run

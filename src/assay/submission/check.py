"""Checking a tree: walk, judge each system in parallel, keep both books, report.

A system (its results, measurements and compliance) is the unit of work and of the cache: whoever changes one file has
one system judged again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.errors import InvalidInputError, unknown
from assay.rules.load import load_round
from assay.rules.model import Round
from assay.rules.submission import Level, SubmissionRules
from assay.submission.cache import decode
from assay.submission.checks.context import read_json, shown
from assay.submission.checks.tree import folder_issues
from assay.submission.issue import Issue
from assay.submission.levels import LevelTable
from assay.submission.model import (
    CheckReport,
    EntryOutcome,
    Finding,
    ModelOutcome,
    Outcome,
    Part,
    ResultReport,
    Seen,
    SystemOutcome,
)
from assay.submission.official import OfficialJudge, header, scenarios
from assay.submission.read import Options, SystemTask
from assay.submission.tree import Folder, TreeReader
from assay.submission.work import Done, Job, Runner, Work

_SPLIT = ("results", "measurements", "compliance")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a tree is checked.

    Attributes:
        submitters: names of submitters; all when empty.
        divisions: names of divisions; all of the round when empty.
        only: patterns of result paths (``*/bert-99/*``); all when empty. The others are judged and not shown.
        mapping_file: name of an open submitter's model mapping.
    """

    submitters: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    mapping_file: str = "model_mapping.json"


def check(
    path: Path | str,
    round: str | Round,  # noqa: A002 - the field's word
    *,
    selection: Selection | None = None,
    options: Options | None = None,
    jobs: int | None = None,
    cache: Path | None = None,
    progress: Progress = SILENT,
    listener: Callable[[Finding], None] | None = None,
) -> CheckReport:
    """Check a submission tree by the rules of a round.

    Args:
        path: root of the tree, with ``closed/``, ``open/`` or ``network/`` in it.
        round: name of the round, or a round.
        selection: which part of the tree; all of it when None.
        options: what is looked at.
        jobs: processes; as many as there are processors when None.
        cache: folder for outcomes of unchanged systems; nothing is kept when None.
        listener: called with each finding as soon as its system is judged.

    Raises:
        NotFoundError: when the tree, the round or a submitter that is asked for is not there.
        InvalidInputError: when it is no folder, or holds no division at all.
    """
    started = time.monotonic()
    round_ = load_round(round) if isinstance(round, str) else round
    if round_.submission is None:
        raise InvalidInputError(
            f"the round {round_.name} says nothing of submissions", expected="a round file with a submission section"
        )
    checker = _Checker(
        Path(path),
        round_,
        round_.submission,
        selection or Selection(),
        options or Options(),
        listener or (lambda finding: None),
    )
    with _without_cycles():
        checker.run(jobs, cache, progress)
        return checker.report(str(path), time.monotonic() - started)


@contextlib.contextmanager
def _without_cycles() -> Iterator[None]:
    """No search for cycles among objects meanwhile: a check makes a million that have none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True)
class _Submitter:
    """A submitter while it is being judged."""

    division: str
    name: str
    seen: list[Seen] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    outcomes: dict[str, SystemOutcome] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.division}/{self.name}"


class _Checker:
    """One check of one tree."""

    def __init__(
        self,
        root: Path,
        round_: Round,
        rules: SubmissionRules,
        selection: Selection,
        options: Options,
        listener: Callable[[Finding], None],
    ) -> None:
        self._reader = TreeReader(root)
        self._round = round_
        self._rules = rules
        self._selection = selection
        self._options = options
        self._listener = listener
        self._table = LevelTable(round_, options.passed_over(rules))
        self._judge = OfficialJudge(round_, self._table, compliance=options.compliance)
        self._findings: list[Finding] = []
        self._results: list[ResultReport] = []
        self._strict_refused: dict[str, None] = {}
        self._systems = self._files = self._bytes = self._reused = 0

    def run(self, jobs: int | None, cache: Path | None, progress: Progress) -> None:
        top = self._reader.read("", levels=1)
        if top.unreadable:
            raise InvalidInputError(f"the tree cannot be listed: {top.unreadable}", where=self._reader.root)
        divisions = [name for name in top.folders if name in self._rules.divisions]
        if not divisions:
            raise InvalidInputError(
                "no division is in the tree",
                where=self._reader.root,
                expected=" or ".join(f"{name}/" for name in self._rules.divisions),
                found=", ".join(sorted(map(shown, top.folders))[:8]) or "nothing",
            )
        if self._root_issues(top):
            return
        if self._selection.divisions:
            divisions = [name for name in divisions if name in self._selection.divisions]
        self._selection_fits(divisions)
        submitters = [each for name in divisions for each in self._submitters(name)]
        self._judge_all(submitters, jobs, cache, progress)

    def _selection_fits(self, divisions: list[str]) -> None:
        """A misspelt submitter is told: nothing refused because nothing was looked at is no good news."""
        if not self._selection.submitters:
            return
        tops = [self._reader.read(name, levels=1) for name in divisions]
        there = {name for top in tops for name in (*top.folders, *top.outside)}
        for name in self._selection.submitters:
            if name not in there:
                raise unknown("submitter", name, map(shown, there))

    def _root_issues(self, top: Folder) -> bool:
        """Whether the official tool would stop at the root."""
        seen = [
            Seen(Part.TREE, Issue("division-unknown", name))
            for name in top.folders
            if name not in (*self._rules.divisions, *self._rules.ignored_root)
        ]
        suffixes = self._rules.files.root_suffixes
        if suffixes is not None:
            seen += [
                Seen(Part.TREE, Issue("root-file-extra", name, expected=" or ".join(f"*{each}" for each in suffixes)))
                for name in (*top.files, *top.special)
                if not name.endswith(suffixes)
            ]
        found = self._say(seen, "", closed=True)
        if any(each.strict in (Level.REJECT, Level.FLAG) for each in found):
            self._refuse_strict("root")
        if any(each.official is Level.REJECT for each in found):
            self._judge.refuse("root")
            return True
        return False

    def _submitters(self, division: str) -> Iterator[_Submitter]:
        wanted = self._selection.submitters
        top = self._reader.read(division, levels=1)
        if self._rules.files.root_suffixes is not None and (top.files or top.special):
            seen = [
                Seen(Part.TREE, Issue("division-file-extra", f"{division}/{name}"))
                for name in (*top.files, *top.special)
            ]
            if any(each.official is Level.REJECT for each in self._say(seen, division, closed=division != "open")):
                self._judge.refuse(division)
                self._refuse_strict(division)
                return
        for name in top.folders:
            if not wanted or name in wanted:
                yield _Submitter(division, name)
        for name in top.outside:
            path = f"{division}/{name}"
            if (not wanted or name in wanted) and os.path.isdir(os.path.join(self._reader.root, path)):
                self._not_looked_at(path, Issue("link-outside", path, found=shown(top.links[name])))

    def _not_looked_at(self, path: str, issue: Issue) -> None:
        """Refuse what the official tool would go into, or break off at, and what is not read here."""
        self._say([Seen(Part.SUBMITTER, issue)], path, closed=not path.startswith("open/"))
        self._judge.refuse(path)
        self._refuse_strict(path)

    def _judge_all(
        self, submitters: list[_Submitter], jobs: int | None, cache: Path | None, progress: Progress
    ) -> None:
        """List the systems, hand them out, and keep the books in the order of the tree."""
        pending: list[Job] = []
        walked: list[_Submitter] = []
        for submitter in submitters:
            results = self._reader.read(f"{submitter.path}/results", levels=1)
            if results.unreadable and results.is_empty():
                path = f"{submitter.path}/results"
                if os.path.exists(os.path.join(self._reader.root, path)):
                    self._not_looked_at(path, Issue("folder-unreadable", path, detail=results.unreadable))
                continue
            submitter.systems = list(results.folders)
            walked.append(submitter)
            pending.extend(self._jobs(submitter))
        work = Work(self._reader.root, self._round, self._options)
        waiting = {(each.division, each.name): each for each in walked}
        left = {key: len(each.systems) + 1 for key, each in waiting.items()}
        order = list(waiting)
        with Runner(work, len(pending), jobs, cache) as runner:
            step = progress.start("check", total=len(pending), unit="systems")
            try:
                for done in runner.run(pending):
                    self._take(waiting[done.division, done.submitter], done)
                    left[done.division, done.submitter] -= 1
                    step.advance()
                    while order and left[order[0]] == 0:
                        self._keep(waiting[order.pop(0)])
            finally:
                step.finish()

    def _take(self, submitter: _Submitter, done: Done) -> None:
        """Take in what a job gave."""
        submitter.seen += done.seen
        self._files += done.files
        self._reused += done.reused
        outcome = done.outcome if done.encoded is None else decode(done.encoded)
        if outcome is not None:
            submitter.outcomes[done.system] = outcome
            self._files += outcome.files
            self._bytes += outcome.bytes

    def _jobs(self, submitter: _Submitter) -> Iterator[Job]:
        """The rest of a submitter's folder, then its systems."""
        path = submitter.path
        code = self._reader.read(f"{path}/code", levels=2) if submitter.systems else Folder()
        measurements = self._reader.read(f"{path}/measurements", levels=1)
        mapping, seen = self._mapping(path, submitter.division)
        submitter.seen += seen
        yield Job(submitter.division, submitter.name, "", None, tuple(submitter.systems))
        for system in submitter.systems:
            task = SystemTask(submitter.division, submitter.name, system, code, tuple(measurements.files), mapping)
            yield Job(submitter.division, submitter.name, system, task)

    def _mapping(self, path: str, division: str) -> tuple[Mapping[str, str], list[Seen]]:
        if division != "open" or not self._rules.files.open_mapping:
            return {}, []
        place = f"{path}/{self._selection.mapping_file}"
        if self._selection.mapping_file not in self._reader.read(path, levels=1).files:
            return {}, []
        found, problem = read_json(f"{self._reader.root}/{place}")
        if found is None:
            return {}, [Seen(Part.SUBMITTER, Issue("mapping-unreadable", place, detail=problem))]
        return {name: each for name, each in found.items() if isinstance(each, str)}, []

    def _keep(self, submitter: _Submitter) -> None:
        """Keep both books of a submitter."""
        closed = submitter.division != "open"
        seen = [*submitter.seen]
        for name in submitter.systems:
            seen += submitter.outcomes[name].folder_seen
        found = self._say(seen, submitter.path, closed=closed)
        official_refused = any(each.official is Level.REJECT for each in found)
        strict_refused = any(each.strict is Level.REJECT for each in found)
        if official_refused:
            self._judge.refuse(submitter.path)
        if strict_refused:
            self._refuse_strict(submitter.path)
        for name in submitter.systems:
            outcome = submitter.outcomes[name]
            self._systems += 1
            taken_before = len(self._judge.book.taken)
            if not official_refused:
                self._judge.system(submitter.division, submitter.name, outcome)
            taken = set(self._judge.book.taken[taken_before:])
            _SystemReport(self, submitter, outcome, taken, refused=strict_refused).write()

    def _say(self, seen: Iterable[Seen], result: str, *, closed: bool) -> list[Finding]:
        """Turn issues into findings and tell whoever listens."""
        found = [finding for each in seen if (finding := self._finding(each, result, closed=closed)) is not None]
        self._findings += found
        for finding in found:
            self._listener(finding)
        return found

    def _finding(self, seen: Seen, result: str, *, closed: bool) -> Finding | None:
        issue, kind = seen.issue, self._table.kind(seen.issue.code)
        official = self._table.official(issue.code, closed=closed)
        strict = self._table.strict(issue.code, closed=closed)
        if official is Level.IGNORE and strict is Level.IGNORE:
            return None
        return Finding(
            code=issue.code,
            title=kind.title,
            path=issue.path,
            official=official,
            strict=strict,
            part=seen.part,
            result=result,
            detail=issue.detail,
            field=issue.field,
            found=issue.found,
            expected=issue.expected,
            line=issue.line,
            source=kind.source,
            fix=kind.fix,
        )

    def _refuse_strict(self, path: str) -> None:
        self._strict_refused[path] = None

    def report(self, root: str, seconds: float) -> CheckReport:
        book = self._judge.book
        shown_results, findings = self._results, self._findings
        if self._selection.only:
            shown_results = [
                each for each in self._results if any(fnmatch.fnmatch(each.path, text) for text in self._selection.only)
            ]
            # With a result go the findings of its model, system, submitter and tree.
            above = {part for each in shown_results for part in _with_above(each.path)}
            findings = [each for each in self._findings if each.result in above]
        return CheckReport(
            round=self._round.name,
            rules=self._round,
            tool=self._rules.tool,
            root=root,
            results=tuple(shown_results),
            findings=tuple(findings),
            official=Outcome(len(book.taken), tuple(book.refused)),
            strict=Outcome(sum(each.strict for each in self._results), tuple(self._strict_refused)),
            header=header(self._rules),
            rows=tuple(book.rows),
            systems=self._systems,
            files=self._files,
            bytes=self._bytes,
            seconds=seconds,
            reused=self._reused,
        )


def _with_above(path: str) -> Iterator[str]:
    """A path and every folder that it lies in, the root last."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


class _SystemReport:
    """Findings and results of one system under both rule sets."""

    def __init__(
        self, checker: _Checker, submitter: _Submitter, outcome: SystemOutcome, taken: set[str], *, refused: bool
    ) -> None:
        self._checker = checker
        self._submitter = submitter
        self._outcome = outcome
        self._taken = taken
        self._refused = refused
        self._closed = submitter.division != "open"
        self._path = f"{submitter.path}/results/{outcome.system}"

    def write(self) -> None:
        checker = self._checker
        found = checker._say(self._outcome.seen, self._path, closed=self._closed)
        if any(each.strict is Level.REJECT for each in found):
            checker._refuse_strict(self._path)
            self._refused = True
        for model in self._outcome.models:
            self._model(model)

    def _model(self, model: ModelOutcome) -> None:
        path = f"{self._path}/{model.directory}"
        found = self._checker._say(model.seen, path, closed=self._closed)
        if any(each.strict is Level.REJECT for each in found):
            self._checker._refuse_strict(path)
        if not model.known:
            return
        accepted = {entry.scenario for entry in model.entries if self._entry(model, entry)}
        required, _ = scenarios(self._checker._round, model.benchmark, self._outcome.description.get("system_type"))
        self._missing(model, path, required, accepted)

    def _entry(self, model: ModelOutcome, entry: EntryOutcome) -> bool:
        """Report an entry; whether its performance is valid under the strict rules."""
        checker, fields = self._checker, self._outcome.description
        path = f"{self._path}/{model.directory}/{entry.directory}"
        found = checker._say(entry.seen, path, closed=self._closed)
        strict = not self._refused and not any(each.strict is Level.REJECT for each in found)
        if not strict:
            checker._refuse_strict(path)
        energy = checker._rules.power.energy_unit
        checker._results.append(
            ResultReport(
                path=path,
                division=self._submitter.division,
                submitter=self._submitter.name,
                system=self._outcome.system,
                system_name=str(fields.get("system_name", "")),
                model=model.directory,
                benchmark=model.benchmark,
                scenario=entry.scenario,
                official=path in self._taken,
                strict=strict,
                value=entry.value if isinstance(entry.value, int | float) else None,
                unit=_unit(checker._round, model.benchmark, entry),
                accuracy=entry.accuracy,
                power=entry.power,
                power_unit=energy if "Stream" in entry.scenario else "Watts",
                power_efficiency=entry.power_efficiency,
                watts=entry.watts,
                has_power=entry.has_power,
                inferred=entry.inferred,
                compliance=entry.compliance_passed,
                findings=tuple(found),
                accuracies=entry.accuracies,
                facts=entry.facts,
                hashes=entry.hashes,
                description=fields,
            )
        )
        return not any(
            each.strict is Level.REJECT and each.part in (Part.PERFORMANCE, Part.POWER, Part.ENTRY) for each in found
        )

    def _missing(self, model: ModelOutcome, path: str, required: set[str], accepted: set[str]) -> None:
        """Required scenarios that are not there, under each rule set's own idea of there."""
        checker = self._checker
        valid = {
            entry.scenario
            for entry in model.entries
            if not checker._judge.parts(entry, self._submitter.division) & {Part.PERFORMANCE, Part.POWER, Part.ENTRY}
        }
        for scenario in sorted(required - accepted):
            level = checker._table.official("scenario-missing", closed=self._closed)
            finding = checker._finding(
                Seen(Part.MODEL, Issue("scenario-missing", path, found=f"no valid {scenario}", expected=scenario)),
                path,
                closed=self._closed,
            )
            if finding is None:
                continue
            if scenario in valid or not self._closed:
                level = Level.IGNORE if scenario in valid else Level.NOTE
            finding = dataclasses.replace(finding, official=level)
            checker._findings.append(finding)
            checker._listener(finding)
            if finding.strict in (Level.FLAG, Level.REJECT):
                checker._refuse_strict(path)


def _unit(round_: Round, benchmark: str, entry: EntryOutcome) -> str:
    """Unit of an entry's figure: what it counts, where that is not what the scenario's figures count."""
    scenario = next((each for each in round_.scenarios if each.value == entry.scenario), None)
    if scenario is None:
        return ""
    own = None if entry.inferred else round_.benchmarks[benchmark].figures.get(scenario)
    return round_.scenarios[scenario].unit if own is None else own.unit


def rest_issues(
    reader: TreeReader, division: str, submitter: str, systems: tuple[str, ...], rules: SubmissionRules
) -> tuple[list[Seen], int]:
    """What the folder checks see of a submitter outside of its systems, and how many files that is."""
    path = f"{division}/{submitter}"
    top = reader.read(path, descend=lambda name: name not in _SPLIT)
    taken = frozenset(systems)
    for kind in _SPLIT:
        if kind in top.folders:
            top.folders[kind] = reader.read(f"{path}/{kind}", descend=lambda name: name not in taken)
            for name in taken & set(top.folders[kind].folders):
                # Judged with the system; not empty, or the system's own check says so.
                top.folders[kind].folders[name].unreadable = "judged elsewhere"
    seen = [
        Seen(Part.SUBMITTER, issue)
        for issue in folder_issues(top, path, reader.root, rules.files)
        if issue.detail != "judged elsewhere"
    ]
    return seen, sum(len(folder.files) for _, folder in top.walk(path))

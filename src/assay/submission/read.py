"""One system of a tree, read and judged: the unit that is done in parallel and kept in the cache."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.base.files import open_regular
from assay.loadgen.names import DETAIL
from assay.loadgen.scan import LogReader
from assay.rules.model import Category, Round, Scenario
from assay.rules.submission import SubmissionRules
from assay.submission.checks.accuracy import judge_accuracy
from assay.submission.checks.compliance import judge_compliance
from assay.submission.checks.context import EntryContext, Levels, read_json
from assay.submission.checks.files import file_list
from assay.submission.checks.measurements import check_measurements
from assay.submission.checks.run import JudgedRun, judge_run
from assay.submission.checks.system import check_system, is_network
from assay.submission.checks.tree import folder_issues
from assay.submission.issue import Issue
from assay.submission.levels import LevelTable
from assay.submission.model import EntryOutcome, ModelOutcome, Part, Seen, SystemOutcome
from assay.submission.power.codes import WG_CODES
from assay.submission.tree import Folder, TreeReader

if TYPE_CHECKING:
    from assay.submission.power.memory import PowerMemory

_LOWER_CASE = {scenario.value.lower(): scenario.value for scenario in Scenario}
_FACTS = (
    "loadgen_version",
    "effective_scenario",
    "effective_test_mode",
    "effective_qsl_rng_seed",
    "effective_sample_index_rng_seed",
    "effective_schedule_rng_seed",
    "effective_target_latency_ns",
    "effective_performance_sample_count",
    "sut_name",
)
_MORE_FACTS = (
    "effective_min_duration_ms",
    "effective_target_qps",
    "result_query_count",
    "result_samples_per_second",
    "result_completed_samples_per_sec",
    "result_mean_latency_ns",
    "result_min_latency_ns",
    "result_max_latency_ns",
    "result_50.00_percentile_latency_ns",
    "result_90.00_percentile_latency_ns",
    "result_95.00_percentile_latency_ns",
    "result_97.00_percentile_latency_ns",
    "result_99.00_percentile_latency_ns",
    "result_99.90_percentile_latency_ns",
    "test_datetime",
)
_HASHED = (f"performance/run_1/{DETAIL}", "performance/run_1/spl.txt", "accuracy/accuracy.txt")


@dataclass(frozen=True, slots=True)
class SystemTask:
    """A system to judge.

    Attributes:
        code: the submitter's ``code/``, its first two levels.
        mapping: the submitter's own model mapping.
        only: patterns of result paths that are judged; all when empty.
    """

    division: str
    submitter: str
    system: str
    code: Folder = field(default_factory=Folder)
    measurements_top: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def submitter_path(self) -> str:
        """Path of the submitter's folder."""
        return f"{self.division}/{self.submitter}"


@dataclass(frozen=True, slots=True)
class Options:
    """What is looked at.

    Attributes:
        compliance: compliance folders are judged.
        power_checks: the official verdict holds the power working group's checks (None: as the round's tool does).
        power: power logs are judged by the written rules.
        ignored: codes that the official verdict passes over.
        forgive_uncommitted: LoadGen's error on uncommitted changes is forgiven.
        provenance: what an importer keeps is taken in, too: further figures, hashes of the files they come from.
    """

    compliance: bool = True
    power_checks: bool | None = None
    power: bool = True
    ignored: frozenset[str] = frozenset()
    forgive_uncommitted: bool = False
    provenance: bool = False

    def passed_over(self, rules: SubmissionRules) -> frozenset[str]:
        """All codes that the official verdict of a round passes over."""
        held = rules.power.checker_default if self.power_checks is None else self.power_checks
        return self.ignored if held else self.ignored | WG_CODES


class SystemFolders:
    """The three folders of a system, read from the disk."""

    def __init__(self, reader: TreeReader, task: SystemTask) -> None:
        base = task.submitter_path
        self.results = reader.read(f"{base}/results/{task.system}")
        self.measurements = self._maybe(reader, f"{base}/measurements/{task.system}")
        self.compliance = self._maybe(reader, f"{base}/compliance/{task.system}")

    @staticmethod
    def _maybe(reader: TreeReader, path: str) -> Folder | None:
        folder = reader.read(path)
        return None if folder.unreadable and folder.is_empty() else folder

    def each(self) -> Iterator[tuple[str, Folder]]:
        """The folders that are there, with the name of their kind."""
        for kind in ("results", "measurements", "compliance"):
            folder = getattr(self, kind)
            if folder is not None:
                yield kind, folder


def judge_system(
    root: str, round_: Round, table: LevelTable, task: SystemTask, folders: SystemFolders, options: Options
) -> SystemOutcome:
    """Judge all results of a system.

    Nothing in the tree makes this raise; what cannot be read becomes an issue.
    """
    rules = round_.submission
    assert rules is not None
    outcome = SystemOutcome(task.system)
    for kind, folder in folders.each():
        path = f"{task.submitter_path}/{kind}/{task.system}"
        outcome.folder_seen += [Seen(Part.SUBMITTER, issue) for issue in folder_issues(folder, path, root, rules.files)]
        outcome.files += sum(len(each.files) for _, each in folder.walk(path))
    description = _description(root, task, rules, outcome)
    if description is None:
        return outcome
    outcome.description = dict(description)
    judge = _SystemJudge(root, round_, rules, table, task, folders, options, description)
    outcome.models = [judge.model(name) for name in folders.results.folders]
    outcome.bytes = sum(
        identity[0] for _, folder in folders.each() for _, each in folder.walk("") for identity in each.files.values()
    )
    return outcome


def _description(
    root: str, task: SystemTask, rules: SubmissionRules, outcome: SystemOutcome
) -> Mapping[str, Any] | None:
    path = f"{task.submitter_path}/systems/{task.system}.json"
    full = f"{root}/{path}"
    systems = TreeReader(Path(root)).read(f"{task.submitter_path}/systems", levels=1)
    if not systems.exists(f"{task.system}.json"):
        outcome.seen.append(Seen(Part.SYSTEM, Issue("system-missing", path)))
        return None
    description, problem = read_json(full)
    if description is None:
        outcome.seen.append(Seen(Part.SYSTEM, Issue("system-unreadable", path, detail=problem)))
        return None
    issues = check_system(
        description, path, task.division, task.submitter, rules.system, networks="network" in rules.divisions
    )
    outcome.seen += [Seen(Part.SYSTEM, issue) for issue in issues]
    return description


class _SystemJudge:
    """Judges the entries of one system."""

    def __init__(
        self,
        root: str,
        round_: Round,
        rules: SubmissionRules,
        table: LevelTable,
        task: SystemTask,
        folders: SystemFolders,
        options: Options,
        description: Mapping[str, Any],
    ) -> None:
        self._root = root
        self._round = round_
        self._rules = rules
        self._table = table
        self._task = task
        self._folders = folders
        self._options = options
        kind = description.get("system_type")
        self._categories = _categories(kind if isinstance(kind, str) else "")
        self._network = is_network(description, rules.system)
        self._closed = task.division != "open"
        self._logs = LogReader()
        self._measured: PowerMemory | None = None

    def _memory(self) -> PowerMemory:
        # Not before it is needed: it brings numpy.
        from assay.rules.power import load_power
        from assay.submission.power.memory import PowerMemory

        if self._measured is None:
            self._measured = PowerMemory(self._root, load_power(self._round.name))
        return self._measured

    def model(self, name: str) -> ModelOutcome:
        rules, round_ = self._rules, self._round
        benchmark_name = rules.benchmark_name(name, round_.benchmarks, self._task.mapping)
        outcome = ModelOutcome(name, benchmark_name)
        path = f"{self._task.submitter_path}/results/{self._task.system}/{name}"
        benchmark = round_.benchmarks.get(benchmark_name)
        if benchmark is None or not any(benchmark.scenarios(category) for category in self._categories):
            code = "model-unknown" if benchmark is None and self._closed else "model-category"
            expected = ", ".join(self._available())
            outcome.seen.append(Seen(Part.MODEL, Issue(code, path, found=benchmark_name, expected=expected)))
            outcome.known = False
            return outcome
        results = self._folders.results.folders[name]
        allowed = {scenario.value for category in self._categories for scenario in benchmark.scenarios(category)}
        for directory in results.folders:
            scenario = _LOWER_CASE.get(directory, directory)
            if scenario not in (allowed if self._closed else _LOWER_CASE.values()):
                outcome.entries.append(EntryOutcome(directory, scenario))
                issue = Issue("scenario-unexpected", f"{path}/{directory}", expected=", ".join(sorted(allowed)))
                outcome.entries[-1].seen.append(Seen(Part.ENTRY, issue))
                continue
            context = self._context(name, benchmark_name, directory)
            judge = _EntryJudge(context, self._table, self._folders, self._task, self._options, self._memory)
            outcome.entries.append(judge.judge())
        return outcome

    def _available(self) -> list[str]:
        return [
            name
            for name, benchmark in self._round.benchmarks.items()
            if any(benchmark.scenarios(category) for category in self._categories)
        ]

    def _context(self, model: str, benchmark: str, directory: str) -> EntryContext:
        task, closed = self._task, self._closed
        return EntryContext(
            root=self._root,
            round=self._round,
            rules=self._rules,
            benchmark=self._round.benchmarks[benchmark],
            division=task.division,
            submitter=task.submitter,
            system=task.system,
            model=model,
            directory=directory,
            scenario=_LOWER_CASE.get(directory, directory),
            network=self._network,
            edge=Category.EDGE in self._categories,
            logs=self._logs,
            levels=Levels(lambda code: self._table.refuses(code, closed=closed)),
        )


def _categories(system_type: str) -> tuple[Category, ...]:
    return tuple(category for category in Category if category.value in system_type.split(","))


class _EntryJudge:
    """Judges one scenario directory, part by part."""

    def __init__(
        self,
        context: EntryContext,
        table: LevelTable,
        folders: SystemFolders,
        task: SystemTask,
        options: Options,
        memory: Callable[[], PowerMemory],
    ) -> None:
        self._context = context
        self._table = table
        self._folders = folders
        self._task = task
        self._options = options
        self._memory = memory
        self._outcome = EntryOutcome(context.directory, context.scenario)
        self._folder = folders.results.folders[context.model].folders[context.directory]

    def judge(self) -> EntryOutcome:
        outcome = self._outcome
        performance = self._folder.at("performance") or Folder()
        outcome.has_power = performance.exists("power")
        self._measurements()
        run = self._performance(performance)
        sut_name = run.log.get("sut_name") if run.log is not None else None
        accuracy = judge_accuracy(self._context, self._folder.at("accuracy"), run.measured, sut_name)
        outcome.accuracy, outcome.accuracies = accuracy.figure, accuracy.figures
        self._see(Part.ACCURACY, accuracy.issues)
        if outcome.has_power:
            self._power(performance, run)
        if self._context.closed and self._options.compliance:
            self._compliance(run)
        if self._options.provenance:
            outcome.hashes = dict(self._hashes())
        return outcome

    def _hashes(self) -> Iterator[tuple[str, str]]:
        for place in _HASHED:
            folder, _, name = place.rpartition("/")
            where = self._folder.at(*folder.split("/"))
            if where is not None and name in where.files:
                with (
                    contextlib.suppress(OSError),
                    open_regular(self._context.full(f"{self._context.result_path}/{place}")) as raw,
                ):
                    yield place, hashlib.file_digest(raw, "sha256").hexdigest()

    def _see(self, part: Part, issues: list[Issue]) -> None:
        self._outcome.seen += [Seen(part, issue) for issue in issues]

    def _measurements(self) -> None:
        context, top = self._context, self._folders.measurements
        path = f"{context.submitter_path}/measurements/{context.system}/{context.model}/{context.directory}"
        folder = top.at(context.model, context.directory) if top is not None else None
        if folder is None or top is None:
            self._see(Part.MEASUREMENTS, [Issue("measurements-missing", path)])
            return
        above = [top.folders[context.model], top, Folder(files=dict.fromkeys(self._task.measurements_top, (1, 0, 0)))]
        types: dict[str, str] = {}
        issues = check_measurements(context, folder, above, self._task.code, self._outcome.has_power, types)
        self._outcome.facts.update(types)
        self._see(Part.MEASUREMENTS, issues)

    def _performance(self, performance: Folder) -> JudgedRun:
        context, outcome = self._context, self._outcome
        path = f"{context.result_path}/performance/run_1"
        folder = performance.at("run_1")
        if folder is None:
            self._see(Part.PERFORMANCE, [Issue("performance-missing", path)])
            return JudgedRun()
        outcome.performance_there = True
        files = context.rules.files
        asked = files.performance + (files.power_run if outcome.has_power else ())
        self._see(
            Part.PERFORMANCE,
            file_list("performance-files", path, folder, asked, files.performance_optional, files),
        )
        run = judge_run(context, folder, path)
        if self._options.forgive_uncommitted:
            run.issues = [issue for issue in run.issues if not _uncommitted(issue)]
        self._see(Part.PERFORMANCE, run.issues)
        outcome.value, outcome.inferred, outcome.value_text = run.value, run.inferred, str(run.value)
        if run.judged and run.value == 0 and not outcome.has_power:
            self._see(Part.PERFORMANCE, [Issue("result-zero", path)])
        if run.log is not None:
            keys = _FACTS + _MORE_FACTS if self._options.provenance else _FACTS
            outcome.facts |= {key: _plain(run.log.get(key)) for key in keys if key in run.log}
        return run

    def _power(self, performance: Folder, run: JudgedRun) -> None:
        # Not before they are needed: they bring numpy.
        from assay.submission.checks.power import judge_power

        found = judge_power(self._context, performance, run, self._memory().watts)
        self._outcome.power, self._outcome.power_efficiency = found.figure, found.efficiency
        self._outcome.watts = found.watts
        self._see(Part.POWER, found.issues)
        if self._options.power or self._options.power_checks:
            place = f"{self._context.result_path}/performance"
            self._see(Part.POWER, self._memory().check(place, performance))

    def _compliance(self, run: JudgedRun) -> None:
        context, top = self._context, self._folders.compliance
        folder = top.at(context.model, context.directory) if top is not None else None
        found = judge_compliance(context, folder, run)
        self._outcome.compliance_passed = found.passed
        self._see(Part.COMPLIANCE, found.issues)


def _uncommitted(issue: Issue) -> bool:
    return issue.code == "run-error" and "Loadgen built with uncommitted changes!" in issue.found


def _plain(value: object) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)[:200]

"""Which runs a tree is made of: for each benchmark and scenario the best that may be submitted, with its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.verdict import audited
from assay.rules.model import Benchmark, Category, Division, Mode, Round, Scenario
from assay.submission.building.model import Entry, Missing, Taken, Wish
from assay.submission.building.power import has_session

# Figures that only say how a run was labelled later, and what pairing finds out itself.
_NOT_OF_THE_RUN = frozenset({Label.NO_ACCURACY})
AUDITED = "made under settings of a compliance test"
_OPEN_TAKES = frozenset({Label.CUSTOM_MODEL})
_SOURCES = {
    Scenario.OFFLINE: (Scenario.MULTI_STREAM, Scenario.SINGLE_STREAM),
    Scenario.MULTI_STREAM: (Scenario.SINGLE_STREAM,),
}


@dataclass(slots=True)
class Chosen:
    """What was chosen, what is missing, and the benchmarks that were left out because nobody asked for them."""

    entries: list[Entry] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    left_out: list[Missing] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """Left out in silence a benchmark would be a surprise."""
        return tuple(f"{each.where} is left out: {each.what}" for each in self.left_out)


def unfit(record: RunRecord, division: Division) -> tuple[str, ...]:
    """Why a run may not be submitted, in words; empty when it may."""
    spared = _NOT_OF_THE_RUN | (_OPEN_TAKES if division is Division.OPEN else frozenset())
    why = [label.value for label in record.labels if label not in spared]
    if audited(record.verdict):
        why.append(AUDITED)
    if record.verdict is None or not record.verdict.valid:
        why.append("INVALID")
    elif not record.verdict.accepted and not why:
        why.append("not accepted by the round")
    return tuple(why)


def choose(taken: Iterable[Taken], round_: Round, wish: Wish) -> Chosen:
    """Choose runs for every benchmark.

    Args:
        taken: all runs of the home, newest first.
    """
    runs = [run for run in taken if run.record.status is RunStatus.FINISHED and run.record.round == round_.name]
    found, wanted = Chosen(), _wanted(runs, round_, wish)
    for benchmark in wanted:
        _Choice(benchmark, [run for run in runs if run.record.benchmark == benchmark.name], wish, found).make()
    if not found.entries and not found.missing:
        found.missing, found.left_out = found.left_out, []
    if not found.entries and not found.missing:
        names = ", ".join(wish.benchmarks) or "any benchmark"
        found.missing.append(
            Missing("runs", f"there are no finished runs of round {round_.name} of {names}", "assay run BENCHMARK")
        )
    return found


def _wanted(runs: Iterable[Taken], round_: Round, wish: Wish) -> list[Benchmark]:
    """Benchmarks that are asked for, or that have performance runs, in the order of the round."""
    asked = {round_.benchmark(name).name for name in wish.benchmarks}
    named = {run.record.benchmark for run in runs if run.record.id in wish.runs}
    there = {
        run.record.benchmark for run in runs if run.record.mode == Mode.PERFORMANCE.value and not run.record.compliance
    }
    names = asked or named or there
    return [
        benchmark
        for name, benchmark in round_.benchmarks.items()
        if name in names and any(benchmark.scenarios(category) for category in wish.categories)
    ]


_Kind = tuple[str, str, str, str, str]


def _kind(record: RunRecord) -> _Kind:
    """What the runs of one implementation have in common."""
    return (
        record.model.sha256 or record.model.name,
        record.dataset.sha256 or record.dataset.name,
        record.backend_name,
        record.precision,
        str(record.host.get("cpu")),
    )


class _Choice:
    """The choice for one benchmark."""

    def __init__(self, benchmark: Benchmark, runs: list[Taken], wish: Wish, found: Chosen) -> None:
        self._benchmark = benchmark
        self._wish = wish
        self._found = found
        self._compliance = [run for run in runs if run.record.compliance]
        ordinary = [run for run in runs if not run.record.compliance]
        self._accuracy = [run for run in ordinary if run.record.mode == Mode.ACCURACY.value]
        self._all = [run for run in ordinary if run.record.mode == Mode.PERFORMANCE.value]
        named = [run for run in self._all if run.record.id in wish.runs]
        self._named = bool(named)
        self._performance = named or self._all
        names_accuracy = [run for run in self._accuracy if run.record.id in wish.runs]
        self._accuracy = names_accuracy + [run for run in self._accuracy if run not in names_accuracy]

    def make(self) -> None:
        pool = self._pool()
        if not pool:
            return
        required, optional = self._scenarios()
        for scenario in (*required, *optional):
            best = self._best(pool, scenario)
            if best is None and scenario in required:
                best = self._followed(pool, scenario)
            if best is not None:
                self._found.entries.append(self._complete(*best))
            elif scenario in required:
                self._absent(scenario)

    def _pool(self) -> list[Taken]:
        """The runs of one implementation, or those that were named; none where nothing may be submitted."""
        fit = [run for run in self._performance if not self._why(run) or self._rehearses(run)]
        refused = [run for run in self._performance if run not in fit]
        if self._named or not fit:
            self._refuse(refused)
            return fit
        kinds = {_kind(run.record) for run in fit}
        best = max(kinds, key=lambda kind: self._worth(kind, fit))
        return [run for run in fit if _kind(run.record) == best]

    def _rehearses(self, run: Taken) -> bool:
        """Whether a tree to try with takes a run that may not be submitted; never one of a test's settings."""
        return self._wish.rehearsal and not audited(run.record.verdict)

    def _worth(self, kind: _Kind, fit: list[Taken]) -> tuple[int, int, int, str]:
        """How much of the benchmark an implementation covers, then how new its runs are."""
        own = [run for run in fit if _kind(run.record) == kind]
        wanted = {each.value for each in self._scenarios()[0]}
        clean = {run.record.scenario for run in own if not self._why(run)}
        scored = {run.record.scenario for run in self._accuracy if _kind(run.record) == kind}
        there = {run.record.scenario for run in own}
        return (len(wanted & clean), len(wanted & there), len(wanted & scored), max(run.record.created for run in own))

    def _refuse(self, runs: list[Taken]) -> None:
        """Say which runs may not be submitted, and why: those that were named one by one, else together."""
        name = self._benchmark.name
        how = f"full runs of its own model and dataset: assay run {name}; a tree to try with: --rehearsal"
        if self._named:
            for run in runs:
                why = f"{run.record.id} may not be submitted: {', '.join(self._why(run))}"
                self._found.missing.append(Missing(name, why, how))
        elif not runs:
            self._found.missing.append(Missing(name, "it has no performance run", f"assay run {name}"))
        else:
            what = f"none of its runs may be submitted: {_reasons(runs, self._why)}"
            asked = bool(self._wish.benchmarks)
            (self._found.missing if asked else self._found.left_out).append(Missing(name, what, how))

    def _why(self, run: Taken) -> tuple[str, ...]:
        return unfit(run.record, self._wish.division)

    def _scenarios(self) -> tuple[tuple[Scenario, ...], tuple[Scenario, ...]]:
        """Required and optional scenarios of all categories asked for."""
        wish, benchmark = self._wish, self._benchmark
        required = [each for category in wish.categories for each in benchmark.required.get(category, ())]
        optional = [each for category in wish.categories for each in benchmark.optional.get(category, ())]
        asked = tuple(dict.fromkeys(required))
        more = tuple(each for each in dict.fromkeys(optional) if each not in asked)
        # The open division asks for no scenario in particular: what is there is taken.
        return (asked, more) if wish.division is not Division.OPEN else ((), (*asked, *more))

    def _best(self, pool: list[Taken], scenario: Scenario) -> tuple[Scenario, Taken, Scenario | None] | None:
        own = [run for run in pool if run.record.scenario == scenario.value and run.record.figures.value is not None]
        return (scenario, max(own, key=self._rank), None) if own else None

    def _rank(self, run: Taken) -> tuple[bool, bool, bool, bool, float, str]:
        figures, verdict = run.record.figures, run.record.verdict
        value = figures.value or 0.0
        return (
            not self._why(run),
            bool(verdict and verdict.accepted),
            bool(verdict and verdict.valid),
            has_session(run),
            -value if figures.lower_is_better else value,
            run.record.created,
        )

    def _followed(self, pool: list[Taken], scenario: Scenario) -> tuple[Scenario, Taken, Scenario | None] | None:
        """A scenario whose figure follows from another's run; the written rules have it on the edge only."""
        if not self._wish.infer or self._wish.categories != (Category.EDGE,):
            return None
        for source in _SOURCES.get(scenario, ()):
            best = self._best(pool, source) if source in self._benchmark.limits else None
            if best is not None:
                return scenario, best[1], source
        return None

    def _absent(self, scenario: Scenario) -> None:
        own = [run for run in self._all if run.record.scenario == scenario.value]
        what = "there is no performance run"
        if own:
            reasons = _reasons(own, self._why)
            what = f"no run of it may be submitted: {reasons}" if reasons else "its runs are of another kind"
        category = next(each for each in self._wish.categories if scenario in self._benchmark.scenarios(each))
        how = f"assay run {self._benchmark.name} --scenario {scenario.value} --category {category.value}"
        how += " --division closed" if self._wish.division is Division.CLOSED else ""
        self._found.missing.append(Missing(f"{self._benchmark.name} {scenario.value}", what, how, spared=True))

    def _complete(self, scenario: Scenario, run: Taken, inferred_from: Scenario | None) -> Entry:
        accuracy = self._accuracy_of(run)
        compliance = self._compliance_of(run) if self._wish.division is not Division.OPEN else {}
        labels = dict.fromkeys(why for each in (run, accuracy) if each is not None for why in self._why(each))
        entry = Entry(self._benchmark, scenario, run, accuracy, inferred_from, compliance, tuple(labels))
        if inferred_from is None:
            self._ask(entry)
        return entry

    def _ask(self, entry: Entry) -> None:
        """Note what a run of the home still lacks."""
        run = entry.performance.record
        if entry.accuracy is None:
            by = "--implementation" if "implementation" in run.backend else "--backend"
            how = f"assay run {run.model.name} --scenario {run.scenario} --mode accuracy {by} {run.backend_name}"
            what = "there is no accuracy run of the same model, data and engine"
            self._found.missing.append(Missing(entry.name, what, how, spared=True))
        elif not self._wish.rehearsal and (why := self._why(entry.accuracy)):
            what = f"its accuracy run {entry.accuracy.record.id} may not be submitted: {', '.join(why)}"
            how = f"assay run {run.model.name} --scenario {run.scenario} --mode accuracy"
            self._found.missing.append(Missing(entry.name, what, how))
        if self._wish.division is not Division.OPEN:
            for test in self._benchmark.compliance:
                if test not in entry.compliance:
                    how = f"assay compliance run {run.model.name} --scenario {run.scenario} --performance {run.id}"
                    self._found.missing.append(Missing(entry.name, f"compliance test {test}", how, spared=True))

    def _accuracy_of(self, run: Taken) -> Taken | None:
        """The accuracy run that belongs to a performance run: named before others, fit before unfit, then newest."""
        own = [
            each
            for each in self._accuracy
            if each.record.scenario == run.record.scenario and _kind(each.record) == _kind(run.record)
        ]
        return min(own, key=lambda each: (each.record.id not in self._wish.runs, bool(self._why(each))), default=None)

    def _compliance_of(self, run: Taken) -> Mapping[str, Path]:
        """Folders in the official form; of several of a test the one that holds most, then the newest."""
        own = [each for each in self._compliance if _tests(each.record, run.record)]
        found: dict[str, Path] = {}
        for each in (run, *sorted(own, key=_unmet)):
            for test in self._benchmark.compliance:
                folder = each.folder / "compliance" / test
                if test not in found and folder.is_dir():
                    found[test] = folder
        return found


def _tests(audit: RunRecord, run: RunRecord) -> bool:
    """Whether a compliance run was judged against this run; of a test in two parts one is judged by the other."""
    if audit.scenario != run.scenario or _kind(audit) != _kind(run):
        return False
    return run.id in audit.judged_against or "-" in audit.compliance


def _unmet(run: Taken) -> int:
    verdict = run.record.verdict
    return 1 << 10 if verdict is None else sum(not each.met for each in verdict.constraints)


def _reasons(runs: Iterable[Taken], why: Callable[[Taken], tuple[str, ...]]) -> str:
    return ", ".join(dict.fromkeys(reason for run in runs for reason in why(run)))

"""What a campaign's entries are on this machine: models, scenarios, tests, times. Reads much, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, State, quick_identity
from assay.base.settings import Settings
from assay.base.units import format_size
from assay.campaign.flow.forms import Campaign, EntryForm
from assay.campaign.flow.journal import Done, Journal
from assay.campaign.flow.requests import request_for, words_of
from assay.campaign.flow.steps import EntryFacts, Kind, ScenarioFacts, Standing, Step, digest, judge, outline
from assay.campaign.flow.tree import build_command, check_command, described, holds_tree, journal_folder, wish_for
from assay.campaign.plan import PROBE_S, Plan, make_plan
from assay.errors import AssayError, InvalidInputError, UsageError, unknown
from assay.loadgen.audit import asked_tests, family
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Division, Mode, Round, Scenario
from assay.submission.truncate.run import submission_rules

_BYTES_PER_S = 20e6
"""A usual line, for the expected time of a download."""
REPORT = "report.md"
_OF_A_MODEL = ("retraining", "weight_transformations")


@dataclass(frozen=True, slots=True)
class Flow:
    """A campaign's steps and its journal."""

    campaign: Campaign
    settings: Settings
    round: Round
    steps: tuple[Step, ...]
    journal: Journal

    def standings(self) -> dict[str, Standing]:
        """How each step stands now."""
        return judge(self.steps, self.journal.entries(), self._holds)

    def _holds(self, step: Step, done: Done) -> bool:
        """Whether what a step made is still there."""
        if step.kind is Kind.BUILD:
            return holds_tree(self.campaign.out, done.output)
        if step.kind is Kind.REPORT:
            return (self.journal.folder / REPORT).is_file()
        catalogue = RunCatalogue(self.settings.runs_dir)
        return all(_finished(catalogue, name) for name in done.runs)


def _finished(catalogue: RunCatalogue, name: str) -> bool:
    try:
        return catalogue.read(name).status is RunStatus.FINISHED
    except AssayError:
        return False


def survey(campaign: Campaign, settings: Settings) -> Flow:
    """Resolve a campaign and check everything that can be checked before anything is run.

    Raises:
        NotFoundError: unknown round, benchmark, engine or system.
        UsageError: options that cannot hold together.
        InvalidInputError: a description of the system that the round does not take.
    """
    form = campaign.form
    round_ = load_round(form.round)
    entries = tuple(_entry(campaign, each, round_, settings) for each in form.entries)
    _no_benchmark_twice(entries)
    wish = wish_for(campaign, settings, (), tuple(each.benchmark for each in entries))
    described(wish, round_)
    _see_that_fields_are_told(campaign, entries, submission_rules(round_).measurements.fields)
    head = form.model_dump(mode="json", exclude={"entries"})
    tree = [str(campaign.out), head, dict(wish.description), wish.calibration]
    steps = outline(entries, tree, build_command(campaign), check_command(campaign))
    return Flow(campaign, settings, round_, steps, Journal(journal_folder(campaign, settings)))


def _see_that_fields_are_told(campaign: Campaign, entries: tuple[EntryFacts, ...], known: tuple[str, ...]) -> None:
    """Fields of the implementation's file are the round's, and those that nobody knows of a model of one's own are given."""
    form = campaign.form
    if foreign := [name for name in form.fields if name.rpartition(".")[2] not in known]:
        raise unknown("field", foreign[0], known)
    for entry, facts in zip(form.entries, entries, strict=True):
        names = [
            (name, f"{facts.benchmark}.{name}") for name in _OF_A_MODEL if entry.model is not None and name in known
        ]
        untold = [full for name, full in names if not {name, full} & form.fields.keys()]
        if untold:
            raise InvalidInputError(
                "nobody knows this of a model of your own",
                where=campaign.path,
                expected=f"fields: {', '.join(untold)}",
                hint=f'fields: {{{untold[0]}: "no"}}',
            )


def _no_benchmark_twice(entries: tuple[EntryFacts, ...]) -> None:
    names = [each.benchmark for each in entries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(
            f"two entries are of the benchmark {twice}, and a system has one result of each",
            hint="give each a campaign and a system of its own",
        )


def _entry(campaign: Campaign, entry: EntryForm, round_: Round, settings: Settings) -> EntryFacts:
    form = campaign.form
    # Any scenario that the benchmark has tells which benchmark it is; every category has Offline.
    any_scenario = entry.scenarios[0] if entry.scenarios else Scenario.OFFLINE
    first = make_plan(request_for(campaign, entry, any_scenario, Mode.PERFORMANCE), settings)
    benchmark = first.subject.benchmark
    scenarios = entry.scenarios or benchmark.required.get(form.category, ())
    if not scenarios:
        raise UsageError(f"round {round_.name} asks no scenario of {benchmark.name} in {form.category.value}")
    facts = tuple(_scenario(campaign, entry, each, settings) for each in dict.fromkeys(scenarios))
    _see_that_none_is_absent(campaign, benchmark, scenarios)
    tests: tuple[str, ...] = ()
    if form.division is Division.CLOSED and benchmark.compliance:
        tests = tuple(dict.fromkeys(map(family, asked_tests((), benchmark, round_))))
    fetch = first.fetch
    missing = ", ".join(each.name for each in fetch.missing)
    yours = ", ".join(each.name for each in fetch.yours)
    what = f"fetch {missing} ({format_size(fetch.total_bytes)})" if missing else "see that model and dataset are there"
    what = f"{what}; only you can get {yours}" if yours else what
    subject = first.subject
    wanted = [None if subject.model_file else subject.model, subject.dataset]
    names = [each.name for each in wanted if each is not None]
    command = f"assay assets fetch {' '.join(names)}" if names else ""
    return EntryFacts(
        entry.name, benchmark.name, facts, tests, _material(first, settings), _rules(benchmark, round_), what,
        command, 1.0 + fetch.total_bytes / _BYTES_PER_S,
    )  # fmt: skip


def _see_that_none_is_absent(campaign: Campaign, benchmark: Benchmark, scenarios: tuple[Scenario, ...]) -> None:
    """The closed division takes a benchmark in every required scenario; on the edge some follow from others."""
    form = campaign.form
    if form.rehearsal or form.division is not Division.CLOSED:
        return
    single, multi, offline = Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE
    there = set(scenarios)
    if form.category is Category.EDGE:
        there |= {multi, offline} if single in there else {offline} if multi in there else set()
    absent = [each.value for each in benchmark.required.get(form.category, ()) if each not in there]
    if absent:
        raise UsageError(
            f"the closed division asks more scenarios of {benchmark.name}",
            found=", ".join(each.value for each in scenarios),
            hint=f"add {', '.join(absent)}, or leave scenarios out to run all",
        )


def _scenario(campaign: Campaign, entry: EntryForm, scenario: Scenario, settings: Settings) -> ScenarioFacts:
    accuracy = request_for(campaign, entry, scenario, Mode.ACCURACY)
    performance = request_for(campaign, entry, scenario, Mode.PERFORMANCE)
    (scored,), (timed,) = make_plan(accuracy, settings).runs, make_plan(performance, settings).runs
    if not campaign.form.rehearsal and timed.duration_ns < timed.round_duration_ns:
        raise UsageError("shorter runs than the round's are for rehearsals", hint="rehearsal: true")
    return ScenarioFacts(
        scenario,
        accuracy,
        performance,
        (scored.line(), timed.line()),
        (
            f"assay run {words_of(accuracy)} --mode accuracy",
            f"assay run {words_of(performance)}",
            f"assay compliance run {words_of(performance)}",
        ),
        (timed.duration_ns / 1e9, PROBE_S if timed.probe else 0.0),
    )


def _material(plan: Plan, settings: Settings) -> str:
    """Hash of what is known of model and dataset before they are fetched: your own files, or what the catalogue says.

    What was registered counts by its content, for the catalogue does not say it; what is fetched is checked when it is.
    """
    subject = plan.subject
    own = [quick_identity(path) for path in (subject.model_file, subject.dataset_path) if path is not None]
    store = AssetStore(settings, load_catalogue(settings))
    known = {asset.name for asset in store.catalogue.all()}
    for asset in (subject.model, subject.dataset):
        # A task's name stands for a model of the user's own, and is no asset.
        if asset is not None and asset.name in known and store.state(asset.name) is State.REGISTERED:
            located = store.locate(asset.name)
            own += [located.sha256] if located is not None else []
    return digest([*own, repr(subject.model), repr(subject.dataset), plan.request.backend, plan.precision.value])


def _rules(benchmark: Benchmark, round_: Round) -> str:
    """Hash of what the round says of a benchmark's runs."""
    return digest([repr(benchmark), repr(round_.seeds), repr(round_.test05_seeds)])


def find_step(flow: Flow, name: str) -> Step:
    """The step of a name, whatever its case, or of the end of one (``Offline/TEST01``).

    Raises:
        InvalidInputError: for none or several.
    """
    low = name.casefold()
    exact = [step for step in flow.steps if step.name.casefold() == low]
    found = exact or [step for step in flow.steps if f"/{step.name.casefold()}".endswith(f"/{low}")]
    if len(found) != 1:
        names = ", ".join(step.name for step in found or flow.steps)
        raise InvalidInputError(
            f"{'several steps are' if found else 'no step is'} {name!r}", expected=f"one of {names}"
        )
    return found[0]

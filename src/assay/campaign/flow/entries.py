"""An entry of a campaign on this machine: its model, scenarios, tests, what gets them ready, and how long all takes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from assay.assets.catalogue import load_catalogue
from assay.assets.manifest import Asset
from assay.assets.store import AssetStore, State, quick_identity
from assay.base.settings import Settings
from assay.base.units import format_size
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.flow.estimate import fetch_time, prepare_time, quantise_time, run_time, search_time, speed_of
from assay.campaign.flow.find import can_be_told, see_that_it_can_be_searched
from assay.campaign.flow.forms import Campaign, EntryForm
from assay.campaign.flow.material import prepares, quantises
from assay.campaign.flow.plans import plan_run
from assay.campaign.flow.requests import program_of, request_for, searches, without_power, words_of
from assay.campaign.flow.steps import EntryFacts, Expected, Kind, ScenarioFacts, Task, digest
from assay.campaign.plan import Plan, PlannedRun
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.audit import asked_tests, family
from assay.loadgen.record import RunRecord
from assay.rules.model import Division, Mode, Round, Scenario


def entry_facts(
    campaign: Campaign, entry: EntryForm, round_: Round, settings: Settings, records: Sequence[RunRecord]
) -> EntryFacts:
    """Resolve an entry.

    Args:
        records: runs of this home, for the times.

    Raises:
        AssayError: as planning its runs would.
    """
    form, program = campaign.form, program_of(campaign, entry)
    # Any scenario that the benchmark has tells which benchmark it is; every category has Offline.
    any_scenario = entry.scenarios[0] if entry.scenarios else Scenario.OFFLINE
    request = request_for(campaign, entry, any_scenario, Mode.PERFORMANCE)
    benchmark = plan_run(request, program, settings).subject.benchmark
    asked = [each for category in form.categories for each in benchmark.required.get(category, ())]
    scenarios = tuple(dict.fromkeys(entry.scenarios or asked))
    if not scenarios:
        raise UsageError(f"round {round_.name} asks no scenario of {benchmark.name} in {form.category}")
    timed = [_plan(campaign, entry, each, Mode.PERFORMANCE, program, settings) for each in scenarios]
    facts = tuple(_scenario(campaign, entry, plan, program, settings, records) for plan in timed)
    tests: tuple[str, ...] = ()
    if form.division is Division.CLOSED and benchmark.compliance:
        tests = tuple(dict.fromkeys(map(family, asked_tests((), benchmark, round_))))
    return EntryFacts(
        name=entry.title,
        system=form.system_of(entry),
        benchmark=benchmark.name,
        scenarios=facts,
        tests=tests,
        material=_material(timed[0], settings),
        rules=digest([repr(benchmark), repr(round_.seeds), repr(round_.test05_seeds)]),
        ready=_ready(timed, program, records, settings),
        tolerance=entry.rate_tolerance,
        program=program,
    )


def _plan(
    campaign: Campaign,
    entry: EntryForm,
    scenario: Scenario,
    mode: Mode,
    program: ExternalRequest | None,
    settings: Settings,
) -> Plan:
    return plan_run(request_for(campaign, entry, scenario, mode), program, settings)


def _scenario(
    campaign: Campaign,
    entry: EntryForm,
    plan: Plan,
    program: ExternalRequest | None,
    settings: Settings,
    records: Sequence[RunRecord],
) -> ScenarioFacts:
    (timed,) = plan.runs
    scenario = timed.scenario
    accuracy = request_for(campaign, entry, scenario, Mode.ACCURACY)
    performance = request_for(campaign, entry, scenario, Mode.PERFORMANCE)
    scoring = plan_run(accuracy, program, settings)
    (scored,) = scoring.runs
    if not campaign.form.rehearsal and timed.duration_ns < timed.round_duration_ns:
        raise UsageError("shorter runs than the round's are for rehearsals", hint="rehearsal: true")
    speed = speed_of(plan, records)
    words, timing = words_of(performance, program), run_time(timed, plan, speed)
    once = run_time(replace(timed, probe=False), replace(plan, power=None), speed)
    find = None
    # A program that hears of no rate sends at its own, which is then the result, unless a search is asked for.
    wanted = "find_rate" in entry.model_fields_set or (scenario is Scenario.SERVER and can_be_told(program, settings))
    if scenario is Scenario.SERVER and searches(entry) and wanted:
        find = _search(entry, without_power(performance), timed, program, settings)
    confirmed = find is not None and performance.power is None
    line = "Server performance: the run that confirmed the rate" if confirmed else timed.line()
    line += f"; {plan.power.line()}" if plan.power is not None else ""
    return ScenarioFacts(
        scenario,
        accuracy,
        performance,
        Task(
            scored.line(), f"assay run {words_of(accuracy, program)} --mode accuracy", run_time(scored, scoring, speed)
        ),
        Task(line, f"assay run {words}", Expected(1.0) if confirmed else timing),
        Task("", f"assay compliance run {words_of(without_power(performance), program)}", once),
        find,
    )


def _search(
    entry: EntryForm, request: RunRequest, timed: PlannedRun, program: ExternalRequest | None, settings: Settings
) -> Task:
    """The search of the rate."""
    tolerance = entry.rate_tolerance
    see_that_it_can_be_searched(request, settings, tolerance, program)
    line = f"Server: search the highest rate within {tolerance:.2%}, confirmed at full length"
    words = _without_scenario(words_of(request, program))
    words += f" --tolerance {tolerance:g}" if "rate_tolerance" in entry.model_fields_set else ""
    return Task(line, f"assay find-rate {words}", search_time(timed))


def _without_scenario(words: str) -> str:
    """The options of a search, which is of Server whatever is said."""
    given = shlex.split(words)
    at = given.index("--scenario")
    return shlex.join(given[:at] + given[at + 2 :])


def _ready(
    plans: Sequence[Plan], program: ExternalRequest | None, records: Sequence[RunRecord], settings: Settings
) -> dict[Kind, Task]:
    """What gets model and data ready: always a fetch, and what assay's own harness needs besides."""
    first = plans[0]
    ready = {Kind.FETCH: Task(_fetch_line(first), _fetch_command(first, settings), fetch_time(first), first.request)}
    if program is not None:
        return ready
    if prepares(first):
        ready[Kind.PREPARE] = Task("pre-process the samples, once for all runs", "", prepare_time(first), first.request)
    int8 = next((plan for plan in plans if quantises(plan)), None)
    if int8 is not None:
        subject = int8.subject
        name = shlex.quote(str(subject.model_file or subject.model.name))
        ready[Kind.QUANTISE] = Task(
            "quantise the model to int8, its ranges from the calibration samples", f"assay quantize {name} --to int8",
            quantise_time(speed_of(int8, records)), int8.request,
        )  # fmt: skip
    return ready


def _fetch_line(plan: Plan) -> str:
    """What is there, what is fetched, and what only the user can get."""
    fetch, subject = plan.fetch, plan.subject
    absent = {each.name for each in (*fetch.missing, *fetch.yours)}
    wanted = [None if subject.model_file else subject.model, subject.dataset]
    there = [_told(each) for each in wanted if each is not None and each.name not in absent]
    there += [str(path) for path in (subject.model_file, subject.dataset_path) if path is not None]
    parts = [f"there: {', '.join(there)}"] if there else []
    missing = ", ".join(each.name for each in fetch.missing)
    parts += [f"fetch {missing} ({format_size(fetch.total_bytes)})"] if missing else []
    parts += [f"only you can get {', '.join(each.name for each in fetch.yours)}"] if fetch.yours else []
    return "; ".join(parts)


def _told(asset: Asset) -> str:
    return f"{asset.name} (made of its weights)" if asset.build is not None else asset.name


def _fetch_command(plan: Plan, settings: Settings) -> str:
    """The command that fetches what the catalogue has."""
    subject = plan.subject
    known = {asset.name for asset in load_catalogue(settings).all()}
    wanted = [None if subject.model_file else subject.model, subject.dataset]
    names = [each.name for each in wanted if each is not None and each.name in known]
    return f"assay assets fetch {' '.join(names)}" if names else ""


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
    return digest([*own, repr(subject.model), repr(subject.dataset), plan.request.backend])

"""What a campaign is on this machine: systems, models, scenarios, tests, times. Reads much, changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assay.base.settings import Settings
from assay.campaign.flow.entries import entry_facts
from assay.campaign.flow.forms import Campaign, folder_of, is_kept
from assay.campaign.flow.journal import Done, Journal
from assay.campaign.flow.places import folder_of_name
from assay.campaign.flow.steps import EntryFacts, Expected, Kind, Standing, Step, Task, judge, outline
from assay.campaign.flow.systems import description_of, holds_description
from assay.campaign.flow.tree import (
    build_command,
    check_command,
    described,
    holds_tree,
    see_that_the_round_has_both,
    text_of,
    wish_for,
)
from assay.errors import AssayError, InvalidInputError, UsageError, unknown
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Category, Division, Round, Scenario
from assay.submission.truncate.run import submission_rules

REPORT = "report.md"
_OF_A_MODEL = ("retraining", "weight_transformations")
_NOT_OF_THE_TREE = {"entries", "describe", "notify", "name"}


@dataclass(frozen=True, slots=True)
class Flow:
    """A campaign's steps and its journal."""

    campaign: Campaign
    settings: Settings
    round: Round
    steps: tuple[Step, ...]
    journal: Journal

    def standings(self, again: Collection[str] = ()) -> dict[str, Standing]:
        """How each step stands now.

        Args:
            again: names of steps that are taken as if they had been asked for again.
        """
        entries = self.journal.entries()
        aside = self.journal.set_aside() | {name: len(entries.get(name, ())) for name in again}
        return judge(self.steps, entries, self._holds, aside)

    def _holds(self, step: Step, done: Done) -> bool:
        """Whether what a step made is still there."""
        if step.kind is Kind.BUILD:
            return holds_tree(self.campaign.out, done.output)
        if step.kind is Kind.REPORT:
            return (self.journal.folder / REPORT).is_file()
        if step.kind is Kind.SYSTEM:
            return holds_description(self.campaign, step.system, self.settings, done.output)
        catalogue = RunCatalogue(self.settings.runs_dir)
        # A rate that was found is known, whatever became of the runs that found it.
        return step.kind is Kind.FIND or all(_finished(catalogue, name) for name in done.runs)


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
    see_that_the_round_has_both(campaign, round_)
    records = RunCatalogue(settings.runs_dir).records()
    entries = tuple(entry_facts(campaign, each, round_, settings, records) for each in form.entries)
    _no_scenario_twice(entries)
    _see_that_none_is_absent(campaign, entries, round_)
    _see_that_fields_are_told(campaign, entries, submission_rules(round_).measurements.fields)
    systems = {name: _system(campaign, name, round_, settings) for name in form.systems}
    folders = [folder_of(name) for name in systems]
    if twice := next((name for name in folders if folders.count(name) > 1), None):
        raise UsageError(f"two systems of one tree are named {twice}", hint="give each a name of its own")
    head = form.model_dump(mode="json", exclude=_NOT_OF_THE_TREE)
    texts = [
        text_of(campaign, form.calibration, "calibration"), text_of(campaign, form.power_settings, "power settings"),
    ]  # fmt: skip
    tree = [str(campaign.out), head, *texts]
    what = "lay the runs out as the round asks, accuracy logs truncated"
    build = Task(what, build_command(campaign), Expected(5.0))
    check = Task("check the tree, officially and strictly", check_command(campaign), Expected(5.0))
    steps = outline(entries, systems, tree, build, check)
    return Flow(campaign, settings, round_, steps, Journal(folder_of_name(form.name, settings)))


def _system(campaign: Campaign, name: str, round_: Round, settings: Settings) -> Task:
    """The step that describes a system; a description that is there and wrong is told at once."""
    found = description_of(campaign, name, settings)
    if found is None:
        form = campaign.form
        command = f"assay system init --name {name} --submitter {form.submitter} --division {form.division.value}"
        return Task("describe this machine", command, Expected(3.0))
    described(wish_for(campaign, name, found), round_)
    place = name if is_kept(name) else campaign.place(name)
    return Task(
        "see that the description is what the round asks", f"assay system validate {place} --round {round_.name}",
        Expected(1.0),
    )  # fmt: skip


def _see_that_fields_are_told(campaign: Campaign, entries: Sequence[EntryFacts], known: tuple[str, ...]) -> None:
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


def _no_scenario_twice(entries: Sequence[EntryFacts]) -> None:
    """A system has one result of each scenario of a benchmark."""
    seen: dict[tuple[str, str, Scenario], str] = {}
    for entry in entries:
        for facts in entry.scenarios:
            key = (entry.system, entry.benchmark, facts.scenario)
            if key in seen:
                raise UsageError(
                    f"{seen[key]} and {entry.name} are both {entry.benchmark} {facts.scenario.value} of {entry.system}",
                    hint="give one of them a system of its own, or other scenarios",
                )
            seen[key] = entry.name


def _see_that_none_is_absent(campaign: Campaign, entries: Sequence[EntryFacts], round_: Round) -> None:
    """The closed division takes a benchmark in every required scenario; on the edge some follow from others."""
    form = campaign.form
    if form.rehearsal or form.division is not Division.CLOSED:
        return
    there: dict[tuple[str, str], set[Scenario]] = {}
    for entry in entries:
        there.setdefault((entry.system, entry.benchmark), set()).update(each.scenario for each in entry.scenarios)
    for (_, name), found in there.items():
        required = round_.benchmark(name).required
        wanted = [each for category in form.categories for each in required.get(category, ())]
        follow = _followed(found) if form.categories == (Category.EDGE,) else set[Scenario]()
        absent = [each.value for each in dict.fromkeys(wanted) if each not in found | follow]
        if absent:
            raise UsageError(
                f"the closed division asks more scenarios of {name}",
                found=", ".join(each.value for each in found),
                hint=f"add {', '.join(absent)}, or leave scenarios out to run all",
            )


def _followed(found: set[Scenario]) -> set[Scenario]:
    """Scenarios whose figures follow from those that are run."""
    single, multi, offline = Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE
    return {multi, offline} if single in found else {offline} if multi in found else set()


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

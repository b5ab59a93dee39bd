"""The steps of a campaign, in order: why each is there, what it needs, what it will run. Nothing here reads or writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.base.files import sha256_bytes
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.flow.forms import folder_of
from assay.campaign.flow.journal import Done
from assay.campaign.request import RunRequest
from assay.rules.model import Scenario


class Kind(StrEnum):
    """What a step does."""

    SYSTEM = "system"
    FETCH = "fetch"
    PREPARE = "prepare"
    QUANTISE = "quantise"
    FIND = "find-rate"
    ACCURACY = "accuracy"
    PERFORMANCE = "performance"
    COMPLIANCE = "compliance"
    BUILD = "build"
    CHECK = "check"
    REPORT = "report"


MATERIAL = (Kind.FETCH, Kind.PREPARE, Kind.QUANTISE)
"""Kinds of the steps that get an entry's model and data ready."""
RULES: Mapping[Kind, tuple[str, str]] = {
    Kind.SYSTEM: (
        "A submission describes every system in the official fields; what is missing is asked before anything is run.",
        "submission_checker.py, check_system_desc_id",
    ),
    Kind.FETCH: (
        "A result is of the benchmark's model on its dataset; their hashes are noted, so that a change is seen.",
        "inference_rules.adoc, benchmarks",
    ),
    Kind.PREPARE: (
        "Pre-processing that the benchmark allows is not timed; it is done once, for all runs.",
        "inference_rules.adoc, appendix: permitted pre-processing",
    ),
    Kind.QUANTISE: (
        "A model may be quantised without retraining, its ranges taken from the calibration samples.",
        "inference_rules.adoc, quantization",
    ),
    Kind.FIND: (
        "The figure of Server is the rate that is sent at: the highest at which the latency bound is held.",
        "inference_rules.adoc, scenarios; loadgen/early_stopping.cc",
    ),
    Kind.ACCURACY: (
        "Each scenario of a result has an accuracy run over the whole dataset that reaches the benchmark's target.",
        "submission_checker.py, check_accuracy_dir; inference_rules.adoc, scenarios",
    ),
    Kind.PERFORMANCE: (
        "Each scenario that the category asks has a VALID run of at least the round's duration and queries; "
        "where power is measured it is done twice, for ranging and testing.",
        "submission_checker.py, check_performance_dir; inference_rules.adoc, scenarios",
    ),
    Kind.COMPLIANCE: (
        "A closed result passes the compliance tests that the round asks of its benchmark.",
        "submission_checker.py, check_compliance_dir",
    ),
    Kind.BUILD: (
        "A submission is a tree of the round's layout, its accuracy logs truncated.",
        "inference_rules.adoc, submission rules; truncate_accuracy_log.py",
    ),
    Kind.CHECK: (
        "The round's checker decides what is taken; the written rules can ask more.",
        "submission_checker.py, check_results_dir",
    ),
    Kind.REPORT: ("One page tells what was run and what came of it.", "assay"),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a step takes.

    Attributes:
        rough: guessed; nothing like it was ever measured here.
    """

    seconds: float
    rough: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What one step does, apart from its place among the others.

    Attributes:
        line: for a person.
        command: does the same alone.
        request: whose model and data it gets ready.
    """

    line: str
    command: str
    expected: Expected
    request: RunRequest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ScenarioFacts:
    """One scenario of an entry: its requests, and what is done with them.

    Attributes:
        test: the compliance tests, one like the other; the command without the test's name.
        find: the search of the rate; None where there is none.
    """

    scenario: Scenario
    accuracy: RunRequest
    performance: RunRequest
    scored: Task
    timed: Task
    test: Task
    find: Task | None = None


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry, resolved.

    Attributes:
        name: what its steps are named after.
        system: system that it is a result of.
        material: hash of what is known of model and dataset before they are fetched.
        rules: hash of what the round says of the benchmark.
        tests: compliance tests asked for, parts of one test as one.
        ready: what gets model and data ready, by kind, in order.
        tolerance: of the rate that is searched.
        program: what runs it in place of assay.
    """

    name: str
    system: str
    benchmark: str
    scenarios: tuple[ScenarioFacts, ...]
    tests: tuple[str, ...]
    material: str
    rules: str
    ready: Mapping[Kind, Task]
    tolerance: float = 0.02
    program: ExternalRequest | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        needs: steps that come before, whose output it is made from.
        what: what it does, in a line.
        command: what does the same alone.
        own: hash of its inputs that no other step makes.
        expected: how long it takes.
        system: that it describes.
        request: of a run, or of the run that a test repeats.
        program: what carries the request out in place of assay.
        tolerance: of the rate that is searched.
    """

    name: str
    kind: Kind
    needs: tuple[str, ...]
    what: str
    command: str
    own: str
    expected: Expected
    entry: str = ""
    test: str = ""
    system: str = ""
    request: RunRequest | None = field(default=None, repr=False)
    program: ExternalRequest | None = field(default=None, repr=False)
    tolerance: float = 0.02


class State(StrEnum):
    """Where a step stands."""

    DONE = "done"
    STALE = "stale"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Standing:
    """A step and how it stands.

    Attributes:
        inputs: hash of all its inputs; None while a step that it needs is not done.
        last: the entry of the journal that holds, or that is stale.
        again: it was asked for again, and not done since.
    """

    step: Step
    state: State
    inputs: str | None
    last: Done | None
    again: bool = False

    @property
    def expected(self) -> Expected:
        """How long it takes: as long as before when it is done, or when the plan knows no better."""
        planned = self.step.expected
        if self.last is not None and (self.state is State.DONE or planned.rough):
            return Expected(self.last.seconds)
        return planned


def digest(value: object) -> str:
    """SHA-256 of a value that JSON can hold."""
    return sha256_bytes(json.dumps(value, sort_keys=True, default=str).encode("utf-8"))


def outline(
    entries: tuple[EntryFacts, ...], systems: Mapping[str, Task], tree: object, build: Task, check: Task
) -> tuple[Step, ...]:
    """All steps, each after those that it needs.

    What can be missing comes first: it should not stop hours later.

    Args:
        systems: what describes each system.
        tree: what the tree is made from beside runs and systems, as JSON could hold it.
    """
    described = [
        Step(
            f"system/{folder_of(name)}",
            Kind.SYSTEM,
            (),
            each.line,
            each.command,
            digest(name),
            each.expected,
            system=name,
        )
        for name, each in systems.items()
    ]
    ready = {each.name: list(_ready(each)) for each in entries}
    first = [steps[0] for steps in ready.values()]
    rest = [step for steps in ready.values() for step in steps[1:]]
    runs = [step for each in entries for step in _runs(each, tuple(step.name for step in ready[each.name]))]
    made = tuple(step.name for step in (*described, *runs))
    return (
        *described,
        *first,
        *rest,
        *runs,
        Step("build", Kind.BUILD, made, build.line, build.command, digest(tree), build.expected),
        Step("check", Kind.CHECK, ("build",), check.line, check.command, "", check.expected),
        Step("report", Kind.REPORT, (*made, "build", "check"), "write report.md", "", "", Expected(1.0)),
    )


def _ready(entry: EntryFacts) -> Iterator[Step]:
    """The steps that get an entry's model and data ready, each made from all before it."""
    before: tuple[str, ...] = ()
    for kind, task in entry.ready.items():
        name = f"{entry.name}/{kind.value}"
        # What is made of what was fetched needs no more than its outcome.
        own = entry.material if kind is Kind.FETCH else digest(kind.value)
        yield Step(
            name, kind, before, task.line, task.command, own, task.expected, entry.name,
            request=task.request, program=entry.program,
        )  # fmt: skip
        before = (*before, name)


def _runs(entry: EntryFacts, ready: tuple[str, ...]) -> Iterator[Step]:
    for facts in entry.scenarios:
        place = f"{entry.name}/{facts.scenario.value}"
        accuracy, performance, find = (f"{place}/{kind}" for kind in (Kind.ACCURACY, Kind.PERFORMANCE, Kind.FIND))
        sought = () if facts.find is None else (find,)
        for name, kind, needs, request, task in (
            (accuracy, Kind.ACCURACY, ready, facts.accuracy, facts.scored),
            (find, Kind.FIND, ready, facts.performance, facts.find),
            (performance, Kind.PERFORMANCE, (*ready, *sought), facts.performance, facts.timed),
        ):
            if task is None:
                continue
            own: list[object] = [entry.rules, request.model_dump(mode="json"), _program_values(entry.program)]
            own += [entry.tolerance] if kind is Kind.FIND else []
            yield Step(
                name, kind, needs, task.line, task.command, digest(own), task.expected, entry.name,
                request=request, program=entry.program, tolerance=entry.tolerance,
            )  # fmt: skip
        for test in entry.tests:
            against = (performance, accuracy) if test == "TEST01" else (performance,)
            what = (
                f"{facts.scenario.value} {test}, judged against the run{'s' if len(against) > 1 else ''} that it needs"
            )
            yield Step(
                f"{place}/{test}", Kind.COMPLIANCE, against, what, f"{facts.test.command} --test {test}",
                digest([entry.rules, test]), facts.test.expected, entry.name, test,
                request=facts.performance, program=entry.program,
            )  # fmt: skip


def _program_values(program: ExternalRequest | None) -> list[object]:
    """What a program's runs are made from; its time limit changes nothing."""
    return [] if program is None else [program.name, program.folder, dict(program.words)]


def judge(
    steps: tuple[Step, ...],
    entries: Mapping[str, list[Done]],
    holds: Callable[[Step, Done], bool],
    aside: Mapping[str, int] | None = None,
) -> dict[str, Standing]:
    """How each step stands by the journal.

    An older entry counts as well as the latest: whoever changes a file back does not run everything again.

    Args:
        steps: in order.
        entries: what was done, oldest first, by step.
        holds: whether what an entry tells of is still there.
        aside: how many entries of a step, the oldest, count no more.
    """
    found: dict[str, Standing] = {}
    for step in steps:
        before = [found[name] for name in step.needs]
        ready = all(each.state is State.DONE for each in before)
        outputs = [each.last.output for each in before if each.last is not None]
        inputs = digest([step.own, *outputs]) if ready else None
        past = entries.get(step.name, [])
        counted = past[(aside or {}).get(step.name, 0) :]
        good = next((each for each in reversed(counted) if each.inputs == inputs and holds(step, each)), None)
        state = State.DONE if good else State.STALE if past else State.TODO
        again = bool(past) and not counted
        found[step.name] = Standing(step, state, inputs, good or (past[-1] if past else None), again)
    return found

"""The steps of a campaign, in order: why each is there, what it needs, what it will run. Nothing here reads or writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.base.files import sha256_bytes
from assay.campaign.flow.journal import Done
from assay.campaign.request import RunRequest
from assay.rules.model import Scenario


class Kind(StrEnum):
    """What a step does."""

    FETCH = "fetch"
    ACCURACY = "accuracy"
    PERFORMANCE = "performance"
    COMPLIANCE = "compliance"
    BUILD = "build"
    CHECK = "check"
    REPORT = "report"


RULES: Mapping[Kind, tuple[str, str]] = {
    Kind.FETCH: (
        "A result is of the benchmark's model on its dataset; their hashes are noted, so that a change is seen.",
        "inference_rules.adoc, benchmarks",
    ),
    Kind.ACCURACY: (
        "Each scenario of a result has an accuracy run over the whole dataset that reaches the benchmark's target.",
        "submission_checker.py, check_accuracy_dir; inference_rules.adoc, scenarios",
    ),
    Kind.PERFORMANCE: (
        "Each scenario that the category asks has a VALID run of at least the round's duration and queries.",
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
class ScenarioFacts:
    """One scenario of an entry: its requests, and how long they take at least.

    Attributes:
        lines: what the accuracy run and the performance run do, for a person.
        seconds: of the performance run, without its probe, and of the probe.
    """

    scenario: Scenario
    accuracy: RunRequest
    performance: RunRequest
    lines: tuple[str, str]
    commands: tuple[str, str, str]
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry, resolved.

    Attributes:
        material: hash of what is known of model and dataset before they are fetched.
        rules: hash of what the round says of the benchmark.
        tests: compliance tests asked for, parts of one test as one.
        fetch: what the fetch does, for a person.
        fetch_command: command that does the same.
        fetch_s: how long it takes at a usual speed.
    """

    name: str
    benchmark: str
    scenarios: tuple[ScenarioFacts, ...]
    tests: tuple[str, ...]
    material: str
    rules: str
    fetch: str
    fetch_command: str
    fetch_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        needs: steps that come before, whose output it is made from.
        what: what it does, in a line.
        command: what does the same alone.
        own: hash of its inputs that no other step makes.
        seconds: expected time; None where nobody can tell.
        request: of a run, or of the run that a test repeats.
    """

    name: str
    kind: Kind
    needs: tuple[str, ...]
    what: str
    command: str
    own: str
    seconds: float | None = None
    entry: str = ""
    test: str = ""
    request: RunRequest | None = field(default=None, repr=False)


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
    """

    step: Step
    state: State
    inputs: str | None
    last: Done | None

    @property
    def seconds(self) -> float | None:
        """Expected time: what it took before, else what is planned."""
        return self.last.seconds if self.last else self.step.seconds


def digest(value: object) -> str:
    """SHA-256 of a value that JSON can hold."""
    return sha256_bytes(json.dumps(value, sort_keys=True, default=str).encode("utf-8"))


def outline(entries: tuple[EntryFacts, ...], tree: object, build: str, check: str) -> tuple[Step, ...]:
    """All steps, each after those that it needs. Everything is fetched first: what is not there should not stop hours later.

    Args:
        tree: what the tree is made from beside runs, as JSON could hold it.
        build: command that builds the tree.
        check: command that checks it.
    """
    fetches = [
        Step(_fetch(each), Kind.FETCH, (), each.fetch, each.fetch_command, each.material, each.fetch_s,
             each.name)
        for each in entries
    ]  # fmt: skip
    runs = [step for each in entries for step in _runs(each)]
    made = tuple(step.name for step in runs)
    what = "lay the runs out as the round asks, accuracy logs truncated"
    return (
        *fetches,
        *runs,
        Step("build", Kind.BUILD, made, what, build, digest(tree), 5.0),
        Step("check", Kind.CHECK, ("build",), "check the tree, officially and strictly", check, "", 5.0),
        Step("report", Kind.REPORT, (*made, "build", "check"), "write report.md", "", "", 1.0),
    )


def _fetch(entry: EntryFacts) -> str:
    return f"{entry.name}/fetch"


def _runs(entry: EntryFacts) -> Iterator[Step]:
    for facts in entry.scenarios:
        place = f"{entry.name}/{facts.scenario.value}"
        accuracy, performance = f"{place}/accuracy", f"{place}/performance"
        fetch = (_fetch(entry),)
        run_s, probe_s = facts.seconds
        for name, kind, request, line, command, seconds in (
            (accuracy, Kind.ACCURACY, facts.accuracy, facts.lines[0], facts.commands[0], None),
            (performance, Kind.PERFORMANCE, facts.performance, facts.lines[1], facts.commands[1], run_s + probe_s),
        ):
            own = digest([entry.rules, request.model_dump(mode="json")])
            yield Step(name, kind, fetch, line, command, own, seconds, entry.name, "", request)
        for test in entry.tests:
            needs = (performance, accuracy) if test == "TEST01" else (performance,)
            own = digest([entry.rules, test])
            what = f"{facts.scenario.value} {test}, judged against the run{'s' if len(needs) > 1 else ''} that it needs"
            command = f"{facts.commands[2]} --test {test}"
            yield Step(
                f"{place}/{test}", Kind.COMPLIANCE, needs, what, command, own, run_s, entry.name, test,
                facts.performance,
            )  # fmt: skip


def judge(
    steps: tuple[Step, ...], entries: Mapping[str, list[Done]], holds: Callable[[Step, Done], bool]
) -> dict[str, Standing]:
    """How each step stands by the journal.

    An older entry counts as well as the latest: whoever changes a file back does not run everything again.

    Args:
        steps: in order.
        entries: what was done, oldest first, by step.
        holds: whether what an entry tells of is still there.
    """
    found: dict[str, Standing] = {}
    for step in steps:
        before = [found[name] for name in step.needs]
        ready = all(each.state is State.DONE for each in before)
        outputs = [each.last.output for each in before if each.last is not None]
        inputs = digest([step.own, *outputs]) if ready else None
        past = entries.get(step.name, [])
        good = next((each for each in reversed(past) if each.inputs == inputs and holds(step, each)), None)
        state = State.DONE if good else State.STALE if past else State.TODO
        found[step.name] = Standing(step, state, inputs, good or (past[-1] if past else None))
    return found

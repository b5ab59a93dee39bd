"""The planner: which steps there are, and how they stand, without a file or a run."""

from __future__ import annotations

import pytest

from assay.campaign.flow.journal import Done
from assay.campaign.flow.steps import (
    RULES,
    EntryFacts,
    Expected,
    Kind,
    ScenarioFacts,
    Standing,
    State,
    Step,
    Task,
    digest,
    judge,
    outline,
)
from assay.campaign.request import RunRequest
from assay.rules.model import Scenario

ROUGH = Expected(2.0, rough=True)


def facts(scenario: Scenario, *, find: bool = False, **more: object) -> ScenarioFacts:
    timed = RunRequest.model_validate({"name": "x", "scenarios": (scenario,), **more})
    scored = RunRequest.model_validate({"name": "x", "scenarios": (scenario,), "mode": "accuracy"})
    return ScenarioFacts(
        scenario, scored, timed,
        Task("score", "a", Expected(3.0, rough=True)), Task("time", "p", Expected(12.0)), Task("", "c", Expected(10.0)),
        Task("search", "f", Expected(99.0, rough=True)) if find else None,
    )  # fmt: skip


def entry(*scenarios: ScenarioFacts, tests: tuple[str, ...] = ("TEST01", "TEST05"), **changes: str) -> EntryFacts:
    given = {"name": "x", "material": "m", "rules": "r", **changes}
    ready = {Kind.FETCH: Task("fetch", "assay assets fetch", Expected(1.0)), Kind.PREPARE: Task("prepare", "", ROUGH)}
    return EntryFacts(
        given["name"], "box", "resnet", scenarios, tests, given["material"], given["rules"], ready
    )  # fmt: skip


def steps(*entries: EntryFacts, tree: object = "tree") -> tuple[Step, ...]:
    systems = {"box": Task("describe", "", Expected(1.0))}
    build, check = Task("build", "b", Expected(5.0)), Task("check", "c", Expected(5.0))
    return outline(entries or (entry(facts(Scenario.OFFLINE)),), systems, tree, build, check)


def always(step: Step, done: Done) -> bool:
    del step, done
    return True


def all_done(planned: tuple[Step, ...], entries: dict[str, list[Done]] | None = None) -> dict[str, list[Done]]:
    """A journal after every step was done; each made what its inputs say."""
    found = entries or {}
    for step in planned:
        standing = judge(planned, found, always)[step.name]
        assert standing.inputs is not None
        if standing.state is not State.DONE:
            found.setdefault(step.name, []).append(Done(step.name, standing.inputs, f"made of {standing.inputs}"))
    return found


def not_done(standings: dict[str, Standing]) -> set[str]:
    return {name for name, each in standings.items() if each.state is not State.DONE}


def test_steps_come_after_those_that_they_need_and_everything_is_fetched_first() -> None:
    other = entry(facts(Scenario.SINGLE_STREAM), tests=(), name="y")
    planned = steps(entry(facts(Scenario.OFFLINE), facts(Scenario.SERVER)), other)
    names = [step.name for step in planned]
    assert names[:5] == ["system/box", "x/fetch", "y/fetch", "x/prepare", "y/prepare"]
    assert names[-3:] == ["build", "check", "report"]
    assert all(names.index(need) < names.index(step.name) for step in planned for need in step.needs)
    assert names[5:9] == ["x/Offline/accuracy", "x/Offline/performance", "x/Offline/TEST01", "x/Offline/TEST05"]
    by_name = {step.name: step for step in planned}
    assert by_name["x/Offline/TEST01"].needs == ("x/Offline/performance", "x/Offline/accuracy")
    assert by_name["x/Offline/TEST05"].needs == ("x/Offline/performance",)
    assert by_name["x/prepare"].needs == ("x/fetch",)
    assert by_name["x/Offline/accuracy"].needs == ("x/fetch", "x/prepare")
    assert set(by_name["build"].needs) == {"system/box", *(name for name in names if name.count("/") == 2)}
    assert by_name["x/Offline/performance"].expected == Expected(12.0)


def test_a_rate_that_is_searched_is_what_the_run_is_made_from() -> None:
    planned = {step.name: step for step in steps(entry(facts(Scenario.SERVER, find=True)))}
    assert planned["x/Server/find-rate"].needs == ("x/fetch", "x/prepare")
    assert planned["x/Server/performance"].needs == ("x/fetch", "x/prepare", "x/Server/find-rate")
    assert planned["x/Server/find-rate"].own != planned["x/Server/performance"].own


def test_every_kind_has_its_rule() -> None:
    assert set(RULES) == set(Kind) and all(rule and source for rule, source in RULES.values())


def test_nothing_done_everything_done() -> None:
    planned = steps()
    fresh = judge(planned, {}, always)
    assert {each.state for each in fresh.values()} == {State.TODO}
    assert fresh["x/fetch"].inputs is not None and fresh["build"].inputs is None
    assert {each.state for each in judge(planned, all_done(planned), always).values()} == {State.DONE}


def test_a_changed_option_takes_what_is_made_of_it_along_and_nothing_else() -> None:
    journal = all_done(steps())
    changed = steps(entry(facts(Scenario.OFFLINE, target_qps=7.0)))
    found = judge(changed, journal, always)
    after = {"x/Offline/performance", "x/Offline/TEST01", "x/Offline/TEST05", "build", "check", "report"}
    assert not_done(found) == after and {found[name].state for name in after} == {State.STALE}
    # Back again: what was done once holds.
    assert not not_done(judge(steps(), all_done(changed, journal), always))


@pytest.mark.parametrize(
    ("planned", "kept"),
    [
        (steps(entry(facts(Scenario.OFFLINE), material="other")), {"system/box"}),
        (steps(entry(facts(Scenario.OFFLINE), rules="other")), {"system/box", "x/fetch", "x/prepare"}),
        (
            steps(tree="other"),
            {
                "system/box",
                "x/fetch",
                "x/prepare",
                "x/Offline/accuracy",
                "x/Offline/performance",
                "x/Offline/TEST01",
                "x/Offline/TEST05",
            },
        ),
    ],
)
def test_what_a_change_leaves(planned: tuple[Step, ...], kept: set[str]) -> None:
    found = judge(planned, all_done(steps()), always)
    assert {name for name, each in found.items() if each.state is State.DONE} == kept


def test_a_step_done_again_with_the_same_outcome_changes_nothing_after_it() -> None:
    journal = all_done(steps())
    changed = steps(entry(facts(Scenario.OFFLINE), material="touched"))
    standing = judge(changed, journal, always)["x/fetch"]
    assert standing.state is State.STALE and standing.inputs is not None
    journal["x/fetch"].append(Done("x/fetch", standing.inputs, journal["x/fetch"][0].output))
    assert not not_done(judge(changed, journal, always))


def test_what_is_gone_is_made_again_and_only_it_until_it_is_there() -> None:
    planned = steps()
    found = judge(planned, all_done(planned), lambda step, done: step.name != "x/Offline/accuracy")
    assert not_done(found) == {"x/Offline/accuracy", "x/Offline/TEST01", "build", "check", "report"}
    assert found["x/Offline/TEST01"].inputs is None


def test_the_expected_time_is_what_it_took_before() -> None:
    planned = steps()
    journal = {"x/fetch": [Done("x/fetch", digest([planned[1].own]), "o", seconds=3.5)]}
    found = judge(planned, journal, always)
    assert found["x/fetch"].expected == Expected(3.5) and found["x/Offline/performance"].expected == Expected(12.0)
    # What it took when its inputs were others is better than a guess, and worse than a plan that knows.
    assert found["x/prepare"].expected == ROUGH
    journal |= {name: [Done(name, "before", "o", seconds=7.0)] for name in ("x/prepare", "x/Offline/performance")}
    found = judge(planned, journal, always)
    assert found["x/prepare"].expected == Expected(7.0) and found["x/Offline/performance"].expected == Expected(12.0)


def test_a_step_that_is_asked_for_again_is_stale_until_it_is_done() -> None:
    planned = steps()
    journal = all_done(planned)
    test = "x/Offline/TEST05"
    found = judge(planned, journal, always, {test: 1})
    assert not_done(found) == {test, "build", "check", "report"}
    assert found[test].again and found[test].last == journal[test][0] and not found["build"].again
    assert found[test].inputs is not None
    journal[test].append(Done(test, found[test].inputs, "another run"))
    found = judge(planned, journal, always, {test: 1})
    assert found[test].state is State.DONE and not found[test].again and found["build"].state is State.STALE
    # What was never done is no more than that.
    assert not judge(planned, {}, always, {test: 0})[test].again

"""Rounds: what is in each, who leads, what became better, what the rules ask and what changed in them."""

from __future__ import annotations

import functools
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi.responses import Response

from assay.errors import unknown
from assay.playground.here import Looking
from assay.playground.lines import ChartForm, LeaderLine, chart_answer, csv_answer, leader_lines
from assay.playground.page import PageModel, Pages
from assay.results.best import Best, best_results, steps
from assay.results.contents import Content, contents, names_in, totals
from assay.results.overview import overview
from assay.results.page_charts import Point, stacked
from assay.results.verdicts import known_round
from assay.rules.document import changes
from assay.rules.load import load_round, round_names
from assay.rules.model import Round
from assay.rules.words import changes_words, limits_words, round_words, scenario_words, target_text

pages = Pages("rounds")
_Name = Annotated[str, PathParameter(max_length=100)]
_STEPS = 20


class RoundLine(PageModel):
    """A round in the list."""

    name: str
    rules: bool
    benchmarks: int
    results: int
    measured: int
    power: int
    organisations: int
    systems: int
    local: int


class RoundsPage(PageModel):
    """Every round with rules or results, newest first."""

    rounds: tuple[RoundLine, ...]


class ContentLine(PageModel):
    """Results of a benchmark, category and division."""

    benchmark: str
    category: str
    division: str
    results: int
    measured: int
    power: int
    organisations: int
    systems: int


class Column(PageModel):
    """A column of the counts: a category and a division."""

    category: str
    division: str


class StepLine(PageModel):
    """The best of a group against that of the round before."""

    by: str
    benchmark: str
    scenario: str
    division: str
    category: str
    before: float
    after: float
    ratio: float
    uid: str
    before_uid: str
    system: str | None
    before_system: str | None


class ChangeLine(PageModel):
    """A fact of the rules that changed; without benchmarks it is the round's."""

    fact: str
    benchmarks: tuple[str, ...]
    old: str
    new: str


class Against(PageModel):
    """What changed since the round before."""

    round: str
    new_organisations: tuple[str, ...]
    gone_organisations: tuple[str, ...]
    new_accelerators: tuple[str, ...]
    new_benchmarks: tuple[str, ...]
    gone_benchmarks: tuple[str, ...]
    steps: tuple[StepLine, ...]
    rules: tuple[ChangeLine, ...]


class ScenarioLine(PageModel):
    """How a scenario works."""

    name: str
    unit: str
    key: str
    words: str


class BenchmarkRules(PageModel):
    """What the round asks of a benchmark."""

    name: str
    model: str
    targets: tuple[str, ...]
    edge: tuple[str, ...]
    datacenter: tuple[str, ...]
    server: str
    compliance: tuple[str, ...]
    placeholder: bool


class RoundPage(PageModel):
    """A round."""

    name: str
    counts: RoundLine
    contents: tuple[ContentLine, ...]
    columns: tuple[Column, ...]
    leaders: tuple[LeaderLine, ...]
    against: Against | None
    words: tuple[str, ...]
    source: str
    scenarios: tuple[ScenarioLine, ...]
    benchmarks: tuple[BenchmarkRules, ...]


def _lines(here: Looking) -> list[RoundLine]:
    counted = {(each.round, each.official): each for each in overview(here.store)}
    names = round_names()
    others = sorted({name for name, _ in counted} - set(names))
    lines = []
    for name in [*others, *names][::-1]:
        official, local = counted.get((name, True)), counted.get((name, False))
        round_ = known_round(name)
        lines.append(
            RoundLine(
                name=name,
                rules=round_ is not None,
                benchmarks=len(round_.benchmarks) if round_ else official.benchmarks if official else 0,
                results=official.results if official else 0,
                measured=official.measured if official else 0,
                power=official.power if official else 0,
                organisations=official.organisations if official else 0,
                systems=official.systems if official else 0,
                local=local.results if local else 0,
            )
        )
    return lines


@pages.router.get("/rounds.csv", summary="Rounds as CSV", response_class=Response)
def rounds_csv(here: Looking) -> Response:
    """The list of rounds as a file."""
    columns = tuple(RoundLine.model_fields)
    return csv_answer(here, "rounds", columns, ([getattr(each, name) for name in columns] for each in _lines(here)))


@pages.router.get("/rounds/trend.{form}", summary="Results of every round, as a chart")
def rounds_trend(here: Looking, form: ChartForm) -> Response:
    """How many results each round holds, with power and without."""
    points = []
    for each in reversed(_lines(here)):
        if each.results:
            points += [Point(each.name, "with power", each.power)]
            points += [Point(each.name, "without power", each.results - each.power)]
    spec = stacked(points, title="published results", series="results", order=("with power", "without power"))
    return chart_answer(here, spec, form)


@pages.get("/rounds", template="rounds.html", kept=True)
def rounds(here: Looking) -> RoundsPage:
    """Rounds with counts of what is in them."""
    return RoundsPage(rounds=tuple(_lines(here)))


@pages.get("/rounds/{name:path}", template="round.html", kept=True)
def one_round(here: Looking, name: _Name) -> RoundPage:
    """A round: what is in it, who leads, what changed since the one before, and its rules in words."""
    counts = totals(here.store, name)
    rules = known_round(name) if name in round_names() else None
    if rules is None and not counts.results + counts.local:
        raise unknown("round", name, [each.name for each in _lines(here)], hint="all rounds: /rounds")
    held = [each for each in contents(here.store, round_=name) if each.official]
    before = _before(name) if rules else None
    best = best_results(here.store, rounds=[name, *([before.name] if before else [])])
    own = [each for each in best if each.round == name]
    return RoundPage(
        name=name,
        counts=RoundLine(
            name=name,
            rules=rules is not None,
            benchmarks=len(rules.benchmarks) if rules else len({each.benchmark for each in held}),
            results=counts.results,
            measured=counts.measured,
            power=counts.power,
            organisations=counts.organisations,
            systems=counts.systems,
            local=counts.local,
        ),
        contents=tuple(_content(each) for each in held),
        columns=tuple(
            Column(category=category, division=division)
            for category, division in sorted({(each.category, each.division) for each in held})
        ),
        leaders=leader_lines([each for each in own if each.division != "open"]),
        against=_against(here, before, rules, [each for each in best if each.round != name], own)
        if before and rules
        else None,
        words=tuple(round_words(rules)) if rules else (),
        source=rules.source if rules else "",
        scenarios=_scenarios(rules) if rules else (),
        benchmarks=_benchmarks(rules) if rules else (),
    )


def _content(each: Content) -> ContentLine:
    return ContentLine.model_validate(each, from_attributes=True)


def _before(name: str) -> Round | None:
    """The rules of the round before; None for the first."""
    names = round_names()
    place = names.index(name) if name in names else 0
    return load_round(names[place - 1]) if place else None


def _against(here: Looking, old: Round, new: Round, before: list[Best], after: list[Best]) -> Against:
    """What changed since the round before."""
    names = names_in(here.store, [old.name, new.name])
    then, now = names[old.name], names[new.name]
    both = bool(now["benchmark"]) and bool(then["benchmark"])

    def only(kind: str, one: dict[str, list[str]], other: dict[str, list[str]]) -> tuple[str, ...]:
        return tuple(each for each in one[kind] if each not in other[kind]) if both else ()

    return Against(
        round=old.name,
        new_organisations=only("organisation", now, then),
        gone_organisations=only("organisation", then, now),
        new_accelerators=only("accelerator", now, then),
        new_benchmarks=tuple(each for each in new.benchmarks if each not in old.benchmarks),
        gone_benchmarks=tuple(each for each in old.benchmarks if each not in new.benchmarks),
        steps=_steps(before, after),
        rules=_changes(old.name, new.name),
    )


@functools.cache
def _changes(old: str, new: str) -> tuple[ChangeLine, ...]:
    """What changed in the rules, which are the same as long as the program runs."""
    rounds = load_round(old), load_round(new)
    return tuple(
        ChangeLine(fact=each.fact, benchmarks=each.benchmarks, old=each.old, new=each.new)
        for each in changes_words(changes(*rounds), rounds)
    )


def _steps(before: list[Best], after: list[Best]) -> tuple[StepLine, ...]:
    """The groups of the closed division whose best changed most."""
    found = [
        StepLine(
            by=each.after.by.value,
            benchmark=each.after.benchmark,
            scenario=each.after.scenario,
            division=each.after.division,
            category=each.after.category,
            before=each.before.figure or 0.0,
            after=each.after.figure or 0.0,
            ratio=each.ratio,
            uid=each.after.uid,
            before_uid=each.before.uid,
            system=each.after.system,
            before_system=each.before.system,
        )
        for each in steps(before, after)
        if each.ratio is not None and each.after.division == "closed"
    ]
    return tuple(sorted(found, key=lambda each: -each.ratio)[:_STEPS])


def _scenarios(rules: Round) -> tuple[ScenarioLine, ...]:
    return tuple(
        ScenarioLine(name=each.value, unit=facts.unit, key=facts.result_field, words=scenario_words(facts))
        for each, facts in rules.scenarios.items()
    )


def _benchmarks(rules: Round) -> tuple[BenchmarkRules, ...]:
    lines = []
    for name, each in rules.benchmarks.items():
        scenarios = {category.value: tuple(map(str, each.scenarios(category))) for category in each.categories()}
        server = next((scenario for scenario in rules.scenarios if scenario.value == "Server"), None)
        asked = server is not None and any("Server" in words for words in scenarios.values())
        lines.append(
            BenchmarkRules(
                name=name,
                model=each.model,
                targets=tuple(map(target_text, each.quality)),
                edge=scenarios.get("edge", ()),
                datacenter=scenarios.get("datacenter", ()),
                server=limits_words(rules.scenarios[server], each.limits[server]) if asked and server else "",
                compliance=each.compliance,
                placeholder=each.placeholder,
            )
        )
    return tuple(lines)

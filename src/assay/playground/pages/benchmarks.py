"""Benchmarks: what each is and asks, who leads, how the best changed over rounds, how accuracies are spread."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path as PathParameter
from fastapi import Query
from fastapi.responses import Response

from assay.errors import unknown
from assay.playground.here import Looking
from assay.playground.lines import ChartForm, LeaderLine, chart_answer, csv_answer, leader_lines
from assay.playground.page import PageModel, Pages
from assay.results.best import Best, By, best_results
from assay.results.contents import AccuracyBin, Content, accuracies, contents
from assay.results.page_charts import Bin, Point, spread, trend
from assay.rules.load import load_round, round_names
from assay.rules.model import Benchmark, Round
from assay.rules.words import benchmark_words, categories_words, limits_words, target_text

pages = Pages("benchmarks")
_Name = Annotated[str, PathParameter(max_length=300)]
_Metric = Literal["samples_per_second", "samples_per_joule"]
_UNITS = {"samples_per_second": "samples per second", "samples_per_joule": "samples per joule"}
_Category = Literal["edge", "datacenter"]
_Division = Literal["closed", "open", "network"]


class BenchmarkLine(PageModel):
    """A benchmark in the list."""

    name: str
    task: str
    model: str
    dataset: str
    rounds: tuple[str, ...]
    target: str
    edge: tuple[str, ...]
    datacenter: tuple[str, ...]
    results: int
    measured: int
    power: int


class BenchmarksPage(PageModel):
    """Every benchmark of the rounds that are known, and what else has results."""

    benchmarks: tuple[BenchmarkLine, ...]


class ScenarioLine(PageModel):
    """What a scenario asks in a category."""

    category: str
    scenario: str
    required: bool
    limits: str


class RulesLine(PageModel):
    """What a round asks of the benchmark."""

    round: str
    targets: tuple[str, ...]
    edge: tuple[str, ...]
    datacenter: tuple[str, ...]
    compliance: tuple[str, ...]


class ContentLine(PageModel):
    """Results of a round, category and division."""

    round: str
    official: bool
    category: str
    division: str
    results: int
    measured: int
    power: int
    organisations: int
    systems: int


class TrendPoint(PageModel):
    """The best of a round in a scenario."""

    round: str
    scenario: str
    figure: float
    organisation: str | None
    system: str | None
    accelerator: str | None
    uid: str


class AccuracyLine(PageModel):
    """How many results have an accuracy from one figure to another."""

    metric: str
    unit: str | None
    division: str
    low: float
    high: float
    results: int


class BenchmarkPage(PageModel):
    """A benchmark."""

    name: str
    words: str
    aliases: tuple[str, ...]
    rules_round: str | None
    scenarios: tuple[ScenarioLine, ...]
    rules: tuple[RulesLine, ...]
    contents: tuple[ContentLine, ...]
    leaders_round: str | None
    leaders: tuple[LeaderLine, ...]
    metric: _Metric
    category: _Category
    division: _Division
    trend: tuple[TrendPoint, ...]
    accuracies: tuple[AccuracyLine, ...]


def _known() -> list[Round]:
    return [load_round(name) for name in round_names()]


def _lines(found: list[Content]) -> list[BenchmarkLine]:
    newest: dict[str, Benchmark] = {}
    rounds: dict[str, list[str]] = {}
    for round_ in _known():
        for name, benchmark in round_.benchmarks.items():
            newest[name] = benchmark
            rounds.setdefault(name, []).append(round_.name)
    return [
        _line(name, newest.get(name), rounds.get(name, []), [each for each in found if each.benchmark == name])
        for name in dict.fromkeys([*newest, *sorted({each.benchmark for each in found})])
    ]


def _line(name: str, benchmark: Benchmark | None, rounds: list[str], own: list[Content]) -> BenchmarkLine:
    scenarios = {category: (*must, *may) for category, must, may in categories_words(benchmark)} if benchmark else {}
    return BenchmarkLine(
        name=name,
        task=benchmark.task if benchmark else "",
        model=benchmark.model if benchmark else "",
        dataset=benchmark.dataset if benchmark else "",
        rounds=tuple(rounds),
        target=target_text(benchmark.quality[0]) if benchmark and benchmark.quality else "",
        edge=scenarios.get("edge", ()),
        datacenter=scenarios.get("datacenter", ()),
        results=sum(each.results for each in own),
        measured=sum(each.measured for each in own),
        power=sum(each.power for each in own),
    )


@pages.router.get("/benchmarks.csv", summary="Benchmarks as CSV", response_class=Response)
def benchmarks_csv(here: Looking) -> Response:
    """The list of benchmarks as a file."""
    columns = tuple(BenchmarkLine.model_fields)
    rows = ([getattr(each, name) for name in columns] for each in _lines(contents(here.store)))
    return csv_answer(here, "benchmarks", columns, rows)


@pages.get("/benchmarks", template="benchmarks.html", kept=True)
def benchmarks(here: Looking) -> BenchmarksPage:
    """Benchmarks with what they ask and how many results there are."""
    return BenchmarksPage(benchmarks=tuple(_lines(contents(here.store))))


@pages.router.get("/benchmarks/{name:path}/trend.{form}", summary="The best over rounds, as a chart")
def benchmark_trend(
    here: Looking,
    name: _Name,
    form: ChartForm,
    metric: _Metric = "samples_per_second",
    category: _Category = "datacenter",
    division: _Division = "closed",
) -> Response:
    """The best of each round, a line for each scenario."""
    points = [
        Point(each.round, each.scenario, each.figure, f"{each.organisation} {each.system}", each.uid)
        for each in _trend(best_results(here.store, benchmark=name), metric, category, division)
    ]
    return chart_answer(here, trend(points, title=_UNITS[metric], series="scenario"), form)


@pages.router.get("/benchmarks/{name:path}/accuracy.{form}", summary="How accuracies are spread, as a chart")
def benchmark_accuracy(here: Looking, name: _Name, form: ChartForm) -> Response:
    """How many results have which accuracy."""
    found = accuracies(here.store, name)
    bins = [Bin(each.low, each.high, each.division, each.results) for each in found]
    metric = found[0].metric if found else ""
    unit = {"percent": "%", None: ""}.get(found[0].unit, found[0].unit) if found else ""
    targets: dict[float, str] = {}
    for round_ in _known():
        benchmark = round_.benchmarks.get(name)
        for target in benchmark.quality if benchmark else ():
            if target.metric == metric:
                targets.setdefault(round(target.target, 6), f"closed division asks {target_text(target)}")
    title = f"{metric} ({unit})" if unit else metric
    return chart_answer(here, spread(bins, title=title, targets=[(text, each) for each, text in targets.items()]), form)


@pages.get("/benchmarks/{name:path}", template="benchmark.html", kept=True)
def benchmark(
    here: Looking,
    name: _Name,
    metric: _Metric = "samples_per_second",
    category: _Category | None = None,
    division: _Division = "closed",
    round_: Annotated[str, Query(alias="round", max_length=100)] = "",
) -> BenchmarkPage:
    """A benchmark: what it is and asks, who leads, how the best changed, how accuracies are spread."""
    held = contents(here.store, benchmark=name)
    rounds = [each for each in _known() if name in each.benchmarks]
    if not held and not rounds:
        raise unknown("benchmark", name, [each.name for each in _lines(contents(here.store))], hint="all: /benchmarks")
    best = best_results(here.store, benchmark=name)
    with_results = list(dict.fromkeys(each.round for each in best))
    chosen = round_ if round_ in with_results else next(iter(with_results), None)
    shown = category or _usual(best)
    newest = rounds[-1] if rounds else None
    own = newest.benchmarks[name] if newest else None
    return BenchmarkPage(
        name=name,
        words=benchmark_words(own) if own else "",
        aliases=own.aliases if own else (),
        rules_round=newest.name if newest else None,
        scenarios=_scenarios(newest, own) if newest and own else (),
        rules=tuple(_rules(each, each.benchmarks[name]) for each in reversed(rounds)),
        contents=tuple(ContentLine.model_validate(each, from_attributes=True) for each in held),
        leaders_round=chosen,
        leaders=leader_lines([each for each in best if each.round == chosen]),
        metric=metric,
        category=shown,
        division=division,
        trend=_trend(best, metric, shown, division),
        accuracies=tuple(_accuracy(each) for each in accuracies(here.store, name)),
    )


def _accuracy(found: AccuracyBin) -> AccuracyLine:
    return AccuracyLine.model_validate(found, from_attributes=True)


def _usual(found: list[Best]) -> _Category:
    """The category with more groups."""
    edge = sum(each.category == "edge" for each in found)
    return "edge" if edge > len(found) - edge else "datacenter"


def _trend(found: list[Best], metric: str, category: str, division: str) -> tuple[TrendPoint, ...]:
    return tuple(
        TrendPoint(
            round=each.round,
            scenario=each.scenario,
            figure=each.figure or 0.0,
            organisation=each.organisation,
            system=each.system,
            accelerator=each.accelerator,
            uid=each.uid,
        )
        for each in sorted(found, key=lambda each: (each.scenario, each.round))
        if each.by == By(metric) and each.category == category and each.division == division
    )


def _scenarios(round_: Round, benchmark: Benchmark) -> tuple[ScenarioLine, ...]:
    lines = []
    for category, required, optional in categories_words(benchmark):
        for scenario, facts in round_.scenarios.items():
            if scenario.value in (*required, *optional):
                words = limits_words(facts, benchmark.limits[scenario])
                lines.append(
                    ScenarioLine(
                        category=category, scenario=scenario.value, required=scenario.value in required, limits=words
                    )
                )
    return tuple(lines)


def _rules(round_: Round, benchmark: Benchmark) -> RulesLine:
    scenarios = {category: (*must, *may) for category, must, may in categories_words(benchmark)}
    return RulesLine(
        round=round_.name,
        targets=tuple(map(target_text, benchmark.quality)),
        edge=scenarios.get("edge", ()),
        datacenter=scenarios.get("datacenter", ()),
        compliance=benchmark.compliance,
    )

"""Systems: a list that can be searched, and a page for each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path as PathParameter
from fastapi import Query
from fastapi.responses import Response

from assay.playground.here import Here, Looking
from assay.playground.lines import (
    ChartForm,
    LeaderLine,
    ResultLine,
    chart_answer,
    csv_answer,
    leader_lines,
    result_lines,
)
from assay.playground.page import PageModel, Pages
from assay.results import systems as all_systems
from assay.results.best import best_results
from assay.results.fields import by_name
from assay.results.lines import Line, of_system
from assay.results.page_charts import Point, trend
from assay.results.systems import Asked, find_system, same_chip

pages = Pages("systems")
_ON_A_PAGE = 50
_RESULTS = 150
_EVERYTHING = 1_000_000
_Words = Annotated[str, Query(max_length=200)]
_Round = Annotated[str, Query(alias="round", max_length=200)]
_Name = Annotated[str, PathParameter(max_length=300)]
_Sort = Literal[
    "organisation", "system", "accelerator", "-accelerators", "-results", "-measured", "-power", "-benchmarks", "-round"
]
_COLUMNS = (
    "organisation", "system", "system_name", "availability", "category", "accelerator", "accelerators", "processor",
    "nodes", "rounds", "results", "measured", "power", "benchmarks", "official",
)  # fmt: skip


class SystemLine(PageModel):
    """A system in the list; its description is that of its newest round."""

    organisation: str
    system: str
    system_name: str | None
    availability: str | None
    category: tuple[str, ...]
    accelerator: str | None
    accelerators: int | None
    processor: str | None
    nodes: int | None
    rounds: tuple[str, ...]
    results: int
    measured: int
    power: int
    benchmarks: int
    official: bool


class SystemsPage(PageModel):
    """A part of the list of systems."""

    found: int
    page: int
    pages: int
    sort: str
    chosen: dict[str, str]
    narrowed: bool
    choices: dict[str, tuple[str, ...]]
    systems: tuple[SystemLine, ...]


class Described(PageModel):
    """A field of a description with its value in each round."""

    name: str
    unit: str
    meaning: str
    values: tuple[Any, ...]
    differs: bool


class Sibling(PageModel):
    """Another system with the same accelerator."""

    organisation: str
    system: str
    accelerators: int | None
    results: int


class Trend(PageModel):
    """The best figure of a benchmark in a round."""

    round: str
    benchmark: str
    figure: float
    uid: str


class SystemPage(PageModel):
    """A system with all that was submitted of it."""

    organisation: str
    system: str
    rounds: tuple[str, ...]
    described: tuple[Described, ...]
    results: tuple[ResultLine, ...]
    more: bool
    leads: tuple[LeaderLine, ...]
    siblings: tuple[Sibling, ...]
    accelerator: str | None
    trend_scenario: str
    trend_scenarios: tuple[str, ...]
    trend: tuple[Trend, ...]


def _asked(q: str, organisation: str, round_: str, category: str, accelerator: str, sort: str) -> Asked:
    return Asked(
        tuple(q.split())[:12], organisation or None, round_ or None, category or None, accelerator or None, sort
    )


@pages.router.get("/systems.csv", summary="Systems as CSV", response_class=Response)
def systems_csv(
    here: Looking,
    q: _Words = "",
    organisation: _Words = "",
    round_: _Round = "",
    category: _Words = "",
    accelerator: _Words = "",
    sort: _Sort = "organisation",
) -> Response:
    """The list of systems as a file."""
    asked = _asked(q, organisation, round_, category, accelerator, sort)
    _, found = all_systems.systems(here.store, asked, most=_EVERYTHING)
    return csv_answer(here, "systems", _COLUMNS, ([getattr(each, name) for name in _COLUMNS] for each in found))


@pages.get("/systems", template="systems.html", kept=True)
def systems(
    here: Looking,
    q: _Words = "",
    organisation: _Words = "",
    round_: _Round = "",
    category: _Words = "",
    accelerator: _Words = "",
    sort: _Sort = "organisation",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> SystemsPage:
    """Systems that were submitted, with counts of their results."""
    asked = _asked(q, organisation, round_, category, accelerator, sort)
    count, found = all_systems.systems(here.store, asked, most=_ON_A_PAGE, offset=(page - 1) * _ON_A_PAGE)
    given = {"q": q, "organisation": organisation, "round": round_, "category": category, "accelerator": accelerator}
    return SystemsPage(
        found=count,
        page=page,
        pages=max(1, -(-count // _ON_A_PAGE)),
        sort=sort,
        chosen=given,
        narrowed=any(given.values()),
        choices={name: tuple(values) for name, values in all_systems.choices(here.store).items()},
        systems=tuple(SystemLine.model_validate(each, from_attributes=True) for each in found),
    )


@pages.router.get("/systems/{organisation}/{system:path}/trend.{form}", summary="A system over rounds, as a chart")
def system_trend(here: Looking, organisation: _Name, system: _Name, form: ChartForm, scenario: _Words = "") -> Response:
    """The best figures of a system in each round, a line for each benchmark."""
    found = find_system(here.store, organisation, system)
    lines = of_system(here.store, found.organisation, found.system, most=_RESULTS)
    chosen, _ = _scenarios(lines, scenario)
    points = [Point(each.round, each.benchmark, each.figure, system, each.uid) for each in _trend(lines, chosen)]
    title = f"samples per second, {chosen}"
    return chart_answer(here, trend(points, title=title, series="benchmark", rounds=tuple(found.descriptions)), form)


@pages.get("/systems/{organisation}/{system:path}", template="system.html", kept=True)
def system(here: Looking, organisation: _Name, system: _Name, scenario: _Words = "") -> SystemPage:
    """A system: its description as submitted, its results, where it leads, and others like it."""
    found = find_system(here.store, organisation, system)
    lines = of_system(here.store, found.organisation, found.system, most=_RESULTS + 1)
    chosen, scenarios = _scenarios(lines, scenario)
    return SystemPage(
        organisation=found.organisation,
        system=found.system,
        rounds=tuple(found.descriptions),
        described=_described(found),
        results=result_lines(lines[:_RESULTS]),
        more=len(lines) > _RESULTS,
        leads=leader_lines(best_results(here.store, organisation=found.organisation, system=found.system)),
        siblings=_siblings(here, found),
        accelerator=next((each.accelerator for each in lines if each.accelerator), None),
        trend_scenario=chosen,
        trend_scenarios=scenarios,
        trend=tuple(_trend(lines, chosen)) if len(found.descriptions) > 1 else (),
    )


def _described(found: all_systems.System) -> tuple[Described, ...]:
    described = []
    for name in all_systems.DESCRIBED:
        values = tuple(each[name] for each in found.descriptions.values())
        if any(value not in (None, []) for value in values):
            info = by_name()[name]
            differs = any(value != values[0] for value in values[1:])
            described.append(
                Described(name=name, unit=info.unit, meaning=info.description, values=values, differs=differs)
            )
    return tuple(described)


def _siblings(here: Here, found: all_systems.System) -> tuple[Sibling, ...]:
    return tuple(
        Sibling(organisation=organisation, system=system, accelerators=accelerators, results=results)
        for organisation, system, accelerators, results in same_chip(here.store, found, most=12)
    )


def _scenarios(lines: list[Line], wanted: str) -> tuple[str, tuple[str, ...]]:
    """The scenario that a chart shows, and those that it may show: the wanted one, else that with most rounds."""
    rounds: dict[str, set[tuple[str, str]]] = {}
    for each in lines:
        rounds.setdefault(each.scenario, set()).add((each.round, each.benchmark))
    names = tuple(sorted(rounds))
    usual = max(names, key=lambda name: (len(rounds[name]), name), default="Offline")
    return (wanted if wanted in rounds else usual), names


def _trend(lines: list[Line], scenario: str) -> list[Trend]:
    best: dict[tuple[str, str], Line] = {}
    for each in lines:
        if each.scenario != scenario or not each.samples_per_second or each.method != "measured":
            continue
        key = (each.benchmark, each.round)
        if key not in best or each.samples_per_second > (best[key].samples_per_second or 0):
            best[key] = each
    return [
        Trend(round=round_, benchmark=benchmark, figure=each.samples_per_second or 0.0, uid=each.uid)
        for (benchmark, round_), each in sorted(best.items())
    ]

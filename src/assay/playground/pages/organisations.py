"""Organisations: who submitted what, round by round."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path as PathParameter
from fastapi.responses import Response

from assay.playground.here import Looking
from assay.playground.lines import ChartForm, LeaderLine, chart_answer, csv_answer, leader_lines
from assay.playground.page import PageModel, Pages
from assay.playground.pages.systems import SystemLine
from assay.results import organisations as all_organisations
from assay.results import systems as all_systems
from assay.results.best import best_results
from assay.results.page_charts import Point, stacked

pages = Pages("organisations")
_SYSTEMS = 300
_Name = Annotated[str, PathParameter(max_length=300)]
_COLUMNS = ("systems", "results", "measured", "closed", "open", "power", "power_share", "benchmarks", "official")


class Submitted(PageModel):
    """Counts of what was submitted; the network division counts as closed."""

    systems: int
    results: int
    measured: int
    closed: int
    open: int
    power: int
    power_share: float
    benchmarks: int
    official: bool


class OrganisationLine(PageModel):
    """An organisation in the list."""

    name: str
    rounds: tuple[str, ...]
    submitted: Submitted


class OrganisationsPage(PageModel):
    """Every organisation."""

    organisations: tuple[OrganisationLine, ...]


class RoundLine(PageModel):
    """What was submitted in a round."""

    round: str
    submitted: Submitted


class OrganisationPage(PageModel):
    """An organisation with what it submitted."""

    name: str
    rounds: tuple[RoundLine, ...]
    systems: tuple[SystemLine, ...]
    systems_found: int
    leads: tuple[LeaderLine, ...]


@pages.router.get("/organisations.csv", summary="Organisations as CSV", response_class=Response)
def organisations_csv(here: Looking) -> Response:
    """The list of organisations as a file."""
    found = all_organisations.organisations(here.store)
    rows = ([each.name, each.rounds, *(getattr(each.submitted, name) for name in _COLUMNS)] for each in found)
    return csv_answer(here, "organisations", ("organisation", "rounds", *_COLUMNS), rows)


@pages.get("/organisations", template="organisations.html", kept=True)
def organisations(here: Looking) -> OrganisationsPage:
    """Organisations with counts of what they submitted."""
    found = all_organisations.organisations(here.store)
    return OrganisationsPage(
        organisations=tuple(OrganisationLine.model_validate(each, from_attributes=True) for each in found)
    )


@pages.router.get("/organisations/{name:path}/trend.{form}", summary="An organisation over rounds, as a chart")
def organisation_trend(here: Looking, name: _Name, form: ChartForm) -> Response:
    """How many results an organisation submitted in each round."""
    found = all_organisations.find_organisation(here.store, name)
    points = []
    for round_, each in found.items():
        points += [
            Point(round_, "with power", each.power),
            Point(round_, "without power", each.results - each.power),
        ]
    return chart_answer(
        here, stacked(points, title="results", series="results", order=("with power", "without power")), form
    )


@pages.get("/organisations/{name:path}", template="organisation.html", kept=True)
def organisation(here: Looking, name: _Name) -> OrganisationPage:
    """An organisation: what it submitted in each round, its systems, and where it leads."""
    found = all_organisations.find_organisation(here.store, name)
    asked = all_systems.Asked(organisation=name, sort="-round")
    count, systems = all_systems.systems(here.store, asked, most=_SYSTEMS)
    return OrganisationPage(
        name=name,
        rounds=tuple(
            RoundLine(round=round_, submitted=Submitted.model_validate(each, from_attributes=True))
            for round_, each in found.items()
        ),
        systems=tuple(SystemLine.model_validate(each, from_attributes=True) for each in systems),
        systems_found=count,
        leads=leader_lines(best_results(here.store, organisation=name)),
    )

"""Contributors: who takes part, with points and what each of them was given for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Query
from fastapi.responses import Response

from assay.community.challenge import Challenge
from assay.community.challenges import load_challenges
from assay.community.contributor import AcceptedEntry, ContributorStanding, among, load_contributors
from assay.community.report import Report, load_reports
from assay.playground.authored import authored
from assay.playground.here import Here, Looking
from assay.playground.lines import csv_answer
from assay.playground.page import PageModel, Pages

pages = Pages("contributors")
_PER_PAGE = 50
_RESULTS = 500
_HEADING = (
    "place", "account", "name", "organisation", "points", "awarded", "computed", "results", "reports", "challenges",
    "trophies", "last_participation",
)  # fmt: skip
Words = Annotated[str, Query(max_length=200)]


class ContributorLine(PageModel):
    """A line of the leaderboard; ``points`` are those that somebody ``awarded`` and those that are ``computed``."""

    place: int
    account: str
    name: str
    organisation: str
    points: int
    awarded: int
    computed: int
    results: int
    reports: int
    challenges: int
    trophies: int
    last_participation: str


class ContributorsPage(PageModel):
    """A page of the leaderboard."""

    q: str
    page: int
    pages: int
    total: int
    found: int
    contributors: tuple[ContributorLine, ...]


@pages.router.get("/contributors.csv", summary="The leaderboard of contributors as CSV", response_class=Response)
def contributors_csv(here: Looking, q: Words = "") -> Response:
    """Everybody who takes part as a file, or those whose names have all words of ``q``."""
    lines = _lines(_everybody(here), q)
    return csv_answer(here, "contributors", _HEADING, ([getattr(each, name) for name in _HEADING] for each in lines))


@pages.get("/contributors", template="contributors.html")
def contributors(here: Looking, q: Words = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> ContributorsPage:
    """Everybody who takes part, most points first."""
    everybody = _everybody(here)
    lines = _lines(everybody, q)
    last = max(1, -(-len(lines) // _PER_PAGE))
    page = min(page, last)
    return ContributorsPage(
        q=q,
        page=page,
        pages=last,
        total=len(everybody),
        found=len(lines),
        contributors=tuple(lines[(page - 1) * _PER_PAGE : page * _PER_PAGE]),
    )


def _everybody(here: Here) -> tuple[ContributorStanding, ...]:
    return load_contributors(here.settings, here.store, _challenges(here), audience=here.viewer.audience)


def _challenges(here: Here) -> tuple[Challenge, ...]:
    return load_challenges(here.settings, here.viewer.audience, here.now).items


def _lines(everybody: Sequence[ContributorStanding], q: str) -> list[ContributorLine]:
    words = q.casefold().split()
    return [
        ContributorLine(
            place=each.place,
            account=each.account,
            name=each.name,
            organisation=each.organisation,
            points=each.points,
            awarded=each.awarded,
            computed=each.reckoned,
            results=len(each.results),
            reports=len(each.reports),
            challenges=len(each.challenges),
            trophies=len(each.trophies),
            last_participation=each.last_participation,
        )
        for each in everybody
        if all(word in f"{each.name} {each.account} {each.organisation}".casefold() for word in words)
    ]


class ChallengeLink(PageModel):
    """A challenge; ``name`` is empty where the entry's words fit none that is here."""

    name: str
    title: str
    ongoing: bool


class ReportLink(PageModel):
    """A report."""

    name: str
    title: str
    verdict: str | None
    date: str


class PointLine(PageModel):
    """What points were given for, with what they are about."""

    points: int
    why: str
    when: str
    by_hand: bool
    provisional: bool
    challenge: ChallengeLink | None
    result: str | None
    report: ReportLink | None


class ResultLine(PageModel):
    """An accepted result."""

    uid: str
    round: str
    benchmark: str
    scenario: str
    division: str
    value: float | None
    unit: str | None
    system: str | None
    model: str | None
    labels: tuple[str, ...]
    accepted: str
    challenges: tuple[ChallengeLink, ...]


class DayLine(PageModel):
    """What somebody did on a day: accepted results and reports."""

    day: str
    results: int
    reports: tuple[ReportLink, ...]
    benchmarks: tuple[str, ...]


class ContributorPage(PageModel):
    """A contributor with the whole trail of their points; ``html`` is their text, made harmless."""

    line: ContributorLine
    of: int
    uid: str
    urls: tuple[str, ...]
    trophies: tuple[str, ...]
    html: str
    trail: tuple[PointLine, ...]
    results: tuple[ResultLine, ...]
    results_found: int
    reports: tuple[ReportLink, ...]
    challenges: tuple[ChallengeLink, ...]
    history: tuple[DayLine, ...]


@pages.get("/contributors/{name}", template="contributor.html")
def contributor(here: Looking, name: Annotated[str, PathParameter(max_length=300)]) -> ContributorPage:
    """A contributor: points and what each was given for, results, reports, challenges, trophies."""
    challenges = _challenges(here)
    audience = here.viewer.audience
    everybody = load_contributors(here.settings, here.store, challenges, audience=audience)
    found = among(everybody, name)
    known = {each.uid: each for each in challenges}
    written = {each.uid: each for each in load_reports(here.settings, audience, here.store).items}
    (line,) = _lines([found], "")
    return ContributorPage(
        line=line,
        of=len(everybody),
        uid=found.uid,
        urls=found.urls,
        trophies=found.trophies,
        html=authored(found.readme, found.name) if found.readme else "",
        trail=_trail(found, known, written),
        results=tuple(_result(each, known) for each in found.results[:_RESULTS]),
        results_found=len(found.results),
        reports=tuple(_report(written[uid]) for uid in found.reports),
        challenges=tuple(
            _challenge(known[word], found) if word in known else ChallengeLink(name="", title=word, ongoing=False)
            for word in found.challenges
        ),
        history=_history(found, written),
    )


def _challenge(challenge: Challenge, of: ContributorStanding | None = None) -> ChallengeLink:
    ongoing = of is not None and challenge.uid in of.ongoing
    return ChallengeLink(name=challenge.name, title=challenge.title, ongoing=ongoing)


def _report(report: Report) -> ReportLink:
    return ReportLink(
        name=report.name,
        title=report.title,
        verdict=report.verdict.value if report.verdict else None,
        date=report.date.isoformat() if report.date else "",
    )


def _trail(
    found: ContributorStanding, challenges: Mapping[str, Challenge], reports: Mapping[str, Report]
) -> tuple[PointLine, ...]:
    return tuple(
        PointLine(
            points=each.points,
            why=each.why,
            when=each.when,
            by_hand=each.by_hand,
            provisional=each.provisional,
            challenge=_challenge(challenges[each.challenge])
            if each.challenge and each.challenge in challenges
            else None,
            result=each.result,
            report=_report(reports[each.report]) if each.report and each.report in reports else None,
        )
        for each in found.trail
    )


def _result(entry: AcceptedEntry, challenges: Mapping[str, Challenge]) -> ResultLine:
    same = {name: getattr(entry, name) for name in ResultLine.model_fields if name != "challenges"}
    return ResultLine(
        challenges=tuple(_challenge(challenges[uid]) for uid in entry.challenges if uid in challenges), **same
    )


def _history(found: ContributorStanding, reports: Mapping[str, Report]) -> tuple[DayLine, ...]:
    """Days on which something was accepted or told, newest first."""
    results: dict[str, list[AcceptedEntry]] = {}
    for each in found.results:
        results.setdefault(each.accepted[:10], []).append(each)
    told: dict[str, list[Report]] = {}
    for uid in found.reports:
        day = reports[uid].date
        told.setdefault(day.isoformat() if day else "", []).append(reports[uid])
    return tuple(
        DayLine(
            day=day,
            results=len(results.get(day, [])),
            reports=tuple(_report(each) for each in told.get(day, [])),
            benchmarks=tuple(dict.fromkeys(each.benchmark for each in results.get(day, []))),
        )
        for day in sorted({*results, *told}, reverse=True)
    )

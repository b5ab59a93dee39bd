"""Reports: somebody ran a result again, and tells what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Form, Query
from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse, Response

from assay.community.challenges import load_challenges
from assay.community.report import Report, ReportVerdict, find_report, load_reports
from assay.errors import AssayError
from assay.playground.accounts.viewer import Scope
from assay.playground.authored import authored
from assay.playground.forms import mistake_of, shown
from assay.playground.here import Here, Looking
from assay.playground.lines import ResultLine, result_lines
from assay.playground.markup import segment
from assay.playground.page import PageModel, Pages, answer_json
from assay.playground.pages.challenges import ProblemLine, problem_lines
from assay.playground.report_form import ReportFormPage, Sent, check, form_page, unit_of, write
from assay.playground.security.answers import wants_json
from assay.results.lines import of_uids
from assay.results.one import find_result

pages = Pages("reports")
_PER_PAGE = 50
_NONE = "none"
Words = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form()]


class ChallengeLink(PageModel):
    """A challenge that a report is about."""

    name: str
    title: str


class ReportLine(PageModel):
    """A report in the list; ``redirect`` is the address of one that is told elsewhere."""

    name: str
    uid: str
    title: str
    date: str
    verdict: str | None
    contributor: str
    private: bool
    redirect: str
    results: tuple[ResultLine, ...]
    challenges: tuple[ChallengeLink, ...]


class ReportsPage(PageModel):
    """Reports, newest first."""

    q: str
    verdict: str
    verdicts: tuple[str, ...]
    page: int
    pages: int
    total: int
    found: int
    reports: tuple[ReportLine, ...]
    problems: tuple[ProblemLine, ...]


@pages.get("/reports", template="reports.html")
def reports(
    here: Looking, q: Words = "", verdict: Words = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> ReportsPage:
    """Reports of who ran a result again, newest first."""
    loaded = load_reports(here.settings, here.viewer.audience, here.store)
    found = [each for each in loaded.items if _wanted(each, q, verdict)]
    last = max(1, -(-len(found) // _PER_PAGE))
    page = min(page, last)
    return ReportsPage(
        q=q,
        verdict=verdict,
        verdicts=(*(each.value for each in ReportVerdict), _NONE),
        page=page,
        pages=last,
        total=len(loaded.items),
        found=len(found),
        reports=_lines(here, found[(page - 1) * _PER_PAGE : page * _PER_PAGE]),
        problems=problem_lines(loaded.problems),
    )


def _wanted(report: Report, q: str, verdict: str) -> bool:
    text = f"{report.title} {report.name} {report.contributor} {' '.join(report.tags)}".casefold()
    said = report.verdict.value if report.verdict else _NONE
    return all(word in text for word in q.casefold().split()) and (not verdict or said == verdict)


def _lines(here: Here, found: list[Report]) -> tuple[ReportLine, ...]:
    challenges = {
        each.uid: ChallengeLink(name=each.name, title=each.title)
        for each in load_challenges(here.settings, here.viewer.audience, here.now).items
    }
    uids = list(dict.fromkeys(uid for each in found for uid in each.results))
    results = {each.uid: each for each in result_lines(of_uids(here.store, uids))}
    return tuple(
        ReportLine(
            name=each.name,
            uid=each.uid,
            title=each.title,
            date=each.date.isoformat() if each.date else "",
            verdict=each.verdict.value if each.verdict else None,
            contributor=each.contributor,
            private=each.private,
            redirect=each.redirect,
            results=tuple(results[uid] for uid in each.results if uid in results),
            challenges=tuple(challenges[uid] for uid in each.challenges if uid in challenges),
        )
        for each in found
    )


# ---- writing one; before "/reports/{name}", which takes every other name


@pages.get("/reports/new", template="report_form.html")
def new_report(here: Looking, result: Words = "", challenge: Words = "") -> ReportFormPage:
    """The form of a report about a result."""
    here.viewer.require(Scope.PUSH)
    return form_page(here, Sent(result=result, challenge=challenge))


@pages.router.post("/reports/new", summary="Write a report about a result", status_code=303)
def send_report(
    here: Looking,
    title: Text = "",
    text: Text = "",
    result: Text = "",
    challenge: Text = "",
    verdict: Text = "",
    private: Text = "",
    value: Text = "",
    samples_per_second: Text = "",
    accuracy: Text = "",
    watts: Text = "",
    joules_per_sample: Text = "",
    act: Text = "send",
) -> Response:
    """Write a report: a commit by who is signed in. With ``act=preview`` it is only shown."""
    here.viewer.require(Scope.PUSH)
    figures = {
        "value": value,
        "samples_per_second": samples_per_second,
        "accuracy": accuracy,
        "watts": watts,
        "joules_per_sample": joules_per_sample,
    }
    sent = Sent(result[:200], challenge[:200], title, text, verdict, bool(private), figures)
    try:
        if act == "preview":
            check(sent)
            return shown(here, "report_form.html", form_page(here, sent, preview=authored(text, title)))
        report = write(here, sent)
    except AssayError as error:
        # What it is about has to be there; everything else is said beside the form.
        page = form_page(here, replace(sent, text=text[:400_000]), mistake=mistake_of(error, "report"))
        return shown(here, "report_form.html", page, error)
    if wants_json(here.request.scope):
        answer = answer_json(_page(here, report))
        answer.status_code = 201
        return answer
    return RedirectResponse(f"/reports/{segment(report.name)}", status_code=303)


# ---- one report


class FigureLine(PageModel):
    """A figure: what was published, what was measured again, and how they compare; ``text`` where it is no number."""

    name: str
    unit: str
    published: float | None
    reproduced: float | None
    ratio: float | None
    text: str


class ReportPage(PageModel):
    """A report; ``html`` is its text, made harmless."""

    line: ReportLine
    repository: str
    tags: tuple[str, ...]
    text: str
    html: str
    figures: tuple[FigureLine, ...]
    compared_with: str


@pages.get("/reports/{name}", template="report.html")
def report(here: Looking, name: Annotated[str, PathParameter(max_length=300)]) -> ReportPage:
    """A report: what was run again, and how the figures compare."""
    return _page(here, find_report(here.settings, name, here.viewer.audience, here.store))


def _page(here: Here, found: Report) -> ReportPage:
    (line,) = _lines(here, [found])
    values: Mapping[str, Any] = find_result(here.store, line.results[0].uid).values if line.results else {}
    return ReportPage(
        line=line,
        repository=found.repository,
        tags=found.tags,
        text=found.text,
        html=authored(found.text, found.title) if found.text else "",
        figures=tuple(_figure(name, value, values) for name, value in found.figures.items()),
        compared_with=line.results[0].uid if line.results else "",
    )


def _figure(name: str, value: Any, values: Mapping[str, Any]) -> FigureLine:
    published = _number(values.get(name))
    reproduced = _number(value)
    return FigureLine(
        name=str(name)[:200],
        unit=unit_of(name, values),
        published=published,
        reproduced=reproduced,
        ratio=reproduced / published if reproduced is not None and published else None,
        text="" if reproduced is not None else str(value)[:500],
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

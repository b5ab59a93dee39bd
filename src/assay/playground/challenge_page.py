"""The page of a challenge: what its entry says, its board, and who takes part."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from assay.community.challenge import Challenge, Document
from assay.community.challenges import load_challenges
from assay.community.contributor import ContributorStanding, load_contributors
from assay.community.leaderboard import Leaderboard, leaderboard
from assay.community.report import load_reports
from assay.playground.authored import authored
from assay.playground.challenge_board import BoardLine, board_line
from assay.playground.challenge_line import ChallengeLine, line_of
from assay.playground.challenge_links import (
    comparable_address,
    document_address,
    document_name,
    experiment_address,
    for_server,
    links_of,
    results_address,
)
from assay.playground.challenge_words import MomentLine, scoring_in_words, timeline_of
from assay.playground.foreign_html import harmless
from assay.playground.here import Here
from assay.playground.markdown import render
from assay.playground.markup import segment
from assay.playground.page import PageModel
from assay.results.taking_part import benchmarks_with_results, taken_in


class LinkLine(PageModel):
    """A text with where it leads; empty for nowhere."""

    text: str
    address: str


class HowToLine(PageModel):
    """A step of taking part."""

    title: str
    command: str


class DocumentLine(PageModel):
    """A text of a challenge."""

    name: str
    title: str
    address: str


class ReportLine(PageModel):
    """A report about a challenge or a result of it."""

    name: str
    title: str
    verdict: str | None
    contributor: str
    date: str


class MemberLine(PageModel):
    """Somebody who takes part."""

    account: str
    name: str
    organisation: str
    results: int
    points: int


class Admitted(PageModel):
    """Somebody who was let into a private challenge."""

    account: str
    since: str
    admitted_by: str


class ScoringLine(PageModel):
    """Points as the entry gives them."""

    accepted: int
    first: int
    second: int
    third: int
    report: int


class ChallengePage(PageModel):
    """A challenge with everything about it.

    ``html`` is its main text, made harmless. ``part`` says whether the viewer takes part, ``may_join`` and ``may_admit``
    what the viewer may do.
    """

    name: str
    uid: str
    title: str
    repository: str
    line: ChallengeLine
    tags: tuple[str, ...]
    date_open: str
    date_close: str
    date_close_extension: str
    until_done: bool
    timezone: str
    prize: str
    notes: str
    urls: tuple[str, ...]
    digital_library_url: str
    report_url: str
    dashboard_url: str
    dashboard_note: str
    reproduced_papers_tags: str
    other: dict[str, Any]
    tasks: tuple[str, ...]
    benchmarks: tuple[LinkLine, ...]
    categories: tuple[str, ...]
    divisions: tuple[str, ...]
    scenarios: tuple[str, ...]
    filter: str
    ranking: str
    lowest: bool
    per: tuple[str, ...]
    scoring: ScoringLine
    scoring_words: tuple[str, ...]
    timeline: tuple[MomentLine, ...]
    rules: tuple[str, ...]
    rules_html: tuple[str, ...]
    how_to: tuple[HowToLine, ...]
    experiments: tuple[LinkLine, ...]
    documents: tuple[DocumentLine, ...]
    html: str
    board: BoardLine
    results_address: str
    comparable_address: str
    reports: tuple[ReportLine, ...]
    members: tuple[MemberLine, ...]
    admitted: tuple[Admitted, ...]
    part: bool
    may_join: bool
    may_admit: bool


def challenge_page(here: Here, found: Challenge, group: str) -> ChallengePage:
    """The page of a challenge.

    Args:
        here: the request.
        found: the challenge.
        group: key of the group of its board that is looked at; empty for all.

    Raises:
        NotFoundError: for a group that there is not.
    """
    board = leaderboard(here.store, found, here.names)
    seen = load_challenges(here.settings, here.viewer.audience, here.now).items
    people = load_contributors(here.settings, here.store, seen, audience=here.viewer.audience)
    mine = found.closes is None or here.now < found.closes
    part = _takes_part(here, found, people)
    readme = found.readme
    return ChallengePage(
        **_same(found),
        line=line_of(found, here.now, taken_in(here.store)),
        date_open=_day(found.date_open),
        date_close=_day(found.date_close),
        date_close_extension=_day(found.date_close_extension),
        other=dict(found.other),
        benchmarks=_benchmarks(here, found),
        ranking=found.ranking.metric,
        lowest=found.ranking.lowest,
        per=found.ranking.per,
        scoring=ScoringLine.model_validate(found.scoring, from_attributes=True),
        scoring_words=scoring_in_words(found.scoring),
        timeline=timeline_of(found, here.now),
        rules_html=tuple(str(render(for_server(each, _base(here)))) for each in found.rules),
        how_to=_how_to(here, found),
        experiments=tuple(
            LinkLine(text=each.tags or each.name, address=experiment_address(each)) for each in found.experiments
        ),
        documents=documents_of(found),
        html=html_of(here, found, readme) if readme else "",
        board=board_line(board, group, {each.account: each.name for each in people}),
        results_address=results_address(found),
        comparable_address=comparable_address(found),
        reports=_reports(here, found, board),
        members=_members(found, board, people),
        admitted=_admitted(here, found),
        part=part,
        may_join=mine and not part and not (found.private and here.playground.accounts is None),
        may_admit=here.playground.accounts is not None and here.viewer.is_maintainer,
    )


_SAME = (
    "name", "uid", "title", "repository", "tags", "until_done", "timezone", "prize", "notes", "urls",
    "digital_library_url", "report_url", "dashboard_url", "dashboard_note", "reproduced_papers_tags", "tasks",
    "categories", "divisions", "scenarios", "filter", "rules",
)  # fmt: skip


def _same(challenge: Challenge) -> dict[str, Any]:
    return {name: getattr(challenge, name) for name in _SAME}


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _base(here: Here) -> str:
    """The address of this server."""
    return here.playground.config.base_url or str(here.request.base_url).rstrip("/")


def html_of(here: Here, challenge: Challenge, document: Document) -> str:
    """A text of a challenge, made harmless."""
    if document.html:
        return str(harmless(document.text))
    text = for_server(document.text, _base(here))
    titles = (challenge.title, document.title) if document.name.startswith("docs/") else (challenge.title,)
    return authored(text, *titles, link=links_of(challenge, document))


def documents_of(challenge: Challenge) -> tuple[DocumentLine, ...]:
    """The further texts of a challenge; the names of files tell those of one title apart."""
    found = [each for each in challenge.documents if each.name.startswith("docs/")]
    titles = Counter(each.title for each in found)
    return tuple(
        DocumentLine(
            name=each.name,
            title=each.title if titles[each.title] == 1 else f"{each.title}: {document_name(each.name)}",
            address=document_address(challenge.name, each.name),
        )
        for each in found
    )


def _benchmarks(here: Here, challenge: Challenge) -> tuple[LinkLine, ...]:
    """Benchmarks of a challenge; a link where there are results of one."""
    if not challenge.benchmarks:
        return ()
    known = benchmarks_with_results(here.store)
    return tuple(
        LinkLine(text=each, address=f"/benchmarks/{segment(each)}" if each in known else "")
        for each in challenge.benchmarks
    )


def _how_to(here: Here, challenge: Challenge) -> tuple[HowToLine, ...]:
    """The steps of taking part; where the entry names none, those that every challenge has."""
    given = [(each.title, for_server(each.command, _base(here))) for each in challenge.how_to]
    if not given:
        push = f"--to {_base(here)} --challenge {challenge.name}"
        given = [
            ("Run a model, and see the id of the run", "assay run mobilenet-v2 --quick && assay runs list"),
            ("Push the run", f"assay push RUN {push}"),
            ("Or check a submission tree, and push it", f"assay check ./submission && assay push ./submission {push}"),
        ]
    return tuple(HowToLine(title=title, command=command) for title, command in given)


def _reports(here: Here, challenge: Challenge, board: Leaderboard) -> tuple[ReportLine, ...]:
    found = load_reports(here.settings, here.viewer.audience, here.store).items
    return tuple(
        ReportLine(
            name=each.name,
            title=each.title,
            verdict=each.verdict.value if each.verdict else None,
            contributor=each.contributor,
            date=each.date.isoformat() if each.date else "",
        )
        for each in found
        if challenge.uid in each.challenges or not board.owners.keys().isdisjoint(each.results)
    )


def _members(
    challenge: Challenge, board: Leaderboard, people: tuple[ContributorStanding, ...]
) -> tuple[MemberLine, ...]:
    """Who takes part, those with results first."""
    own = set(board.owners.values())
    found = [
        MemberLine(
            account=each.account,
            name=each.name,
            organisation=each.organisation,
            results=sum(challenge.uid in result.challenges for result in each.results),
            points=sum(entry.points for entry in each.trail if entry.challenge == challenge.uid),
        )
        for each in people
        if challenge.uid in each.challenges or each.account in own
    ]
    return tuple(sorted(found, key=lambda each: (-each.points, -each.results, each.name.casefold())))


def _admitted(here: Here, challenge: Challenge) -> tuple[Admitted, ...]:
    """Who was let in or joined, for who may see it: members of a private challenge, and maintainers."""
    accounts = here.playground.accounts
    if accounts is None or not (challenge.private or here.viewer.is_maintainer):
        return ()
    return tuple(
        Admitted(account=each.account, since=each.since.isoformat(), admitted_by=each.admitted_by or "")
        for each in accounts.memberships.members(challenge.uid)
    )


def _takes_part(here: Here, challenge: Challenge, people: tuple[ContributorStanding, ...]) -> bool:
    name, accounts = here.viewer.name, here.playground.accounts
    if name is None:
        return False
    if accounts is not None:
        return any(each.challenge == challenge.uid for each in accounts.memberships.of(name))
    return any(each.account == name and challenge.uid in each.challenges for each in people)

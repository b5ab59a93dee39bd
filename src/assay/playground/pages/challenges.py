"""Challenges: what is asked, until when, who leads, and how to take part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Query
from fastapi.responses import Response

from assay.community.challenge import Challenge, Problem, Status
from assay.community.challenges import find_challenge, load_challenges
from assay.community.leaderboard import leaderboard
from assay.errors import NotFoundError
from assay.playground.challenge_board import board_rows, chart_of
from assay.playground.challenge_line import ChallengeLine, line_of, rounds_of
from assay.playground.challenge_links import document_address, document_name
from assay.playground.challenge_page import ChallengePage, DocumentLine, challenge_page, documents_of, html_of
from assay.playground.challenge_words import status_word
from assay.playground.here import Here, Looking
from assay.playground.lines import ChartForm, chart_answer, csv_answer
from assay.playground.page import PageModel, Pages
from assay.results.taking_part import taken_in

pages = Pages("challenges")
Name = Annotated[str, PathParameter(max_length=300)]
Words = Annotated[str, Query(max_length=200)]
_ORDER = (Status.OPEN, Status.UPCOMING, Status.PREPARING, Status.CLOSED)


class ProblemLine(PageModel):
    """An entry that is wrong: its folder within its repository, and why; ``listed`` when it is shown all the same."""

    path: str
    reason: str
    listed: bool


class Group(PageModel):
    """Challenges of one status."""

    status: str
    challenges: tuple[ChallengeLine, ...]


class ChallengesPage(PageModel):
    """Challenges by status, with what they were chosen by."""

    q: str
    status: str
    task: str
    round: str
    total: int
    found: int
    statuses: tuple[str, ...]
    tasks: tuple[str, ...]
    rounds: tuple[str, ...]
    groups: tuple[Group, ...]
    problems: tuple[ProblemLine, ...]


@pages.get("/challenges", template="challenges.html")
def challenges(here: Looking, q: Words = "", status: Words = "", task: Words = "", round: Words = "") -> ChallengesPage:  # noqa: A002
    """Challenges: open, upcoming, under preparation, closed."""
    loaded = load_challenges(here.settings, here.viewer.audience, here.now)
    counts = taken_in(here.store)
    wanted = [each for each in loaded.items if _wanted(each, q, status, task, round)]
    lines = {each: [line_of(one, here.now, counts) for one in wanted if one.status is each] for each in _ORDER}
    return ChallengesPage(
        q=q,
        status=status,
        task=task,
        round=round,
        total=len(loaded.items),
        found=len(wanted),
        statuses=tuple(status_word(each) for each in _ORDER),
        tasks=tuple(sorted({task for each in loaded.items for task in each.tasks}, key=str.casefold)),
        rounds=tuple(sorted({name for each in loaded.items for name in rounds_of(each)}, reverse=True)),
        groups=tuple(
            Group(status=status_word(each), challenges=tuple(found)) for each, found in lines.items() if found
        ),
        problems=problem_lines(loaded.problems),
    )


def problem_lines(problems: Sequence[Problem]) -> tuple[ProblemLine, ...]:
    """What is wrong with entries, without where this machine keeps them."""
    return tuple(
        ProblemLine(
            path="/".join(each.path.parts[-2:]),
            reason=each.reason.replace(f"{each.path}/", "").replace(str(each.path), each.path.name)[:1000],
            listed=each.listed,
        )
        for each in problems
    )


def _wanted(challenge: Challenge, q: str, status: str, task: str, round_: str) -> bool:
    text = " ".join((challenge.title, challenge.name, challenge.uid, *challenge.tags, *challenge.tasks)).casefold()
    return (
        all(word in text for word in q.casefold().split())
        and (not status or status_word(challenge.status) == status)
        and (not task or task in challenge.tasks)
        and (not round_ or round_ in rounds_of(challenge))
    )


@pages.router.get(
    "/challenges/{name}/leaderboard.csv", summary="A challenge's leaderboard as CSV", response_class=Response
)
def leaderboard_csv(here: Looking, name: Name) -> Response:
    """The standings of every group as a file."""
    challenge = _found(here, name)
    board = leaderboard(here.store, challenge, here.names)
    heading, rows = board_rows(board)
    return csv_answer(here, f"leaderboard-{challenge.uid}", heading, rows)


@pages.router.get("/challenges/{name}/standings.{form}", include_in_schema=False)
def standings(here: Looking, name: Name, form: ChartForm, group: Words = "") -> Response:
    """The standings of a group as a chart."""
    return chart_answer(here, chart_of(leaderboard(here.store, _found(here, name), here.names), group), form)


class DocumentPage(PageModel):
    """A further text of a challenge."""

    challenge: str
    challenge_title: str
    title: str
    address: str
    documents: tuple[DocumentLine, ...]
    html: str


@pages.get("/challenges/{name}/docs/{document}", template="challenge_document.html")
def document(here: Looking, name: Name, document: Name) -> DocumentPage:
    """One of the further texts of a challenge."""
    challenge = _found(here, name)
    for each in challenge.documents:
        if each.name.startswith("docs/") and document_name(each.name) == document.removesuffix(".md"):
            return DocumentPage(
                challenge=challenge.name,
                challenge_title=challenge.title,
                title=each.title,
                address=document_address(challenge.name, each.name),
                documents=documents_of(challenge),
                html=html_of(here, challenge, each),
            )
    raise NotFoundError("the challenge has no such text", where=document[:100])


@pages.get("/challenges/{name}", template="challenge.html")
def challenge(here: Looking, name: Name, group: Words = "") -> ChallengePage:
    """A challenge: rules, dates, points, how to take part, and its leaderboard."""
    return challenge_page(here, _found(here, name), group)


def _found(here: Here, name: str) -> Challenge:
    return find_challenge(here.settings, name, here.viewer.audience, here.now)

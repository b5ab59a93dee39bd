"""Points, each with what it was given for: totals are sums of such entries and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from assay.community.challenge import Status
from assay.community.leaderboard import Leaderboard
from assay.community.report import Report

_PLACES = {1: "first", 2: "second", 3: "third"}


@dataclass(frozen=True, slots=True)
class PointEntry:
    """A line of the audit trail.

    Attributes:
        contributor: account name.
        points: how many.
        why: in words.
        when: UTC or a date; empty when not known.
        challenge: uid; None for what belongs to none.
        result: uid; None for what is no result.
        report: uid; None for what is no report.
        by_hand: somebody wrote it into the contributor's entry; the others are reckoned.
        provisional: it may change while the challenge is open.
    """

    contributor: str
    points: int
    why: str
    when: str = ""
    challenge: str | None = None
    result: str | None = None
    report: str | None = None
    by_hand: bool = False
    provisional: bool = False


def points_of(board: Leaderboard, reports: Sequence[Report] = ()) -> tuple[PointEntry, ...]:
    """The points that a challenge gives: accepted results, places, and reports on results of others.

    A group counts once for everybody who has an accepted result in it, however many results they are, and a report
    counts once for each result that it is about. A place counts where there was somebody to beat, and is provisional
    while the challenge is open.
    """
    return (*_for_results(board), *_for_reports(board, reports))


def _for_results(board: Leaderboard) -> Iterator[PointEntry]:
    challenge, scoring = board.challenge, board.challenge.scoring
    still_open = challenge.status is not Status.CLOSED
    for group in board.groups:
        contested = len(group.standings) > 1
        for each in group.standings:
            who, when, about = each.contributor, each.accepted, (challenge.uid, each.uid)
            if scoring.accepted:
                yield PointEntry(who, scoring.accepted, f"accepted result: {group.title}", when, *about)
            if contested and (points := scoring.of_place(each.place)):
                why = f"{_PLACES[each.place]} place: {group.title}"
                yield PointEntry(who, points, why, when, *about, provisional=still_open)


def _for_reports(board: Leaderboard, reports: Sequence[Report]) -> Iterator[PointEntry]:
    challenge, points = board.challenge, board.challenge.scoring.report
    counted: set[tuple[str, str]] = set()
    # The oldest first: it is the one that counts.
    for report in sorted(reports, key=lambda each: (each.date or date.max, each.uid)):
        if not (points and report.contributor and report.verdict):
            continue
        for result in report.results:
            owner, key = board.owners.get(result), (report.contributor, result)
            if owner is None or owner == report.contributor or key in counted:
                continue
            counted.add(key)
            when = report.date.isoformat() if report.date else ""
            why = f"report ({report.verdict.value}): {report.title}"
            yield PointEntry(report.contributor, points, why, when, challenge.uid, result, report.uid)

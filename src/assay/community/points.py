"""Points, each with what it was given for: totals are sums of such entries and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.community.leaderboard import Leaderboard
from assay.community.report import Report


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
    """The points that a challenge gives: accepted results, places, and reports on results of others."""
    raise NotImplementedError

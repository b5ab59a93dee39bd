"""A challenge as lists show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from assay.community.challenge import Challenge
from assay.playground.challenge_words import State, state_of
from assay.playground.page import PageModel
from assay.results.taking_part import TakenIn


class ChallengeLine(PageModel):
    """A challenge in the list."""

    name: str
    uid: str
    title: str
    state: State
    hot: bool
    private: bool
    prize: str
    points: int | None
    trophies: bool
    rounds: tuple[str, ...]
    tasks: tuple[str, ...]
    results: int
    contributors: int


def rounds_of(challenge: Challenge) -> tuple[str, ...]:
    """Rounds that a challenge is about: as it says, else as its tags do."""
    tagged = (tag.rpartition("-")[2] for tag in challenge.tags)
    return challenge.rounds or tuple(dict.fromkeys(tag for tag in tagged if _is_round(tag)))


def _is_round(text: str) -> bool:
    whole, dot, part = text.removeprefix("v").partition(".")
    return text.startswith("v") and bool(dot) and whole.isdecimal() and part.isdecimal()


def line_of(challenge: Challenge, now: datetime, counts: Mapping[str, TakenIn]) -> ChallengeLine:
    """The line of a challenge, with how much was accepted for it."""
    count = counts.get(challenge.uid, TakenIn())
    return ChallengeLine(
        name=challenge.name,
        uid=challenge.uid,
        title=challenge.title,
        state=state_of(challenge, now),
        hot=challenge.hot,
        private=challenge.private,
        prize=challenge.prize_short or challenge.prize[:200],
        points=challenge.points,
        trophies=challenge.trophies,
        rounds=rounds_of(challenge),
        tasks=challenge.tasks,
        results=count.results,
        contributors=count.contributors,
    )

"""Accepted results in a home, and the board of a challenge made from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assay.base.settings import Settings
from assay.community.challenge import Challenge
from assay.community.challenges import find_challenge
from assay.community.leaderboard import Leaderboard, leaderboard
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.metrics.catalogue import load_metrics
from assay.results.model import Origin
from assay.results.row import Row
from assay.results.store import open_store

from ..results.rows import make_row, put
from .conftest import NOW, UID

MOMENT = "2026-12-01T12:00:00Z"


def accepted(number: int, who: str, figure: float, **changes: Any) -> Row:
    """A row of an accepted result."""
    given: dict[str, Any] = {
        "contributor": who,
        "challenges": (UID,),
        "accepted": f"2026-11-{number + 1:02}T00:00:00Z",
        "origin": Origin.LOCAL,
        "division": "open",
        "value": figure,
        "samples_per_second": figure,
        "source_kind": "run",
    }
    return make_row(number, **{**given, **changes})


def challenge_in(settings: Settings, name: str = "go") -> Challenge:
    return find_challenge(settings, name, EVERYBODY, NOW)


def board_of(settings: Settings, rows: Iterable[Row], audience: Audience = ANYBODY) -> Leaderboard:
    """The board of the challenge ``go`` as an audience sees it."""
    put(settings, rows)
    challenge, names = challenge_in(settings), load_metrics(settings).schema()
    with open_store(settings) as store:
        seen = store.seen_by(audience, MOMENT)
        try:
            return leaderboard(seen, challenge, names)
        finally:
            seen.close()

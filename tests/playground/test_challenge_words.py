from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.community.challenge import Challenge, Moment, Scoring, Status
from assay.playground.challenge_words import scoring_in_words, span, state_of, timeline_of

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def challenge(**given: Any) -> Challenge:
    return Challenge(
        **{
            "uid": "0" * 16,
            "alias": "go",
            "repository": "",
            "path": Path(),
            "title": "",
            "status": Status.OPEN,
            **given,
        }
    )


@pytest.mark.parametrize(
    ("given", "status", "text", "left"),
    [
        ({}, "open", "Open without an end", ""),
        ({"until_done": True}, "open", "Open until it is done", ""),
        ({"date_close": date(2026, 12, 3)}, "open", "Open until the end of", "2 days left"),
        ({"date_close": date(2026, 12, 1)}, "open", "Open until the end of", "12 hours left"),
        (
            {"date_close": date(2026, 11, 30), "date_close_extension": date(2026, 12, 2)},
            "open",
            "Open until the end of",
            "1 day left",
        ),
        ({"date_open": date(2026, 12, 2)}, "upcoming", "Opens on", "in 12 hours"),
        ({"date_close": date(2026, 11, 30)}, "closed", "Closed at the end of", ""),
        ({"under_preparation": True}, "under preparation", "Under preparation: it takes no results yet", ""),
    ],
)
def test_where_a_challenge_stands(given: dict[str, Any], status: str, text: str, left: str) -> None:
    found = state_of(challenge(**given), NOW)
    assert (found.status, found.text, found.left) == (status, text, left)
    assert bool(found.moment) == bool(found.day)


def test_days_are_told_with_the_moment_in_their_zone() -> None:
    found = state_of(challenge(date_close=date(2026, 12, 3), timezone="America/New_York"), NOW)
    assert (found.day, found.moment, found.zone) == ("2026-12-03", "2026-12-04T00:00:00-05:00", "America/New_York")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (7200, "2 hours"),
        (86400 * 40, "40 days"),
    ],
)
def test_a_time_to_come(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_points_in_words() -> None:
    words = scoring_in_words(Scoring(1, 5, 3, 0, 2))
    assert words[0].startswith("1 point for each group")
    assert words[1].startswith("5 and 3 more for the first and second place")
    assert words[2].startswith("2 points for each report")
    assert scoring_in_words(Scoring(0, 0, 0, 0, 0)) == ("No points are given.",)
    assert scoring_in_words(Scoring(0, 4, 0, 0, 0))[0].startswith("4 more for the first place")


def test_the_timeline_is_in_order_and_tells_its_own_days_where_no_line_does() -> None:
    found = timeline_of(
        challenge(
            date_open=date(2026, 11, 1), date_close=date(2026, 12, 5), date_close_extension=date(2026, 12, 9),
            timeline=(Moment(date(2026, 12, 5), "Was to close."), Moment(date(2026, 11, 20), "A party.")),
        ),
        NOW,
    )  # fmt: skip
    assert [(each.date, each.past) for each in found] == [
        ("2026-11-01", True), ("2026-11-20", True), ("2026-12-05", False), ("2026-12-09", False),
    ]  # fmt: skip
    assert found[2].what == "Was to close."

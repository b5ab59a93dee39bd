from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assay.community.challenge import Challenge, Document, Scoring, Status

OPEN = Challenge("00112233445566aa", "go", "local", Path("go"), "Go", Status.OPEN)


def challenge(**changes: object) -> Challenge:
    return Challenge("00112233445566aa", "go", "local", Path("go"), "Go", Status.OPEN, **changes)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_dates_it_is_open_for_ever() -> None:
    assert OPEN.status_at(at("1999-01-01")) is Status.OPEN
    assert OPEN.opens is None
    assert OPEN.closes is None


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-06-30T23:59:59", Status.UPCOMING),
        ("2026-07-01T00:00:00", Status.OPEN),
        ("2026-07-31T23:59:59", Status.OPEN),
        ("2026-08-01T00:00:00", Status.CLOSED),
    ],
)
def test_the_last_day_belongs_to_it(moment: str, status: Status) -> None:
    july = challenge(date_open=date(2026, 7, 1), date_close=date(2026, 7, 31))
    assert july.status_at(at(moment)) is status


def test_days_are_those_of_its_time_zone() -> None:
    paris = challenge(date_open=date(2026, 7, 1), date_close=date(2026, 7, 31), timezone="Europe/Paris")
    assert paris.status_at(at("2026-06-30T21:59:59")) is Status.UPCOMING
    assert paris.status_at(at("2026-06-30T22:00:00")) is Status.OPEN
    assert paris.status_at(at("2026-07-31T22:00:00")) is Status.CLOSED
    # In winter the same zone is an hour from UTC, not two.
    winter = challenge(date_close=date(2026, 12, 31), timezone="Europe/Paris")
    assert winter.status_at(at("2026-12-31T22:59:59")) is Status.OPEN
    assert winter.status_at(at("2026-12-31T23:00:00")) is Status.CLOSED


def test_an_extension_goes_before_the_day_it_was_to_close_on() -> None:
    longer = challenge(date_close=date(2026, 7, 31), date_close_extension=date(2026, 8, 31))
    assert longer.last_day == date(2026, 8, 31)
    assert longer.status_at(at("2026-08-15")) is Status.OPEN


def test_what_is_under_preparation_is_not_open_whatever_its_dates_say() -> None:
    assert challenge(under_preparation=True, date_open=date(2020, 1, 1)).status_at(at("2026-01-01")) is Status.PREPARING


def test_a_private_one_is_seen_by_those_who_hold_it() -> None:
    assert OPEN.access is None
    assert challenge(private=True).access == "challenge:00112233445566aa"


def test_its_main_text_is_its_readme() -> None:
    readme = Document("README.md", "Go", "# Go")
    assert challenge(documents=(readme, Document("docs/x.md", "X", "x"))).readme is readme
    assert challenge(documents=(Document("docs/README.md", "X", "x"),)).readme is None


def test_points_of_places() -> None:
    assert [Scoring(first=5, second=3, third=1).of_place(place) for place in (1, 2, 3, 4)] == [5, 3, 1, 0]

from __future__ import annotations

from datetime import date
from typing import Any

from assay.base.settings import Settings
from assay.community.leaderboard import Leaderboard
from assay.community.points import PointEntry, points_of
from assay.community.report import Report, ReportVerdict

from .boards import accepted, board_of
from .conftest import UID, MakeEntry

SCORING = {"accepted": 1, "first": 5, "second": 3, "third": 2, "report": 4}


def totals(trail: tuple[PointEntry, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in trail:
        found[each.contributor] = found.get(each.contributor, 0) + each.points
    return found


def report(number: int, who: str, *results: str, **changes: Any) -> Report:
    given: dict[str, Any] = {"contributor": who, "results": results, "verdict": ReportVerdict.REPRODUCED}
    given |= {"date": date(2026, 11, number)}
    return Report(f"{number:016x}", f"r{number}", "local", f"Report {number}", **{**given, **changes})


def board(settings: Settings, make_challenge: MakeEntry, **meta: Any) -> Leaderboard:
    make_challenge(**{"scoring": SCORING, **meta})
    rows = [accepted(number, who, figure) for number, (who, figure) in enumerate(
        [("ada", 10.0), ("bob", 9.0), ("cy", 8.0), ("di", 7.0), ("ada", 9.5)], 1)]  # fmt: skip
    return board_of(settings, [*rows, accepted(8, "ada", 1.0, scenario="Server")])


def test_each_group_counts_once_and_places_count_where_others_take_part(
    settings: Settings, make_challenge: MakeEntry
) -> None:
    trail = points_of(board(settings, make_challenge))
    # Two groups and one contested first place; being alone in the other is no place.
    assert totals(trail) == {"ada": 1 + 5 + 1, "bob": 1 + 3, "cy": 1 + 2, "di": 1}
    first = next(each for each in trail if each.points == 5)
    assert first.why == "first place: resnet · Offline · edge"
    assert (first.challenge, first.when, first.provisional) == (UID, "2026-11-02T00:00:00Z", True)
    assert all(each.result for each in trail)


def test_places_are_final_when_it_has_closed(settings: Settings, make_challenge: MakeEntry) -> None:
    trail = points_of(board(settings, make_challenge, date_close="20261130"))
    assert not any(each.provisional for each in trail)


def test_a_report_on_a_result_of_somebody_else_counts_once(settings: Settings, make_challenge: MakeEntry) -> None:
    found = board(settings, make_challenge)
    hers, his = (each.uid for each in found.groups[0].standings[:2])
    reports = [
        report(3, "bob", hers, verdict=ReportVerdict.FAILED),
        report(2, "bob", hers),
        report(4, "bob", his),
        report(5, "eve", hers, his, "0" * 16),
        report(6, "fay", hers, verdict=None),
        report(7, "", hers),
    ]
    trail = [each for each in points_of(found, reports) if each.report]
    assert totals(tuple(trail)) == {"bob": 4, "eve": 8}
    assert trail[0].why == "report (reproduced): Report 2"


def test_without_scoring_the_points_of_the_entry_are_those_of_an_accepted_result(
    settings: Settings, make_challenge: MakeEntry
) -> None:
    make_challenge(points=2)
    trail = points_of(board_of(settings, [accepted(1, "ada", 1.0), accepted(2, "bob", 2.0)]))
    assert totals(trail) == {"ada": 2, "bob": 2}

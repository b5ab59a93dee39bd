from __future__ import annotations

from typing import Any

import pytest

from assay.base.settings import Settings
from assay.community.leaderboard import Group, Leaderboard
from assay.results.audience import Audience
from assay.results.model import Method

from .boards import accepted, board_of
from .conftest import UID, MakeEntry


def lines(board: Leaderboard) -> dict[str, list[tuple[int, str, float]]]:
    assert board.problem == ""
    return {
        group.title: [(each.place, each.contributor, each.figure) for each in group.standings] for group in board.groups
    }


def test_everybody_stands_with_the_best_result_of_each_group(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge()
    rows = [
        accepted(1, "ada", 100.0),
        accepted(2, "bob", 150.0, labels=("short-run",)),
        accepted(3, "ada", 120.0),
        accepted(4, "cy", 75.0),
        accepted(5, "bob", 10.0, scenario="SingleStream"),
    ]
    board = board_of(settings, rows)
    assert lines(board) == {
        "resnet · Offline · edge": [(1, "bob", 150.0), (2, "ada", 120.0), (3, "cy", 75.0)],
        "resnet · SingleStream · edge": [(1, "bob", 10.0)],
    }
    assert board.unit == "samples/s"
    assert board.contributors == ("bob", "ada", "cy")
    first, second, third = board.groups[0].standings
    assert (first.margin, second.margin, third.margin) == (0.25, pytest.approx(0.6), None)
    assert (first.behind, second.behind, third.behind) == (0.0, pytest.approx(0.2), pytest.approx(0.5))
    assert first.labels == ("short-run",)
    assert second.results == 2


def test_of_equal_figures_the_one_accepted_first_goes_first(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge()
    rows = [accepted(9, "late", 100.0), accepted(2, "early", 100.0), accepted(5, "middle", 100.0)]
    assert lines(board_of(settings, rows)) == {
        "resnet · Offline · edge": [(1, "early", 100.0), (2, "middle", 100.0), (3, "late", 100.0)]
    }


def test_less_may_be_better_and_groups_are_what_the_challenge_says(
    settings: Settings, make_challenge: MakeEntry
) -> None:
    make_challenge(ranking={"metric": "watts", "lowest": True, "per": ["model"]})
    rows = [accepted(1, "ada", 1.0, watts=20.0), accepted(2, "bob", 2.0, watts=10.0), accepted(3, "cy", 3.0)]
    board = board_of(settings, rows)
    assert lines(board) == {"-": [(1, "bob", 10.0), (2, "ada", 20.0)]}
    assert board.unit == "W"
    assert board.groups[0].standings[0].margin == 1.0


def test_metrics_of_assay_can_be_ranked_by(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(ranking={"metric": "samples_per_joule"})
    rows = [accepted(1, "ada", 100.0, joules_per_sample=0.5), accepted(2, "bob", 90.0, joules_per_sample=0.25)]
    board = board_of(settings, rows)
    assert lines(board)["resnet · Offline · edge"] == [(1, "bob", 4.0), (2, "ada", 2.0)]
    assert board.unit == "samples/J"


@pytest.mark.parametrize(
    "changes",
    [
        {"challenges": ()},
        {"challenges": ("ffffffffffffffff",)},
        {"contributor": None},
        {"accepted": None},
        {"accepted": "not a moment"},
        {"accepted": "2026-11-05T00:00:00"},
        {"accepted": "2026-10-31T23:59:59Z"},
        {"accepted": "2026-12-25T00:00:00Z"},
        {"official": False},
        {"method": Method.INFERRED},
        {"samples_per_second": None},
        {"accelerator": "H100"},
    ],
)
def test_what_does_not_count(settings: Settings, make_challenge: MakeEntry, changes: dict[str, Any]) -> None:
    make_challenge(date_open="20261101", date_close="20261224", filter="accelerator is null")
    board = board_of(settings, [accepted(1, "ada", 100.0, **changes), accepted(2, "bob", 1.0)])
    assert lines(board) == {"resnet · Offline · edge": [(1, "bob", 1.0)]}


def test_the_last_day_counts_to_its_end_in_the_time_zone(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(date_open="20261101", date_close="20261110", timezone="America/New_York")
    rows = [
        accepted(1, "in", 1.0, accepted="2026-11-11T04:59:59Z"),
        accepted(2, "out", 2.0, accepted="2026-11-11T05:00:00Z"),
    ]
    assert board_of(settings, rows).contributors == ("in",)


def test_a_result_of_two_categories_stands_in_both_groups(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge()
    rows = [accepted(1, "ada", 5.0, category=("edge", "datacenter")), accepted(2, "bob", 7.0)]
    assert lines(board_of(settings, rows)) == {
        "resnet · Offline · datacenter": [(1, "ada", 5.0)],
        "resnet · Offline · edge": [(1, "bob", 7.0), (2, "ada", 5.0)],
    }


def test_what_an_audience_may_not_see_is_not_in_its_board(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(private=True)
    rows = [
        accepted(1, "ada", 5.0, access=f"challenge:{UID}"),
        accepted(2, "bob", 7.0, access="account:bob"),
        accepted(3, "cy", 6.0, access="account:cy", embargo="2026-11-30T00:00:00Z"),
        accepted(4, "di", 8.0, access="account:di", embargo="2027-01-01T00:00:00Z"),
    ]
    assert board_of(settings, rows).contributors == ("cy",)
    member = Audience(frozenset({f"challenge:{UID}", "account:bob"}))
    assert board_of(settings, rows, member).contributors == ("bob", "cy", "ada")


@pytest.mark.parametrize(
    "meta",
    [
        {"filter": "no_such_field > 1"},
        {"ranking": {"metric": "no_such_metric"}},
        {"ranking": {"metric": "system"}},
    ],
)
def test_a_filter_or_metric_that_means_nothing_is_told(
    settings: Settings, make_challenge: MakeEntry, meta: dict[str, Any]
) -> None:
    make_challenge(**meta)
    board = board_of(settings, [accepted(1, "ada", 5.0)])
    assert board.groups == ()
    assert board.problem


def test_before_it_opens_there_is_no_board(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(date_open="20270101")
    assert board_of(settings, [accepted(1, "ada", 5.0)]).groups == ()


def test_a_group_of_everything_has_a_title() -> None:
    assert Group((), ()).title == "all results"

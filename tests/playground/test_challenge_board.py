from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.community.challenge import Challenge, Status
from assay.community.leaderboard import Group, Leaderboard, Standing
from assay.errors import NotFoundError
from assay.playground.challenge_board import board_line, board_rows, chart_of, chosen_group

GO = Challenge("0" * 16, "go", "", Path(), "Go", Status.OPEN)


def standing(place: int, who: str, figure: float = 1.0) -> Standing:
    return Standing(place, who, f"{place:016x}", figure, None, 0.0, "2026-12-01T00:00:00Z", labels=("short-run",))


def board(count: int = 2) -> Leaderboard:
    groups = [
        Group(
            (("benchmark", f"b{number:02}"), ("scenario", "Offline"), ("category", "edge")),
            (standing(1, "ada"), standing(2, "bob"))[: number + 1],
        )
        for number in range(count)
    ]
    return Leaderboard(GO, "samples_per_second", "samples/s", False, tuple(groups))


def test_a_board_shows_all_groups_and_draws_the_one_that_most_take_part_in() -> None:
    line = board_line(board(), "", {"ada": "Ada L."})
    assert (line.chosen, line.shown) == ("b01/Offline/edge", ("b00/Offline/edge", "b01/Offline/edge"))
    assert [each.name for each in line.groups[1].standings] == ["Ada L.", "bob"]
    assert line.groups[0].values == {"benchmark": "b00", "scenario": "Offline", "category": "edge"}


def test_one_group_is_chosen_and_many_are_not_all_listed() -> None:
    line = board_line(board(), "b00/Offline/edge", {})
    assert (line.chosen, line.shown) == ("b00/Offline/edge", ("b00/Offline/edge",))
    many = board_line(board(40), "", {})
    assert (len(many.groups), len(many.shown)) == (40, 30)
    with pytest.raises(NotFoundError, match="unknown group"):
        board_line(board(), "x", {})


def test_an_empty_board_has_nothing_to_choose() -> None:
    empty = board(0)
    assert chosen_group(empty, "") is None
    line = board_line(empty, "", {})
    assert (line.chosen, line.shown, line.groups) == ("", (), ())
    spec: Any = chart_of(empty, "")
    assert spec["data"]["values"] == []


def test_a_board_is_a_table_and_a_chart() -> None:
    heading, rows = board_rows(board())
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    assert len(found) == 3
    assert found[0]["group_benchmark"] == "b00"
    assert (found[2]["contributor"], found[2]["unit"], found[2]["labels"]) == ("bob", "samples/s", ("short-run",))
    spec: Any = chart_of(board(), "b01/Offline/edge")
    assert spec["encoding"]["x"]["title"] == "samples_per_second (samples/s)"
    assert len(spec["data"]["values"]) == 2

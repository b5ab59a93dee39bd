"""The leaderboard of a challenge as its page, its file and its chart show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assay.community.leaderboard import Group, Leaderboard
from assay.errors import unknown
from assay.playground.page import PageModel
from assay.results.charts import Spec
from assay.results.standing_charts import Bar, standings_chart
from assay.results.words import short_unit

_SHOWN = 30
_HEADING = (
    "place", "contributor", "figure", "unit", "margin", "behind", "accepted", "labels", "results", "organisation",
    "system", "model", "uid",
)  # fmt: skip


class StandingLine(PageModel):
    """A line of a board; ``margin`` to the next place and ``behind`` the first one are shares."""

    place: int
    contributor: str
    name: str
    uid: str
    figure: float
    margin: float | None
    behind: float | None
    accepted: str
    organisation: str | None
    system: str | None
    model: str | None
    labels: tuple[str, ...]
    results: int


class GroupLine(PageModel):
    """Results that may be compared: the fields that they share, and their order. ``key`` names it in addresses."""

    key: str
    title: str
    values: dict[str, str]
    standings: tuple[StandingLine, ...]


class BoardLine(PageModel):
    """A leaderboard; ``chosen`` is the key of the group whose chart is shown, ``shown`` those that the page lists."""

    metric: str
    unit: str
    lowest: bool
    problem: str
    chosen: str
    groups: tuple[GroupLine, ...]
    shown: tuple[str, ...]


def board_line(board: Leaderboard, wanted: str, names: Mapping[str, str]) -> BoardLine:
    """The board of a page.

    Args:
        board: the standings.
        wanted: key of a group; empty for all.
        names: of accounts, as they are shown.

    Raises:
        NotFoundError: for a group that there is not.
    """
    chosen = chosen_group(board, wanted)
    groups = tuple(_group(each, names) for each in board.groups)
    keys = tuple(each.key for each in groups)
    return BoardLine(
        metric=board.metric,
        unit=board.unit,
        lowest=board.lowest,
        problem=board.problem,
        chosen=key_of(chosen) if chosen else "",
        groups=groups,
        shown=(wanted,) if wanted else keys[:_SHOWN],
    )


def key_of(group: Group) -> str:
    """A group as addresses name it."""
    return "/".join(value for _, value in group.values) or "all"


def chosen_group(board: Leaderboard, wanted: str) -> Group | None:
    """The group of a key; without one the group that most take part in.

    Raises:
        NotFoundError: for a group that there is not.
    """
    if wanted:
        for each in board.groups:
            if key_of(each) == wanted:
                return each
        raise unknown("group", wanted[:200], [key_of(each) for each in board.groups])
    return max(board.groups, key=lambda each: len(each.standings), default=None)


def board_rows(board: Leaderboard) -> tuple[tuple[str, ...], Iterable[list[Any]]]:
    """The heading and the rows of a board as a table."""
    per = tuple(board.challenge.ranking.per)

    def rows() -> Iterator[list[Any]]:
        for group in board.groups:
            shared = [value for _, value in group.values]
            for each in group.standings:
                values = [board.unit if name == "unit" else getattr(each, name) for name in _HEADING]
                yield [*shared, *values]

    return (*(f"group_{name}" for name in per), *_HEADING), rows()


def chart_of(board: Leaderboard, wanted: str) -> Spec:
    """The standings of a group as bars."""
    group = chosen_group(board, wanted)
    unit = short_unit(board.unit)
    bars = [
        Bar(
            place=each.place,
            name=each.contributor,
            figure=each.figure,
            system=each.system or "",
            labels=", ".join(each.labels),
            uid=each.uid,
        )
        for each in (group.standings if group else ())
    ]
    return standings_chart(bars, title=f"{board.metric} ({unit})" if unit else board.metric)


def _group(group: Group, names: Mapping[str, str]) -> GroupLine:
    return GroupLine(
        key=key_of(group),
        title=group.title,
        values=dict(group.values),
        standings=tuple(
            StandingLine(
                name=names.get(each.contributor, each.contributor),
                **{name: getattr(each, name) for name in StandingLine.model_fields if name != "name"},
            )
            for each in group.standings
        ),
    )

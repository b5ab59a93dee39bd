"""The leaderboard of a challenge: in each comparable group the best accepted result of everybody who takes part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from assay.community.challenge import Challenge, Status
from assay.errors import AssayError, UsageError
from assay.expressions import Kind, Schema
from assay.results.query import Query, Scope, run_query, with_filter
from assay.results.store import Store

_COLUMNS = ("uid", "contributor", "accepted", "organisation", "system", "model", "benchmark", "scenario", "labels")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of a board: somebody's best result of a group.

    Attributes:
        place: from 1; of equal figures the one that was accepted first goes first.
        contributor: account name.
        uid: of the result.
        figure: what is compared, in the group's unit.
        margin: how much better it is than the next place, as a share; None for the last, or without a meaning.
        behind: how much worse it is than the first place, as a share; 0 for the first, None without a meaning.
        accepted: when it was taken in, UTC.
        labels: what the figure must not be shown without.
        results: how many results of the group this contributor has.
    """

    place: int
    contributor: str
    uid: str
    figure: float
    margin: float | None
    behind: float | None
    accepted: str
    organisation: str | None = None
    system: str | None = None
    model: str | None = None
    benchmark: str | None = None
    scenario: str | None = None
    labels: tuple[str, ...] = ()
    results: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Results that may be compared.

    Attributes:
        values: field and value of what they have in common, in the order of the ranking.
        standings: by place.
    """

    values: tuple[tuple[str, str], ...]
    standings: tuple[Standing, ...]

    @property
    def title(self) -> str:
        """The values in one line."""
        return " · ".join(value for _, value in self.values) or "all results"


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The standings of a challenge.

    Attributes:
        challenge: whose.
        metric: expression that is compared.
        unit: of the figures; empty for a pure number.
        lowest: less is better.
        groups: in the order of their values.
        problem: why there is none: the challenge's filter or metric means nothing.
        owners: uid and contributor of every result that was looked at, also of those that are not somebody's best.
    """

    challenge: Challenge
    metric: str
    unit: str
    lowest: bool
    groups: tuple[Group, ...]
    problem: str = ""
    owners: Mapping[str, str] = field(default_factory=dict)

    @property
    def contributors(self) -> tuple[str, ...]:
        """Accounts that have a result in it, in the order of the board."""
        return tuple(dict.fromkeys(each.contributor for group in self.groups for each in group.standings))


def leaderboard(store: Store, challenge: Challenge, names: Schema) -> Leaderboard:
    """Reckon the leaderboard of a challenge from the results that an audience may see.

    A result is ranked when it was accepted for the challenge, between its first day and the end of its last, and fulfils
    its filter. Of everybody the best result of a group stands; of equal figures the one accepted first goes first. A
    result of two categories stands in the group of either.

    Args:
        store: the index as the audience sees it.
        challenge: whose results are ranked.
        names: fields and metrics that its filter and ranking may use.
    """
    ranking = challenge.ranking
    empty = Leaderboard(challenge, ranking.metric, "", ranking.lowest, ())
    if challenge.status in (Status.PREPARING, Status.UPCOMING):
        return empty
    try:
        unit, found = _candidates(store, challenge, names)
    except AssayError as error:
        return Leaderboard(challenge, ranking.metric, "", ranking.lowest, (), problem=str(error))
    groups: dict[tuple[str, ...], list[_Candidate]] = {}
    for each in found:
        for key in _keys(each.shared):
            groups.setdefault(key, []).append(each)
    boards = tuple(
        Group(tuple(zip(ranking.per, key, strict=True)), _standings(each, lowest=ranking.lowest))
        for key, each in sorted(groups.items())
    )
    owners = {each.values["uid"]: each.values["contributor"] for each in found}
    return Leaderboard(challenge, ranking.metric, unit, ranking.lowest, boards, owners=owners)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A result that is ranked: some of its fields, what it shares with its groups, and its figure."""

    values: dict[str, Any]
    shared: tuple[Any, ...]
    figure: float


def _candidates(store: Store, challenge: Challenge, names: Schema) -> tuple[str, list[_Candidate]]:
    """The unit of the figure, and every result of a challenge."""
    metric = challenge.ranking.metric or "samples_per_second"
    columns = [*_COLUMNS, *challenge.ranking.per, f"figure={metric}"]
    query = Query(
        filter=f'challenges == "{challenge.uid}" and contributor is not null and ({metric}) is not null',
        columns=columns,
        sort=["uid"],
        limit=_MOST,
        scope=Scope(local=True),
    )
    if challenge.filter:
        query = with_filter(query, challenge.filter)
    table = run_query(store, query, names)
    column = table.columns[-1]
    if column.kind is not Kind.NUMBER:
        raise UsageError(f"the ranking compares {metric!r}, which is no number")
    found = []
    for row in table.rows:
        values = dict(zip(_COLUMNS, row, strict=False))
        if _in_time(values["accepted"], challenge) and math.isfinite(row[-1]):
            found.append(_Candidate(values, tuple(row[len(_COLUMNS) : -1]), float(row[-1])))
    return column.unit, found


def _in_time(accepted: str | None, challenge: Challenge) -> bool:
    """Whether a result was accepted between the first day of a challenge and the end of its last."""
    try:
        moment = datetime.fromisoformat(accepted or "")
    except ValueError:
        return False
    if moment.tzinfo is None:
        return False
    opens, closes = challenge.opens, challenge.closes
    return (opens is None or moment >= opens) and (closes is None or moment < closes)


def _keys(shared: Sequence[Any]) -> list[tuple[str, ...]]:
    """The groups that a result is in: one for each word of a field that has several."""
    keys: list[tuple[str, ...]] = [()]
    for value in shared:
        words = list(value) or ["-"] if isinstance(value, list | tuple) else ["-" if value is None else str(value)]
        keys = [(*key, word) for key in keys for word in words]
    return keys


def _standings(candidates: list[_Candidate], *, lowest: bool) -> tuple[Standing, ...]:
    sign = 1 if lowest else -1
    candidates.sort(key=lambda each: (sign * each.figure, each.values["accepted"], each.values["uid"]))
    best: dict[str, _Candidate] = {}
    counts: dict[str, int] = {}
    for each in candidates:
        who = each.values["contributor"]
        best.setdefault(who, each)
        counts[who] = counts.get(who, 0) + 1
    ordered = list(best.values())
    return tuple(
        Standing(
            place=place,
            figure=each.figure,
            margin=_ahead(each.figure, ordered[place].figure, lowest=lowest) if place < len(ordered) else None,
            behind=_ahead(ordered[0].figure, each.figure, lowest=lowest, of_better=True),
            results=counts[each.values["contributor"]],
            **{**each.values, "labels": tuple(each.values["labels"] or ())},
        )
        for place, each in enumerate(ordered, 1)
    )


def _ahead(better: float, worse: float, *, lowest: bool, of_better: bool = False) -> float | None:
    """How much better one figure is than another, as a share of the worse one (or of the better one)."""
    if better <= 0 or worse <= 0:
        return None
    ratio = worse / better if lowest else better / worse
    return 1 - 1 / ratio if of_better else ratio - 1

"""The leaderboard of a challenge: in each comparable group the best accepted result of everybody who takes part."""

from __future__ import annotations

from dataclasses import dataclass

from assay.community.challenge import Challenge
from assay.expressions import Schema
from assay.results.store import Store


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
    """

    challenge: Challenge
    metric: str
    unit: str
    lowest: bool
    groups: tuple[Group, ...]
    problem: str = ""

    @property
    def contributors(self) -> tuple[str, ...]:
        """Accounts that have a result in it, in the order of the board."""
        return tuple(dict.fromkeys(each.contributor for group in self.groups for each in group.standings))


def leaderboard(store: Store, challenge: Challenge, names: Schema) -> Leaderboard:
    """Reckon the leaderboard of a challenge from the results that an audience may see.

    Args:
        store: the index as the audience sees it.
        challenge: whose results are ranked.
        names: fields and metrics that its filter and ranking may use.
    """
    raise NotImplementedError

"""Attempts of a search for the Server rate, and how sure each makes: held, missed, or neither.

How sure is reckoned as LoadGen's early stopping does, but over bunches of queries: while a queue is longer than the bound,
whatever arrives is late with it, so that one bad moment makes many queries late and is one piece of evidence. Only a run
of full length is judged by LoadGen's own word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from assay.errors import InvalidInputError
from assay.loadgen.statistics import discarded, queries_for_share, queries_needed, surely_more

_LONGEST_SHARE = 0.1
"""Of the full length: longest attempt before the confirmation."""
_FEWEST_LATE = 2
"""Late queries of an attempt at the bound; with fewer one alone would decide."""
_SURE = 2.33
"""Standard deviations of a normal distribution that 1 % are beyond: early stopping is sure by 99 %."""


class Judged(StrEnum):
    """What an attempt says of its rate."""

    HELD = "held"
    MISSED = "missed"
    UNDECIDED = "undecided"


class Step(StrEnum):
    """Why an attempt was made."""

    BRACKET = "bracket"
    BISECT = "bisect"
    LONGER = "longer"
    AGAIN = "again"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run at one rate.

    Attributes:
        rate: queries sent each second.
        duration_s: shortest length it was asked to have.
        queries: completed.
        late: of these, over the bound.
        completed_rate: queries completed each second.
        valid: LoadGen's verdict.
        stopped: LoadGen gave up before the end.
        run: id of its record.
    """

    rate: float
    duration_s: float
    queries: int
    late: int
    completed_rate: float
    valid: bool
    stopped: bool = False
    run: str = ""

    @property
    def share(self) -> float:
        """Share of the queries over the bound."""
        return self.late / self.queries if self.queries else 1.0


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt, why it was made, and what it says."""

    attempt: Attempt
    step: Step
    judged: Judged


@dataclass(frozen=True, slots=True)
class Aim:
    """What is looked for, and how long that may take.

    Attributes:
        percentile: share of the queries that has to be within the bound, as a fraction.
        bound_s: latency bound.
        full_s: length of a run that counts.
        full_queries: fewest queries of such a run.
        attempt_s: length of the first attempts.
        tolerance: how far apart the highest rate that held and the lowest that missed may be, as a fraction.
        most: attempts, the confirmation among them.
        confirm: whether the rate is confirmed at full length.
    """

    percentile: float
    bound_s: float
    full_s: float
    full_queries: int = 1
    attempt_s: float = 10.0
    tolerance: float = 0.02
    most: int = 40
    confirm: bool = True

    def __post_init__(self) -> None:
        """Refuse what no search can end with.

        Raises:
            InvalidInputError: naming the value.
        """
        if not 0.001 <= self.tolerance <= 0.5:
            raise InvalidInputError(
                "not a tolerance of a rate", expected="0.1% to 50%", found=f"{self.tolerance * 100:g}%"
            )
        if self.attempt_s <= 0 or self.most < 1:
            raise InvalidInputError("a search needs attempts of some length", expected="more than 0 s")

    @property
    def longest_s(self) -> float:
        """Longest attempt before the confirmation, where queries are many."""
        return min(self.full_s, max(self.attempt_s, self.full_s * _LONGEST_SHARE))

    def longest_at(self, rate: float | None) -> float:
        """Longest attempt at a rate before the confirmation; where queries are few, as long as lets some be late."""
        if rate is None:
            return self.longest_s
        return min(self.full_s, max(self.longest_s, _FEWEST_LATE / (self.allowed_at(rate) * rate)))

    def queries_at(self, rate: float) -> int:
        """Queries of a run of full length."""
        return max(int(self.full_s * rate), self.full_queries)

    def allowed_at(self, rate: float) -> float:
        """Share of them that early stopping lets be late."""
        queries = self.queries_at(rate)
        return max(discarded(queries, self.percentile), 1) / queries


def judge_attempt(attempt: Attempt, aim: Aim) -> Judged:
    """What an attempt says of its rate: LoadGen's word at full length, before that only what is sure.

    As long as an attempt gets, it is asked whether a full run would pass with its share of late queries.
    """
    sure = judge_surely(attempt, aim)
    if sure is not Judged.UNDECIDED or attempt.duration_s < aim.longest_at(attempt.rate):
        return sure
    needed = queries_for_share(attempt.late, attempt.queries, aim.percentile)
    return Judged.HELD if needed is not None and needed <= aim.queries_at(attempt.rate) else Judged.MISSED


def queries_to_tell(over: int, queries: int, percentile: float) -> int | None:
    """Queries after which it is sure whether a rate holds, if further ones are late as often as those seen.

    None when no number is enough, because just the allowed share is late.
    """
    allowed = 1 - percentile
    excess = over / max(queries, 1) - allowed
    if excess > 0:
        return math.ceil(_SURE**2 * allowed * percentile / excess**2)
    return queries_for_share(over, queries, percentile)


def judge_surely(attempt: Attempt, aim: Aim) -> Judged:
    """What an attempt says beyond doubt."""
    if attempt.stopped:
        return Judged.MISSED
    if attempt.duration_s >= aim.full_s:
        return Judged.HELD if attempt.valid else Judged.MISSED
    bunch = max(1.0, attempt.rate * aim.bound_s)
    bunches, late = int(attempt.queries / bunch), math.ceil(attempt.late / bunch)
    if bunches >= queries_needed(late, aim.percentile):
        return Judged.HELD
    return Judged.MISSED if surely_more(late, bunches, aim.percentile) else Judged.UNDECIDED

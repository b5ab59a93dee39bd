"""The highest rate at which Server holds its latency bound, by bisection over runs.

Assumed is that a higher rate makes no fewer queries late. Runs are noisy and short ones say little, so an attempt is
judged by how sure it makes: held, missed, or neither, and then a longer one decides. Only a run of full length is
judged by LoadGen's own word.

How sure is reckoned as LoadGen's early stopping does, but over bunches of queries: while a queue is longer than the
bound, whatever arrives is late with it, so that one bad moment makes many queries late and is one piece of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from assay.errors import InvalidInputError
from assay.loadgen.statistics import queries_for_share, queries_needed, surely_more

_FASTER = 2.0
"""Between one attempt and the next while an end of the bracket is missing."""
_MOST_HALVINGS = 10
_GROWTH = 2.0
"""Least growth of an attempt that decided nothing."""
_LONGEST_SHARE = 0.1
"""Of the full length: longest attempt before the confirmation."""
_ALIKE = 1.001
_KEPT_UP = 0.9
_DIGITS = 5
"""Of a rate, so that the command a person copies sends at the same."""


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
        """Longest attempt before the confirmation."""
        return min(self.full_s, max(self.attempt_s, self.full_s * _LONGEST_SHARE))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        rate: the highest that held; None when none did.
        confirmed: whether a run of full length was VALID at it.
        missed: the lowest rate above it that did not hold; None when none was tried.
        tried: every attempt, in order.
        why: what ended the search before its time; empty when nothing did.
    """

    rate: float | None
    confirmed: bool
    missed: float | None
    tried: tuple[Tried, ...]
    why: str = ""


Run = Callable[[float | None, float], Attempt]
"""Makes an attempt at a rate (None: at the one a probe of the engine suggests) of a length in seconds."""
Told = Callable[[Tried], None]


def judge_attempt(attempt: Attempt, aim: Aim) -> Judged:
    """What an attempt says of its rate: LoadGen's word at full length, before that only what is sure."""
    if attempt.stopped:
        return Judged.MISSED
    if attempt.duration_s >= aim.full_s:
        return Judged.HELD if attempt.valid else Judged.MISSED
    bunch = max(1.0, attempt.rate * aim.bound_s)
    bunches, late = int(attempt.queries / bunch), math.ceil(attempt.late / bunch)
    if bunches >= queries_needed(late, aim.percentile):
        return Judged.HELD
    if surely_more(late, bunches, aim.percentile):
        return Judged.MISSED
    if attempt.duration_s < aim.longest_s:
        return Judged.UNDECIDED
    # As long as an attempt gets: would a full run pass with this share?
    needed = queries_for_share(attempt.late, attempt.queries, aim.percentile)
    full = max(aim.full_s * attempt.rate, aim.full_queries)
    return Judged.HELD if needed is not None and needed <= full else Judged.MISSED


def find_rate(run: Run, aim: Aim, *, start: float | None = None, told: Told = lambda tried: None) -> Found:
    """Search the highest rate that holds.

    Args:
        run: makes an attempt.
        aim: what is looked for.
        start: first rate; the one that a probe suggests unless given.
        told: told of every attempt as soon as it is over.
    """
    search = _Search(run, aim, told)
    try:
        search.bracket(start)
        search.narrow()
        confirmed = search.confirm() if aim.confirm else search.held_in_full()
    except _OutOfAttemptsError:
        return search.found(search.held_in_full(), f"the search ended after {aim.most} attempts")
    return search.found(confirmed, "" if search.low else "no rate held the bound")


class _OutOfAttemptsError(Exception):
    """The search may make no more attempts."""


class _Search:
    """The bracket of one search, and what was tried."""

    def __init__(self, run: Run, aim: Aim, told: Told) -> None:
        self._run, self._aim, self._told = run, aim, told
        self.low = self.high = 0.0
        self._seconds = min(aim.attempt_s, aim.longest_s)
        self._tried: list[Tried] = []

    def bracket(self, start: float | None) -> None:
        """Double the rate until it misses, or halve it until it holds."""
        first = rate = start
        while not (self.low and self.high):
            held, at = self._settled(rate, Step.BRACKET)
            first = first or at
            if not held and not self.low:
                # One hiccup of the machine would make the whole range above it be left out.
                held, at = self._settled(at, Step.AGAIN)
            self._move(at, held)
            rate = at * _FASTER if held else at / _FASTER
            if not self.low and (rate < first / _FASTER**_MOST_HALVINGS or _hopeless(self._tried[-1].attempt)):
                return

    def narrow(self) -> None:
        """Halve the bracket until it is within the tolerance, and look at its upper end twice."""
        while self.low:
            while self.high > self.low * (1 + self._aim.tolerance):
                at = _rounded(math.sqrt(self.low * self.high))
                self._move(at, self._settled(at, Step.BISECT)[0])
            if self._misses(self.high) > 1:
                return
            held, at = self._settled(self.high, Step.AGAIN)
            if not held:
                return
            self.low = at
            above = [each.attempt.rate for each in self._tried if each.attempt.rate > at and _missed(each)]
            if above:
                self.high = min(above)
            else:
                self.high = 0.0
                self.bracket(at * (1 + 2 * self._aim.tolerance))

    def confirm(self) -> bool:
        """Run at full length: down by the tolerance until a rate holds, or up until one misses.

        In the end one rate held and the next missed, both in full, so that the answer is as near as the tolerance.
        """
        while self.low:
            if not self.held_in_full():
                done = self._try(self.low, self._aim.full_s, Step.CONFIRM)
                if _missed(done):
                    self.high, self.low = self.low, _rounded(self.low / (1 + self._aim.tolerance))
                    continue
            above = _rounded(self.low * (1 + self._aim.tolerance))
            if self._missed_in_full(above):
                return True
            done = self._try(above, self._aim.full_s, Step.CONFIRM)
            if _missed(done):
                self.high = above
                return True
            self.low = above
        return False

    def held_in_full(self) -> bool:
        """Whether a run of full length held at the lower end."""
        return any(
            each.judged is Judged.HELD and each.attempt.duration_s >= self._aim.full_s
            for each in self._tried
            if each.attempt.rate == self.low
        )

    def _missed_in_full(self, rate: float) -> bool:
        """Whether a run of full length missed at this rate, or one that is lower but for rounding."""
        return any(
            _missed(each) and each.attempt.duration_s >= self._aim.full_s and each.attempt.rate <= rate * _ALIKE
            for each in self._tried
        )

    def found(self, confirmed: bool, why: str) -> Found:
        """What the search came to."""
        return Found(self.low or None, confirmed, self.high or None, tuple(self._tried), why)

    def _settled(self, rate: float | None, step: Step) -> tuple[bool, float]:
        """Whether a rate holds, by attempts that get longer until one decides; and the rate that was sent."""
        seconds = self._seconds * (_GROWTH if step is Step.AGAIN else 1.0)
        while True:
            done = self._try(rate, min(seconds, self._aim.longest_s), step)
            if done.judged is not Judged.UNDECIDED:
                # The nearer the bound, the longer it takes: what was too short here is too short for the next rate.
                self._seconds = max(self._aim.attempt_s, done.attempt.duration_s / _GROWTH)
                return done.judged is Judged.HELD, done.attempt.rate
            rate, step, seconds = done.attempt.rate, Step.LONGER, self._longer(done.attempt)

    def _longer(self, attempt: Attempt) -> float:
        """Length of an attempt that may decide what this one could not."""
        bunch = max(1.0, attempt.rate * self._aim.bound_s)
        needed = queries_for_share(math.ceil(attempt.late / bunch), int(attempt.queries / bunch), self._aim.percentile)
        wanted = 0.0 if needed is None else needed * bunch / attempt.rate
        return min(self._aim.longest_s, max(attempt.duration_s * _GROWTH, wanted))

    def _try(self, rate: float | None, seconds: float, step: Step) -> Tried:
        if len(self._tried) >= self._aim.most:
            raise _OutOfAttemptsError
        attempt = self._run(None if rate is None else _rounded(rate), seconds)
        attempt = replace(attempt, rate=_rounded(attempt.rate))
        done = Tried(attempt, step, judge_attempt(attempt, self._aim))
        self._tried.append(done)
        self._told(done)
        return done

    def _move(self, rate: float, held: bool) -> None:
        if held:
            self.low = rate
        else:
            self.high = rate

    def _misses(self, rate: float) -> int:
        return sum(_missed(each) for each in self._tried if each.attempt.rate == rate)


def _missed(tried: Tried) -> bool:
    return tried.judged is Judged.MISSED


def _hopeless(attempt: Attempt) -> bool:
    """Whether every query was late though the engine kept up: no queue to blame, so that no lower rate helps."""
    return attempt.late == attempt.queries and attempt.completed_rate >= attempt.rate * _KEPT_UP


def _rounded(rate: float) -> float:
    return float(f"{rate:.{_DIGITS}g}")

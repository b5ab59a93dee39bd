"""The highest rate at which Server holds its latency bound, by bisection over runs.

Assumed is that a higher rate makes no fewer queries late. Runs are noisy and short ones say little, so where an attempt
leaves a doubt a longer one decides, or the same once more where none may be longer. The end is between two runs of full
length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from assay.loadgen.attempts import Aim, Attempt, Judged, Step, Tried, judge_attempt, judge_surely, queries_to_tell
from assay.loadgen.lateness import Point, apart, bound_from, slope_of

_FASTER = 2.0
"""Between one attempt and the next while an end of the bracket is missing."""
_MOST_HALVINGS = 10
_GROWTH = 2.0
"""Least growth of an attempt that decided nothing."""
_ALIKE = 1.001
_FAIR_PART = 0.2
"""Of the full length: the arrivals of a shorter attempt say less than the machine's own noise, and once is enough."""
_BORDERLINE = 2.5
"""Times the allowed share, or a part of it: a tenth of the rate away."""
_LEAP = 1.2
"""Most between one confirmation and the next."""
_KEPT_UP = 0.9
_MUCH_FASTER = 3.9
"""Two halvings of the rate, rounded."""
_HARDLY_FEWER = 0.6
"""Of the late share at the higher rate; a quarter or less is left of what a queue makes late."""
_TELLING_LATE = 10
"""Bunches of late queries of a rate with which shares can be compared."""
_DIGITS = 5
"""Of a rate, so that the command a person copies sends at the same."""


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
    return search.found(confirmed, "" if search.low else search.in_vain() or search.nothing_held())


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
            if not held and not self.low and self._misses(at) < 2:
                # One hiccup of the machine would make the whole range above it be left out.
                held, at = self._settled(at, Step.AGAIN)
            self._move(at, held)
            rate = at * _FASTER if held else at / _FASTER
            if not self.low and (rate < first / _FASTER**_MOST_HALVINGS or self.in_vain()):
                return

    def in_vain(self) -> str:
        """Why a still lower rate would not help; empty while it may.

        Queries that wait in a queue are late in proportion to the rate at least. Where as many are late at a fraction of
        it, the engine alone takes too long for them: always, or now and then, as a processor does that has gone to sleep.
        """
        last = self._tried[-1].attempt
        if _hopeless(last):
            return f"every query was late at {last.rate:g}/s though none had to wait: the engine alone takes too long"
        lowest = self._together(last.rate)
        for higher in sorted(
            {each.attempt.rate for each in self._tried if each.attempt.rate >= last.rate * _MUCH_FASTER}
        ):
            before = self._together(higher)
            # In bunches, as what one bad moment makes late is one piece of evidence.
            if not _kept_up(before) or lowest.late < _TELLING_LATE * max(1.0, last.rate * self._aim.bound_s):
                continue
            if lowest.share > before.share * _HARDLY_FEWER:
                return (
                    f"fewer queries did not help: {before.share:.2%} were late at {higher:g}/s, {lowest.share:.2%} at "
                    f"{last.rate:g}/s, so that no queue delays them. A processor that goes to sleep between queries may: "
                    "forbid it deep idle states and low clocks, and look for other work on the machine"
                )
        return ""

    def nothing_held(self) -> str:
        """What to say where there is no more to say."""
        return f"no rate held the bound, down to {min(each.attempt.rate for each in self._tried):g}/s"

    def _together(self, rate: float) -> Attempt:
        """All attempts at a rate as if they were one."""
        made = [each.attempt for each in self._tried if each.attempt.rate == rate]
        return replace(made[-1], queries=sum(each.queries for each in made), late=sum(each.late for each in made))

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
        """Run at full length until one rate held and the next missed, so that the answer is as near as the tolerance.

        How many queries of a run were late says how far away the bound is, so that few runs are needed.
        """
        at, low, high = self.low, 0.0, math.inf
        while at:
            done = self._once_in_full(at)
            low, high = (low, at) if _missed(done) else (at, high)
            if low and self._near(low, high) and self._narrow_by_chance(high):
                done = self._try(high, self._aim.full_s, Step.AGAIN)
                low, high = (low, high) if _missed(done) else (high, math.inf)
            self.low, self.high = low, 0.0 if high == math.inf else high
            if low and self._near(low, high):
                return True
            if not low and _hopeless(done.attempt):
                return False
            at = self._nearer(done.attempt, low, high)
        return False

    def _once_in_full(self, rate: float) -> Tried:
        """The run of full length at a rate, made unless it was."""
        made = [each for each in self._tried if self._in_full(each) and each.attempt.rate == rate]
        return made[-1] if made else self._try(rate, self._aim.full_s, Step.CONFIRM)

    def _near(self, low: float, high: float) -> bool:
        return high <= low * (1 + self._aim.tolerance) * _ALIKE

    def _narrow_by_chance(self, rate: float) -> bool:
        """Whether one run of full length missed by less than an unsteady machine makes it miss now and then."""
        (last, *others) = [
            each.attempt for each in reversed(self._tried) if self._in_full(each) and each.attempt.rate == rate
        ]
        narrow = self._aim.allowed_at(rate) * math.exp(self._slope(full=True) * self._aim.tolerance)
        return not others and not last.stopped and last.share <= narrow and self._unsteady()

    def _nearer(self, attempt: Attempt, low: float, high: float) -> float:
        """The next rate of a confirmation: half a tolerance below where the last one sees the bound, within the bracket."""
        step = 1 + self._aim.tolerance
        bound = bound_from(_point(attempt), self._aim.allowed_at(attempt.rate), self._slope(full=True))
        wanted = bound / math.sqrt(step)
        if not low:
            return _rounded(max(min(wanted, high / step), high / _LEAP))
        if high == math.inf:
            return _rounded(min(max(wanted, low * step), low * _LEAP))
        if high <= low * step**2:
            return _rounded(math.sqrt(low * high))
        return _rounded(min(max(wanted, low * step), high / step))

    def _in_full(self, tried: Tried) -> bool:
        return tried.attempt.duration_s >= self._aim.full_s

    def _slope(self, *, full: bool) -> float:
        """How the late share goes with the rate, by the runs of full length, or the longest of the others."""
        least = self._aim.full_s if full else self._aim.longest_s
        most = math.inf if full or least == self._aim.full_s else self._aim.full_s
        points = [_point(each.attempt) for each in self._tried if least <= each.attempt.duration_s < most]
        if full and len({rate for rate, _, _ in points}) < 2:
            return self._slope(full=False)
        return slope_of(points, self._aim.allowed_at(self.low or self._tried[-1].attempt.rate))

    def _unsteady(self) -> bool:
        """Whether attempts at one rate differed, so that one alone says less than the tolerance; True while none tells."""
        slope = self._slope(full=False)
        attempts = [each.attempt for each in self._tried if each.attempt.late]
        gaps = [
            apart(_point(first), _point(second), slope)
            for place, first in enumerate(attempts)
            for second in attempts[place + 1 :]
            if (first.rate, first.duration_s) == (second.rate, second.duration_s)
        ]
        return not gaps or max(gaps) > self._aim.tolerance / 2

    def held_in_full(self) -> bool:
        """Whether a run of full length held at the lower end."""
        return any(
            each.judged is Judged.HELD and self._in_full(each) for each in self._tried if each.attempt.rate == self.low
        )

    def found(self, confirmed: bool, why: str) -> Found:
        """What the search came to."""
        return Found(self.low or None, confirmed, self.high or None, tuple(self._tried), why)

    def _settled(self, rate: float | None, step: Step) -> tuple[bool, float]:
        """Whether a rate holds, by attempts that get longer until one decides; and the rate that was sent."""
        seconds = self._seconds * (_GROWTH if step is Step.AGAIN else 1.0)
        while True:
            done = self._try(rate, min(seconds, self._aim.longest_at(rate)), step)
            if done.judged is not Judged.UNDECIDED:
                # The nearer the bound, the longer it takes: what was too short here is too short for the next rate.
                self._seconds = max(self._aim.attempt_s, done.attempt.duration_s / _GROWTH)
                return self._most_say_held(done), done.attempt.rate
            rate, step, seconds = done.attempt.rate, Step.LONGER, self._longer(done.attempt)

    def _most_say_held(self, done: Tried) -> bool:
        """What a settled attempt says; a borderline one is made again, and where the two differ a third time."""
        attempt = done.attempt
        said = [done.judged]
        if self._borderline(attempt) and self._unsteady():
            said.append(self._try(attempt.rate, attempt.duration_s, Step.AGAIN).judged)
            if said[0] is not said[1]:
                said.append(self._try(attempt.rate, attempt.duration_s, Step.AGAIN).judged)
        return said.count(Judged.HELD) * 2 > len(said)

    def _borderline(self, attempt: Attempt) -> bool:
        """Whether a fair part of a full run came so near the allowed share that another may say otherwise."""
        fair = attempt.duration_s >= self._aim.full_s * _FAIR_PART
        times = attempt.share / self._aim.allowed_at(attempt.rate)
        near = 1 / _BORDERLINE <= times <= _BORDERLINE
        return fair and near and judge_surely(attempt, self._aim) is Judged.UNDECIDED

    def _longer(self, attempt: Attempt) -> float:
        """Length of an attempt that may decide what this one could not."""
        bunch = max(1.0, attempt.rate * self._aim.bound_s)
        needed = queries_to_tell(math.ceil(attempt.late / bunch), int(attempt.queries / bunch), self._aim.percentile)
        wanted = math.inf if needed is None else needed * bunch / attempt.rate
        return min(self._aim.longest_at(attempt.rate), max(attempt.duration_s * _GROWTH, wanted))

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


def _point(attempt: Attempt) -> Point:
    return attempt.rate, attempt.queries, attempt.late


def _missed(tried: Tried) -> bool:
    return tried.judged is Judged.MISSED


def _hopeless(attempt: Attempt) -> bool:
    """Whether every query was late though the engine kept up: no queue to blame, so that no lower rate helps."""
    return attempt.late == attempt.queries and _kept_up(attempt)


def _kept_up(attempt: Attempt) -> bool:
    return attempt.completed_rate >= attempt.rate * _KEPT_UP


def _rounded(rate: float) -> float:
    return float(f"{rate:.{_DIGITS}g}")

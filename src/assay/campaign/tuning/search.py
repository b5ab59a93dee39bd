"""The loop of the search: propose, look, give up or run, keep; within a budget."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from assay.base.progress import Progress, Step
from assay.base.units import format_duration
from assay.campaign.tuning.accuracy import Scored
from assay.campaign.tuning.aim import SLACK, Bar, hopeless
from assay.campaign.tuning.bench import Bench, GivenUpError, Look, Promise
from assay.campaign.tuning.space import Candidate, Engine
from assay.campaign.tuning.study import Asked, Study
from assay.campaign.tuning.trial import Ended, Trial
from assay.errors import AssayError, RunFailedError

Shortfall = Callable[[Scored, Scored], str]
"""What an accuracy misses, beside that of the usual setting; empty when nothing."""
Told = Callable[[Trial], None]
_FAR = 1.0
"""So far behind, as a share of the probe, that it is not made again."""
_ENGINE_FAILURES = 2
"""Failures, and nothing else, after which an engine and its format are left."""
_FAILURES_IN_A_ROW = 6


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search may take.

    Attributes:
        trials: settings that are tried, those of earlier calls included; the usual one is not counted.
        seconds: no trial of this call begins after it.
        trial_s: length of a trial's run.
    """

    trials: int
    seconds: float | None
    trial_s: float


@dataclass(slots=True)
class Search:
    """A search under way.

    Attributes:
        study: what is kept, and the proposals.
        bench: that tries settings.
        shortfall: judges an accuracy; None when none is asked.
        told: told of every trial once it is kept.
        clock: seconds.
    """

    study: Study
    bench: Bench
    budget: Budget
    progress: Progress
    told: Told
    shortfall: Shortfall | None
    clock: Callable[[], float] = time.monotonic
    _accuracies: dict[str, Scored] = field(default_factory=dict)

    def run(self, baseline: Candidate) -> str:
        """Search until the budget is spent; returns what ended it, for a person.

        Args:
            baseline: the usual setting, which is tried first, and has to work.

        Raises:
            AssayError: when the usual setting cannot be run, or nothing else can.
            KeyboardInterrupt: after what was under way has been put back.
        """
        started = self.clock()
        self._accuracies = self.study.accuracies()
        step = self.progress.start("tune", total=self.budget.trials, unit="trials")
        try:
            if not self.study.trials:
                self._try_usual(baseline)
            return self._loop(started, step)
        finally:
            step.finish()

    def _loop(self, started: float, step: Step) -> str:
        while True:
            spent = len(self.study.trials) - 1
            step.update(done=spent, total=self.budget.trials, note=self._best())
            if spent >= self.budget.trials:
                return f"{spent} trials were made"
            if self.budget.seconds is not None and self.clock() - started >= self.budget.seconds:
                return f"the time of {format_duration(self.budget.seconds * 1e9)} was over after {spent} trials"
            barred = self._barred()
            asked = self.study.ask()
            if asked.candidate in barred:
                self.study.pass_over(asked)
                other = self.study.fresh(barred)
                if other is None:
                    return f"all settings were tried or ruled out, {spent} beside the usual one"
                self.study.propose(other)
                continue
            self._try(asked, spent + 1)
            self._see_that_something_works()

    def _try_usual(self, baseline: Candidate) -> None:
        began = self.clock()
        promise = self.bench.probe(baseline)
        if self.shortfall is not None:
            self._score(baseline.engine, baseline)
        measured = self.bench.measure(baseline, promise, self.budget.trial_s, Look())
        missed = self.study.aim.misses(measured)
        ended = Ended.MISSED if missed else Ended.MEASURED
        trial = Trial(0, baseline, ended, promise, measured, missed, self.clock() - began)
        self.study.keep_usual(trial)
        self.told(trial)

    def _try(self, asked: Asked, number: int) -> None:
        began = self.clock()
        candidate = asked.candidate
        promise: Promise | None = None

        def left(ended: Ended, why: str) -> Trial:
            return Trial(number, candidate, ended, promise, None, why, self.clock() - began)

        try:
            promise = self._probe(candidate)
            if why := self.study.aim.surely_misses(promise.memory):
                trial = left(Ended.PRUNED, why)
            elif self._hopeless(promise):
                trial = left(Ended.PRUNED, "the probe is well behind the best")
            elif self.study.prune(asked, promise.figure):
                trial = left(Ended.PRUNED, "the probe is behind most others")
            elif why := self._inaccurate(candidate):
                trial = left(Ended.INACCURATE, why)
            else:
                trial = self._measured(candidate, promise, number, began)
        except GivenUpError as error:
            trial = left(Ended.PRUNED, str(error))
        except AssayError as error:
            trial = left(Ended.FAILED, str(error))
        except KeyboardInterrupt:
            self.study.take_back(asked)
            raise
        self.study.tell(asked, trial)
        self.told(trial)

    def _probe(self, candidate: Candidate) -> Promise:
        """The probe of a setting; where it is behind but not far, the better of two: something may have disturbed it."""
        first = self.bench.probe(candidate)
        if not self._hopeless(first) or self._hopeless(first, _FAR):
            return first
        second = self.bench.probe(candidate)
        return second if self.study.aim.better(second.figure, first.figure) else first

    def _hopeless(self, promise: Promise, slack: float = SLACK) -> bool:
        bars = [
            Bar(measured.figure, trial.promise.figure if trial.promise else measured.figure, measured.memory)
            for trial, measured in self.study.best
        ]
        return hopeless(self.study.aim, promise.figure, promise.memory, bars, slack)

    def _measured(self, candidate: Candidate, promise: Promise, number: int, began: float) -> Trial:
        best = self.study.best
        # Where two things count, a lower rate may be worth its memory.
        beat = best[0][1].figure if best and self.study.aim.trade_off is None else None
        measured = self.bench.measure(candidate, promise, self.budget.trial_s, Look(beat, beat))
        missed = self.study.aim.misses(measured)
        ended = Ended.MISSED if missed else Ended.MEASURED
        return Trial(number, candidate, ended, promise, measured, missed, self.clock() - began)

    def _inaccurate(self, candidate: Candidate) -> str:
        """What the setting's engine and format miss of the accuracy."""
        usual = self.study.trials[0].candidate
        if self.shortfall is None or candidate.engine == usual.engine:
            return ""
        if str(candidate.engine) not in self._accuracies:
            self._score(candidate.engine, candidate)
        return self.shortfall(self._accuracies[str(candidate.engine)], self._accuracies[str(usual.engine)])

    def _score(self, engine: Engine, candidate: Candidate) -> None:
        scored = self.bench.accuracy(candidate)
        self.study.keep_accuracy(str(engine), scored)
        self._accuracies[str(engine)] = scored

    def _barred(self) -> set[Candidate]:
        """Settings that were tried, and those of engines that cannot be used."""
        trials = self.study.trials
        failures = Counter(trial.candidate.engine for trial in trials if trial.ended is Ended.FAILED)
        worked = {trial.candidate.engine for trial in trials if trial.ended is not Ended.FAILED}
        out = {engine for engine, count in failures.items() if count >= _ENGINE_FAILURES and engine not in worked}
        out |= {trial.candidate.engine for trial in trials if trial.ended is Ended.INACCURATE}
        barred = {candidate for candidate in self.study.space.candidates() if candidate.engine in out}
        return barred | {trial.candidate for trial in trials}

    def _see_that_something_works(self) -> None:
        last = self.study.trials[-_FAILURES_IN_A_ROW:]
        if len(last) == _FAILURES_IN_A_ROW and all(trial.ended is Ended.FAILED for trial in last):
            raise RunFailedError(
                f"{_FAILURES_IN_A_ROW} settings in a row could not be run",
                found=last[-1].why,
                hint="the others are kept; the same command goes on once the cause is gone",
            )

    def _best(self) -> str:
        best = self.study.best
        return f"best {best[0][1].figure:.4g} {self.study.aim.unit}" if best else ""

"""The best settings run again beside the usual one, in turn, so that a change of the machine meets all of them alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from assay.base.progress import Progress
from assay.campaign.tuning.aim import Aim, Measured, front
from assay.campaign.tuning.bench import Bench, Look, Promise
from assay.campaign.tuning.space import Candidate
from assay.campaign.tuning.study import Study
from assay.campaign.tuning.trial import Trial
from assay.errors import AssayError


@dataclass(frozen=True, slots=True)
class Gain:
    """How many times as good a setting is as the usual one: in each pass, and the middle of the passes.

    Attributes:
        middle: median of the passes.
        least: of the passes.
        most: of the passes.
    """

    middle: float
    least: float
    most: float

    @property
    def sure(self) -> bool:
        """Whether it was better in every pass."""
        return self.least > 1


@dataclass(frozen=True, slots=True)
class Contender:
    """A setting in the confirmation.

    Attributes:
        trial: what came of it in the search.
        passes: what it did, run by run.
        gain: over the usual setting; None of the usual one.
        failed: why it could not be run again; empty when it could.
    """

    trial: Trial
    passes: tuple[Measured, ...]
    gain: Gain | None = None
    failed: str = ""

    @property
    def middle(self) -> Measured:
        """Medians of the passes; runs of all of them."""
        every = [each.p99_ns for each in self.passes if each.p99_ns is not None]
        watts = [each.watts for each in self.passes if each.watts is not None]
        return Measured(
            figure=median(each.figure for each in self.passes),
            p99_ns=median(every) if every else None,
            memory=round(median(each.memory for each in self.passes)),
            watts=median(watts) if watts else None,
            valid=all(each.valid for each in self.passes),
            runs=tuple(run for each in self.passes for run in each.runs),
        )

    @property
    def spread(self) -> float:
        """Range of the figure over its median."""
        figures = [each.figure for each in self.passes]
        return (max(figures) - min(figures)) / median(figures)


Told = Callable[[int, Trial, Measured], None]
"""Told of every run: its pass, the setting's trial, what it did."""


def contenders(study: Study, finalists: int) -> list[Trial]:
    """The usual setting and the best others: of the figure alone, or of those that nothing beats where two things count."""
    usual = study.trials[0]
    held = [
        (trial, trial.measured)
        for trial in study.trials
        if trial.measured is not None and not study.aim.misses(trial.measured)
    ]
    aim = study.aim
    best = (
        front(aim, held)
        if aim.trade_off
        else sorted(held, key=lambda each: each[1].figure, reverse=not aim.lower_is_better)
    )
    others = [trial for trial, _ in best if trial.candidate != usual.candidate]
    if aim.trade_off and len(others) > finalists:
        # Both ends of the front, and what lies evenly between.
        last = len(others) - 1
        wanted = {round(index * last / max(finalists - 1, 1)) for index in range(finalists)}
        others = [others[index] for index in sorted(wanted)]
    return [usual, *others[:finalists]]


def confirm(
    study: Study, bench: Bench, runners: Sequence[Trial], repeats: int, seconds: float, progress: Progress, told: Told
) -> list[Contender]:
    """Run the settings again, pass by pass; what was run before an interruption is not run again.

    Raises:
        AssayError: when the usual setting cannot be run.
    """
    done: dict[Candidate, list[Measured]] = {trial.candidate: [] for trial in runners}
    failed: dict[Candidate, str] = {}
    step = progress.start("confirm", total=repeats * len(runners), unit="runs")
    try:
        for number in range(repeats):
            # Another one begins each pass: what comes first may find a cooler machine.
            turn = number % len(runners)
            for trial in (*runners[turn:], *runners[:turn]):
                if trial.candidate not in failed:
                    try:
                        measured = _again(study, bench, trial, number, len(runners), seconds)
                    except AssayError as error:
                        if trial is runners[0]:
                            raise
                        failed[trial.candidate] = str(error)
                    else:
                        done[trial.candidate].append(measured)
                        told(number, trial, measured)
                step.advance()
    finally:
        step.finish()
    usual = done[runners[0].candidate]
    return [
        _contender(study.aim, trial, done[trial.candidate], usual, failed, trial is runners[0]) for trial in runners
    ]


def _again(study: Study, bench: Bench, trial: Trial, number: int, among: int, seconds: float) -> Measured:
    key = f"{seconds:g}s:{among}:{number}:{trial.candidate}"
    kept = study.rerun(key)
    if kept is not None:
        return kept
    assert trial.promise is not None and trial.measured is not None
    look = Look(start=trial.measured.figure)
    measured = bench.measure(trial.candidate, _sharper(study.aim, trial.promise, trial.measured), seconds, look)
    study.keep_rerun(key, measured)
    return measured


def _sharper(aim: Aim, promise: Promise, measured: Measured) -> Promise:
    """What to plan with once a run has told more than the probe: a rate at least as high, so that no run ends early."""
    if aim.lower_is_better or measured.figure <= promise.target:
        return promise
    return replace(promise, target=measured.figure * 1.05)


def _contender(
    aim: Aim, trial: Trial, passes: list[Measured], usual: list[Measured], failed: dict[Candidate, str], is_usual: bool
) -> Contender:
    why = failed.get(trial.candidate, "")
    if is_usual or why or not passes:
        return Contender(trial, tuple(passes), None, why)
    gains = [aim.gain(one.figure, other.figure) for one, other in zip(passes, usual, strict=True)]
    return Contender(trial, tuple(passes), Gain(median(gains), min(gains), max(gains)))


def winner(aim: Aim, confirmed: Sequence[Contender]) -> Contender:
    """The setting to take: the one with the best middle that holds what is asked; the usual one when none is better."""
    usual, *others = confirmed
    able = [each for each in others if each.gain is not None and not aim.misses(each.middle)]
    best = max(able, key=lambda each: each.gain.middle if each.gain else -math.inf, default=None)
    if best is None or best.gain is None:
        return usual
    # A usual setting that misses what is asked loses to one that holds it, however slow.
    return best if best.gain.middle > 1 or aim.misses(usual.middle) else usual

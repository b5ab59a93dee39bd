"""How long the steps of a campaign take: from what was measured on this machine, else guessed and said to be so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.base.processors import processor_count
from assay.campaign.flow.steps import Expected
from assay.campaign.lengths import known_samples, settings_of, unhurried
from assay.campaign.plan import PROBE_S, Plan, PlannedRun
from assay.campaign.targets import targets_from
from assay.harness.outcome import Probe
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.rules.model import Mode, Scenario

_START_S = 3.0
"""Of a run: process, engine, loading samples."""
_BYTES_PER_S = 20e6
"""A usual line."""
_OPERATIONS_PER_S = 40e9
"""Of one core, in fp32."""
_OPERATIONS = {
    "image-classification": 8e9,
    "object-detection": 300e9,
    "language": 250e9,
    "speech-recognition": 30e9,
    "medical-imaging": 80e12,
    "recommendation": 20e6,
    "language-model": 15e12,
}
"""Of one sample of the reference model of each task, about."""
_USUAL_OPERATIONS = 50e9
_SMALLER = 20
"""How much smaller a stand-in is, about."""
_PREPARED_PER_S = 100.0
_CALIBRATED_WITH = 500
"""Samples that a quantisation looks at, about, its reckoning included."""
_SEARCH_ATTEMPTS = 12
_SEARCH_LONG = 4
_ATTEMPT_S = 10.0
_CONFIRMATIONS = 2.5


@dataclass(frozen=True, slots=True)
class Speed:
    """Samples that an engine does each second.

    Attributes:
        rough: guessed from the size of the task's model.
    """

    per_second: float
    rough: bool


def speed_of(plan: Plan, records: Iterable[RunRecord]) -> Speed:
    """The speed of a plan's engine on its model: the best that was measured here, of the same scenario where there is one.

    Args:
        records: of this home.
    """
    subject = plan.subject
    name = str(subject.model_file or subject.model.name)
    wanted = (name, plan.request.backend, plan.precision.value)
    alike = [each for each in records if (each.model.name, each.backend_name, each.precision) == wanted]
    fitting = [each for each in alike if each.scenario == plan.runs[0].scenario.value]
    for found in (fitting, alike):
        measured = [rate for each in found if (rate := _measured(each)) is not None]
        if measured:
            return Speed(max(measured), rough=False)
    operations = _OPERATIONS.get(subject.benchmark.task, _USUAL_OPERATIONS)
    if Label.STAND_IN_MODEL.value in subject.model.labels:
        operations /= _SMALLER
    return Speed(_OPERATIONS_PER_S * processor_count() / operations, rough=True)


def _measured(record: RunRecord) -> float | None:
    figures = record.figures
    if record.status is not RunStatus.FINISHED or record.compliance:
        return None
    if figures.samples_per_second:
        return figures.samples_per_second
    return figures.samples / figures.duration_s if figures.samples and figures.duration_s else None


def run_time(planned: PlannedRun, plan: Plan, speed: Speed) -> Expected:
    """How long a run takes: its duration, or as long as its fewest queries take where that is longer."""
    samples = _samples(planned, plan, speed)
    work = samples / speed.per_second
    # What arrives at a rate is over when it has arrived: the rate is the engine's own, or the search finds it.
    seconds = work if planned.mode is Mode.ACCURACY else max(planned.duration_ns / 1e9, work)
    rough = speed.rough and (planned.mode is Mode.ACCURACY or work > planned.duration_ns / 1e9)
    probe = PROBE_S + _START_S if planned.probe else 0.0
    if planned.mode is Mode.PERFORMANCE and plan.power is not None and plan.power.session:
        # Ranging, then testing, with the director's pauses.
        return Expected(2 * (_START_S + seconds) + plan.power.pauses_s + probe, rough)
    return Expected(_START_S + seconds + probe, rough)


def _samples(planned: PlannedRun, plan: Plan, speed: Speed) -> int:
    """Samples of a run at least; with equal issue those of whole sets, which the engine's speed decides on."""
    subject, scenario = plan.subject, planned.scenario
    known = known_samples(subject)
    if planned.mode is Mode.ACCURACY:
        return plan.request.samples or known
    limits = subject.benchmark.limits[scenario]
    asked = settings_of(plan.request, subject, scenario, planned.mode, known, unhurried(scenario))
    if asked.makes_sets:
        found = targets_from(_probe_at(speed), scenario, limits)
        return settings_of(plan.request, subject, scenario, planned.mode, known, found).made
    return asked.min_query_count * (limits.samples_per_query or 1 if scenario is not Scenario.OFFLINE else 1)


def _probe_at(speed: Speed) -> Probe:
    """What a probe of an engine of that speed would find."""
    alone = round(1e9 / speed.per_second)
    return Probe(alone, alone, alone, alone, batch_size=1, rate=speed.per_second)


def search_time(planned: PlannedRun) -> Expected:
    """How long the search of a rate takes; nobody knows how many attempts it needs."""
    full = planned.duration_ns / 1e9
    attempt, longest = min(_ATTEMPT_S, full), min(full, max(_ATTEMPT_S, full / 10))
    attempts = _SEARCH_ATTEMPTS * (attempt + _START_S) + _SEARCH_LONG * (longest + _START_S)
    return Expected(attempts + _CONFIRMATIONS * (full + _START_S), rough=True)


def fetch_time(plan: Plan) -> Expected:
    """How long what is missing takes on a usual line."""
    return Expected(1.0 + plan.fetch.total_bytes / _BYTES_PER_S, rough=plan.fetch.total_bytes > 0)


def prepare_time(plan: Plan) -> Expected:
    """How long pre-processing takes when nothing is there."""
    return Expected(1.0 + known_samples(plan.subject) / _PREPARED_PER_S, rough=True)


def quantise_time(speed: Speed) -> Expected:
    """How long quantising takes."""
    return Expected(5.0 + _CALIBRATED_WITH / speed.per_second, rough=True)


def total(expected: Sequence[Expected]) -> Expected:
    """All together."""
    return Expected(sum(each.seconds for each in expected), any(each.rough for each in expected))

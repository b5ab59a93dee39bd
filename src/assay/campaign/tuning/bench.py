"""Runs a setting: a probe of the engine, an accuracy run, a short run of the scenario, through the harness as any run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.execute import carry_out, gather, probe_engine
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.campaign.search_attempt import attempt_at
from assay.campaign.search_plan import plan_search
from assay.campaign.search_trace import best_attempt
from assay.campaign.targets import targets_from
from assay.campaign.tuning.accuracy import Scored
from assay.campaign.tuning.aim import SLACK, Measured
from assay.campaign.tuning.plan import TunePlan
from assay.campaign.tuning.space import Candidate
from assay.errors import RunFailedError
from assay.harness.outcome import Outcome
from assay.loadgen.attempts import Attempt, Judged, Tried
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.search import find_rate
from assay.rules.model import Scenario

_TOLERANCE = 0.05
"""How near a trial's Server rate is to the highest."""
_ATTEMPTS = 12
_ROUGHLY_S = 0.25
"""Share of a Server trial's length that its first attempts have."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a probe says of a setting, which a run hardly does better.

    Attributes:
        figure: in the scenario's unit; of Server the rate that the engine completes.
        memory: that the probe took, in bytes.
        target: what LoadGen is told to plan with: a rate, or a latency in nanoseconds.
    """

    figure: float
    memory: int
    target: float


@dataclass(frozen=True, slots=True)
class Look:
    """How a Server rate is searched.

    Attributes:
        start: first rate; the one that the probe suggests unless given.
        beat: rate of the best setting so far; one that misses well below it is given up.
    """

    start: float | None = None
    beat: float | None = None


class GivenUpError(Exception):
    """A setting missed a Server rate that a better one has to hold."""


class Bench(Protocol):
    """Something that can tell how good a setting is."""

    def probe(self, candidate: Candidate) -> Promise:
        """A first look of two seconds, without LoadGen.

        Raises:
            AssayError: when the engine cannot be driven so.
        """

    def accuracy(self, candidate: Candidate) -> Scored:
        """The accuracy of the setting's engine and format.

        Raises:
            AssayError: when the run broke.
        """

    def measure(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
        """A run of the scenario.

        Args:
            candidate: the setting.
            promise: what the probe said.
            seconds: length of the run.
            look: where Server's search begins, and where it ends early.

        Raises:
            GivenUpError: when it is.
            AssayError: when the run broke.
        """


class LoadgenBench:
    """The real one: every look is a process of its own, every run has a record.

    Args:
        plan: of the search.
        settings: where things are kept.
        progress: told while it goes on.
    """

    def __init__(self, plan: TunePlan, settings: Settings, progress: Progress) -> None:
        self._plan, self._settings, self._progress = plan, settings, progress
        self._scenario = plan.request.scenario

    def probe(self, candidate: Candidate) -> Promise:
        """Measure the engine without LoadGen."""
        plan = self._run_plan(candidate, {"duration_ns": self._plan.request.trial_ns})
        (planned,) = plan.runs
        outcome = probe_engine(
            plan, planned, gather(plan, self._settings, self._progress), self._settings, self._progress
        )
        return self._promise(candidate, plan, outcome)

    def accuracy(self, candidate: Candidate) -> Scored:
        """Answer every sample once, all at once: the figures of accuracy do not hang on the scenario."""
        request = self._plan.usual.request
        changes = {
            **replace(candidate, batch_wait_ns=0).changes(Scenario.OFFLINE),
            "scenarios": (Scenario.OFFLINE,), "mode": "accuracy", "samples": self._plan.request.accuracy_samples,
            "target_latency_ns": None, "duration_ns": None, "power": None, "power_ntp": None, "power_official": None,
        }  # fmt: skip
        (record,) = self._carry_out(request.model_copy(update=changes))
        return Scored.of(record)

    def measure(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
        """Run the scenario; in Server search the rate."""
        if self._scenario is Scenario.SERVER:
            return self._search_rate(candidate, promise, seconds, look)
        target: dict[str, Any] = {"target_qps": promise.target}
        if self._scenario is not Scenario.OFFLINE:
            target = {"target_latency_ns": max(round(promise.target), 1)}
        plan = self._run_plan(candidate, {"duration_ns": round(seconds * 1e9), **target})
        (record,) = carry_out(plan, self._settings, self._progress)
        return self._measured(record)

    def _run_plan(self, candidate: Candidate, changes: dict[str, Any]) -> Plan:
        request = self._plan.usual.request
        changes = {**candidate.changes(self._scenario), "trace": False, **changes}
        return make_plan(request.model_copy(update=changes), self._settings)

    def _carry_out(self, request: RunRequest) -> list[RunRecord]:
        return carry_out(make_plan(request, self._settings), self._settings, self._progress)

    def _promise(self, candidate: Candidate, plan: Plan, outcome: Outcome) -> Promise:
        probe = outcome.probe
        assert probe is not None
        facts = plan.subject.round.scenarios[self._scenario]
        limits = plan.subject.benchmark.limits[self._scenario]
        found = targets_from(probe, self._scenario, limits)
        if self._scenario is Scenario.SINGLE_STREAM:
            return Promise(probe.latency_ns / facts.divide_by, outcome.peak_memory, found.target_latency_ns or 1)
        if self._scenario is Scenario.MULTI_STREAM:
            batches = -(-(limits.samples_per_query or 1) // candidate.batch_size)
            latency = probe.batch_latency_ns * batches / facts.divide_by
            return Promise(latency, outcome.peak_memory, found.target_latency_ns or 1)
        # A stream was measured alone: together they have no more processors than there are.
        busy = candidate.threads * candidate.streams
        share = min(1.0, self._plan.space.processors / busy) if busy else 1.0
        rate = probe.rate * share
        return Promise(rate, outcome.peak_memory, (found.target_qps or rate) * share)

    def _measured(self, record: RunRecord) -> Measured:
        figures = record.figures
        if figures.value is None:
            raise RunFailedError("the run has no figure", where=record.id, hint=f"assay runs show {record.id}")
        return Measured(
            figure=figures.value,
            p99_ns=figures.latency_ns.get("p99"),
            memory=record.peak_memory,
            watts=self._watts(record),
            valid=record.verdict is not None and record.verdict.valid,
            runs=(record.id,),
        )

    def _watts(self, record: RunRecord) -> float | None:
        if record.power is None and self._plan.request.wants_watts:
            raise RunFailedError("the run has no watts", where=record.id, hint=f"assay runs show {record.id}")
        return record.power.watts if record.power else None

    def _search_rate(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
        """The highest rate that holds the bound."""
        request = self._run_plan(candidate, {"duration_ns": round(seconds * 1e9)}).request
        plan = plan_search(
            request, self._settings, start=look.start or promise.target, attempt_ns=max(round(seconds * 1e9 * _ROUGHLY_S), 10**9),
            tolerance=_TOLERANCE, confirm=False,
        )  # fmt: skip
        plan = replace(plan, aim=replace(plan.aim, most=_ATTEMPTS))

        def told(tried: Tried) -> None:
            missed = tried.judged is Judged.MISSED
            if look.beat is not None and missed and tried.attempt.rate <= look.beat * (1 - SLACK):
                raise GivenUpError(
                    f"missed the bound at {tried.attempt.rate:.4g} queries/s; another held {look.beat:.4g}"
                )

        def attempt(rate: float | None, length: float) -> Attempt:
            return attempt_at(plan, rate, length, self._settings, self._progress)

        found = find_rate(attempt, plan.aim, start=plan.start, told=told)
        best = best_attempt(found)
        if found.rate is None or best is None:
            raise RunFailedError("no rate held the latency bound", found=found.why or None)
        catalogue = RunCatalogue(self._settings.runs_dir)
        records = {name: catalogue.read(name) for name in (each.attempt.run for each in found.tried)}
        return Measured(
            figure=found.rate,
            p99_ns=records[best.run].figures.latency_ns.get("p99"),
            memory=max(record.peak_memory for record in records.values()),
            watts=self._watts(records[best.run]),
            valid=True,
            runs=(*(name for name in records if name != best.run), best.run),
        )

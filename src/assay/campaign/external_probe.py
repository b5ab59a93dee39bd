"""A target for another program where the user gave none: from its last run of the same, else from a short run of it.

LoadGen plans how many queries to make from the expected rate or latency, and a program of others tells neither. It is
started once more beforehand (Offline: until a run is long enough to tell its rate), with the settings of the run to come
but for its length, and with fewer samples loaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from assay.base.files import machine_errors, write_atomic
from assay.base.progress import Progress
from assay.base.units import format_duration, format_rate
from assay.campaign.external_plan import RATED, ExternalPlan
from assay.campaign.external_words import MLPERF_CONF, invocation_of
from assay.campaign.finish import performance_figures
from assay.campaign.material import Material
from assay.campaign.plan import PROBE_S, PlannedRun
from assay.campaign.targets import targets_from
from assay.errors import AssayError
from assay.harness.external.process import execute_foreign
from assay.harness.outcome import Ending, Failure, Outcome, Probe
from assay.harness.spec import USER_CONF
from assay.loadgen.conf import round_conf, run_conf
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Figures, Label, RunRecord, RunStatus
from assay.loadgen.settings import LoadgenSettings, Overrides, resolve
from assay.loadgen.whole_sets import carries_all_out
from assay.rules.model import Limits, Mode, Scenario

FOLDER = "probe"
_LOADED = 64
"""Samples that a short run loads at most; the thousand of a full one can take longer than the run."""
_FIRST = 4
"""Samples of the first Offline attempt where nobody said how large the batches are."""
_ENOUGH_S = 1.5
_GROWTH = 256
"""How many times as many samples the next attempt may take; what starts up slowly seems slower than it is."""
_ATTEMPTS = 4
_MOST = 1 << 20
"""Samples of an attempt at most; LoadGen holds them all."""
_WARM = 1.3
"""How much faster a long run may be than a short one, which has the start in it; too few samples end a run early."""
_LONE_QPS = 4.0
"""Rate of a Server without SingleStream: low enough that most queries come alone."""
_QUICK_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A target, and where it comes from.

    Attributes:
        how: for a person.
    """

    overrides: Overrides
    how: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A short run that did not come to a result, as the run's own ending."""

    outcome: Outcome


# ---- from an earlier run


def known_target(records: Iterable[RunRecord], record: RunRecord, limits: Limits) -> Found | None:
    """The target that the newest finished run of the same program on the same inputs tells; None without one.

    Args:
        records: earlier runs, newest first.
        record: of the run to come.
        limits: of the round, for the run's scenario.
    """
    scenario = Scenario(record.scenario)
    for earlier in records:
        if earlier.status is RunStatus.FINISHED and _inputs(earlier) == _inputs(record):
            overrides = _told_by(earlier, scenario, limits)
            if overrides is not None:
                return Found(overrides, f"{_words(overrides)}, as {earlier.id} of the same inputs told")
    return None


def _inputs(record: RunRecord) -> tuple[object, ...]:
    """All that a target depends on."""
    facts = ("manifest_sha256", "folder", "revision", "options", "container", "image")
    return (
        record.backend_name,
        *(record.backend.get(name) for name in facts),
        record.model.sha256 or record.model.name,
        record.dataset.sha256 or record.dataset.name,
        *(record.benchmark, record.scenario, record.mode, record.compliance),
        *(record.precision, record.batch_size, record.threads, record.streams),
        record.host.get("cpu"),
    )


def _told_by(record: RunRecord, scenario: Scenario, limits: Limits) -> Overrides | None:
    if scenario is Scenario.SERVER:
        sent = record.settings.get("target_qps")
        valid = record.verdict is not None and record.verdict.valid
        return Overrides(target_qps=float(sent)) if valid and isinstance(sent, int | float) and sent > 0 else None
    probe = _probe_of(record.figures, limits.samples_per_query or 1)
    if probe is None:
        return None
    if Label.SHORT_RUN in record.labels:
        probe = replace(probe, rate=probe.rate * _WARM)
    return targets_from(probe, scenario, limits)


def _probe_of(figures: Figures, samples_per_query: int) -> Probe | None:
    """A run's figures as those of a probe, whose batch is the query."""
    rate, latency = figures.samples_per_second, figures.latency_ns.get("mean")
    if not rate or not 1e-9 < rate < 1e12:
        return None
    said = latency is not None and 0 < latency < math.inf
    each_ns = max(round(latency if latency is not None and said else 1e9 * samples_per_query / rate), 1)
    shortest = figures.latency_ns.get("min")
    fastest_ns = max(round(shortest), 1) if shortest is not None and 0 < shortest < each_ns else each_ns
    return Probe(each_ns, each_ns, fastest_ns, fastest_ns, samples_per_query, rate)


# ---- from a short run


def probe_program(
    external: ExternalPlan, planned: PlannedRun, material: Material, folder: Path, progress: Progress
) -> Found | Broken:
    """Find a target by short runs of the program, in folders below ``folder``.

    Raises:
        UsageError: for something that the program has to be told and nobody knows.
    """
    return _Prober(external, planned, material, folder / FOLDER, progress).find()


class _Prober:
    """The short runs for one run to come."""

    def __init__(
        self, external: ExternalPlan, planned: PlannedRun, material: Material, folder: Path, progress: Progress
    ) -> None:
        self._external = external
        self._planned = planned
        self._material = material
        self._folder = folder
        self._progress = progress
        self._subject = external.plan.subject
        self._benchmark = self._subject.benchmark
        self._attempts = 0

    def find(self) -> Found | Broken:
        """The target."""
        if self._planned.scenario is Scenario.OFFLINE:
            return self._rate()
        return self._latency()

    def _rate(self) -> Found | Broken:
        """Offline: more samples each time, until they last long enough."""
        samples = max(2 * self._planned.batch_size, _FIRST)
        while True:
            figures = self._run(Scenario.OFFLINE, Overrides(duration_ns=1, min_query_count=samples))
            if isinstance(figures, Outcome):
                return Broken(figures)
            rate, lasted = figures.samples_per_second or 0.0, figures.duration_s or 0.0
            if lasted >= _ENOUGH_S or self._attempts == _ATTEMPTS:
                break
            samples = min(math.ceil(rate * PROBE_S), samples * _GROWTH, _MOST)
        count = figures.samples or samples
        probe = _probe_of(figures, 1)
        assert probe is not None  # a run without a rate is an outcome
        probe = replace(probe, rate=probe.rate * _WARM)
        overrides = targets_from(probe, Scenario.OFFLINE, self._benchmark.limits[Scenario.OFFLINE])
        return Found(overrides, f"{_words(overrides)}: {count} samples took {format_duration(lasted * 1e9)}")

    def _latency(self) -> Found | Broken:
        """One query after another; Server's rate follows from it as it does with engines of assay."""
        wanted, own = self._planned.scenario, self._external.chosen.implementation.scenarios
        alone = Scenario.SINGLE_STREAM
        scenario = alone if wanted is Scenario.SERVER and alone in own and alone in self._benchmark.limits else wanted
        length_ns = round(PROBE_S * 1e9)
        # Where all that is planned is carried out: three queries, not those that a quick program needs.
        all_of_them = carries_all_out(scenario, equal_issue=self._benchmark.limits[scenario].equal_issue)
        expected_ns = length_ns if all_of_them else _QUICK_NS
        stream = Overrides(target_latency_ns=expected_ns)
        target = Overrides(target_qps=_LONE_QPS) if scenario is Scenario.SERVER else stream
        figures = self._run(scenario, replace(target, duration_ns=length_ns, min_query_count=1))
        if isinstance(figures, Outcome):
            return Broken(figures)
        limits = self._benchmark.limits[wanted]
        probe = _probe_of(figures, limits.samples_per_query or 1)
        assert probe is not None  # a run without a rate is an outcome
        overrides = targets_from(probe, wanted, limits)
        took = format_duration(probe.latency_ns)
        return Found(overrides, f"{_words(overrides)}: a query took {took} in a short run of {scenario.value}")

    def _run(self, scenario: Scenario, asked: Overrides) -> Figures | Outcome:
        """One short run; its figures, or how it ended without."""
        self._attempts += 1
        place = self._folder / str(self._attempts)
        planned = replace(self._planned, scenario=scenario)
        resolved = self._resolved(scenario, asked)
        named = "target_qps" if scenario in RATED else "target_latency"
        more = frozenset({named, "duration", "samples"})
        with machine_errors(place):
            place.mkdir(parents=True)
        write_atomic(place / USER_CONF, run_conf(resolved))
        write_atomic(place / MLPERF_CONF, round_conf(self._subject.round, self._benchmark, scenario))
        # After its files: a container gets what is there.
        invocation = invocation_of(self._external, planned, self._material, resolved, place, more=more)
        label = f"{self._planned.scenario.value}: short run {self._attempts}"
        outcome = execute_foreign(invocation, place, label=label, progress=self._progress)
        if outcome.ending is not Ending.FINISHED:
            return _of_the_probe(outcome)
        try:
            figures = performance_figures(read_detail(place / DETAIL), self._subject.round, scenario)
        except AssayError as error:
            return _of_the_probe(Outcome(Ending.FAILED, Failure.of(error)))
        if _probe_of(figures, 1) is None:
            failure = Failure("RunFailedError", "its log tells no rate", where=str(place / DETAIL))
            return _of_the_probe(Outcome(Ending.FAILED, failure))
        return figures

    def _resolved(self, scenario: Scenario, asked: Overrides) -> LoadgenSettings:
        most = self._benchmark.limits[scenario].performance_sample_count or _LOADED
        asked = replace(asked, performance_sample_count=min(_LOADED, most))
        return resolve(
            self._subject.round,
            self._benchmark,
            scenario,
            Mode.PERFORMANCE,
            asked,
            dataset_size=self._material.samples,
        )


def _of_the_probe(outcome: Outcome) -> Outcome:
    """An ending that says where it happened and what to do without it."""
    if outcome.failure is None:
        return outcome
    what = f"the short run that finds a target: {outcome.failure.what}"
    return replace(outcome, failure=replace(outcome.failure, what=what))


def _words(overrides: Overrides) -> str:
    if overrides.target_qps is not None:
        return f"planned with {format_rate(overrides.target_qps, 'samples')}"
    return f"planned with {format_duration(overrides.target_latency_ns or 0)} a query"

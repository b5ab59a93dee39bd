"""How long a run is asked to be: LoadGen's settings from what the user asked, what the probe found, and the round."""

from __future__ import annotations

from dataclasses import dataclass

from assay.base.units import format_count
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject
from assay.loadgen.settings import LoadgenSettings, Overrides, deviations, is_short, resolve
from assay.loadgen.statistics import queries_needed
from assay.rules.model import Mode, Scenario

_SENT_WITHIN_S = 5.0
_RATED = (Scenario.OFFLINE, Scenario.SERVER)
_ENDLESS_NS = 10**18


@dataclass(frozen=True, slots=True)
class WholeSets:
    """What LoadGen makes of a run with equal issue, in which every sample is issued as often as every other.

    Attributes:
        queries: fewest queries (Offline: samples) of the run.
        loaded: samples that each set of them is made of.
        whole: samples that the round loads, or that there are.
        short: whether the run is shorter than the round's, and loads no more than it makes.
        open: whether there are more of both where the probe finds the engine to be fast enough.
    """

    queries: int
    loaded: int
    whole: int
    short: bool
    open: bool

    def line(self, scenario: Scenario) -> str:
        """For a person, after the run's duration."""
        one, many = ("sample", "samples") if scenario is Scenario.OFFLINE else ("query", "queries")
        fewest = f"at least {format_count(self.queries)} {one if self.queries == 1 else many}"
        sets = f"whole sets of {format_count(self.loaded)}{' or more' if self.short and self.open else ''} loaded"
        besides = f", not of {format_count(self.whole)}, as the run is short" if self.loaded < self.whole else ""
        return f"{fewest} in {sets} (equal issue){besides}"

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {"min_queries": self.queries, "loaded": self.loaded, "of": self.whole, "more_if_fast": self.open}


def settings_of(
    request: RunRequest, subject: Subject, scenario: Scenario, mode: Mode, samples: int, found: Overrides
) -> LoadgenSettings:
    """LoadGen's settings of a run: what the user asked, then what was found, then the round's.

    Args:
        request: what was asked.
        subject: gives the round and its limits.
        scenario: of the run.
        mode: of the run.
        samples: that there are.
        found: a target from the probe, or from elsewhere.

    Raises:
        UsageError: for settings that cannot hold together.
    """
    performance, offline = mode is Mode.PERFORMANCE, scenario is Scenario.OFFLINE
    asked = Overrides(
        duration_ns=request.wanted_duration_ns if performance else None,
        min_query_count=request.samples or _short_count(request, subject, scenario),
        target_qps=(request.target_qps if scenario in _RATED else None) or found.target_qps,
        target_latency_ns=(None if offline else request.target_latency_ns) or found.target_latency_ns,
    )
    if not performance:
        # Nobody is measured: all samples are sent within seconds, and not one each second, which is LoadGen's own rate.
        quickly = max(1.0, samples / _SENT_WITHIN_S)
        asked = Overrides(target_qps=(request.target_qps or quickly) if scenario is Scenario.SERVER else None)
    return resolve(subject.round, subject.benchmark, scenario, mode, asked, dataset_size=samples)


def _short_count(request: RunRequest, subject: Subject, scenario: Scenario) -> int | None:
    """Fewest queries (Offline: samples) of a run that is shorter than the round's; None for the round's own.

    Offline takes as many as the duration takes: the round's 24,576 samples would outlast it. A single stream needs 64 for
    LoadGen's estimate of the 90th percentile, and the round's 1,024 would take a slow model half an hour. The others need
    662 for an estimate of the 99th, whatever the round asks (v2.0 and v2.1: 270,336).
    """
    limits, wanted = subject.benchmark.limits[scenario], request.wanted_duration_ns
    if wanted is None or wanted >= limits.min_duration_ns:
        return None
    fewest = {Scenario.OFFLINE: 1, Scenario.SINGLE_STREAM: queries_needed(1, 0.9)}
    return fewest.get(scenario, min(limits.min_query_count, queries_needed(1, limits.percentile or 0.99)))


def unhurried(scenario: Scenario) -> Overrides:
    """The target of an engine so slow that a run has no more queries than it has to have."""
    if scenario in _RATED:
        return Overrides(target_qps=1e9 / _ENDLESS_NS)
    return Overrides(target_latency_ns=_ENDLESS_NS)


def whole_sets_of(request: RunRequest, subject: Subject, scenario: Scenario, mode: Mode) -> WholeSets | None:
    """What equal issue makes of a run; None where it makes nothing of it.

    Raises:
        UsageError: for settings that cannot hold together.
    """
    samples = known_samples(subject)
    settings = settings_of(request, subject, scenario, mode, samples, unhurried(scenario))
    if not settings.makes_sets:
        return None
    whole = min(subject.benchmark.limits[scenario].performance_sample_count, samples)
    short = is_short(deviations(settings, subject.benchmark))
    given = request.target_qps if scenario in _RATED else request.target_latency_ns
    return WholeSets(settings.made, settings.performance_sample_count, whole, short, open=given is None)


def known_samples(subject: Subject) -> int:
    """Samples of the data, before they are looked at: the catalogue's count, else as many as the benchmark has."""
    dataset = subject.dataset
    return dataset.count if dataset is not None and dataset.count else subject.benchmark.dataset_size

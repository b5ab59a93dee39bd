"""LoadGen's settings of a run: the round's, with the user's over them.

``user.conf`` holds what LoadGen lets a user set, in LoadGen's units; :meth:`LoadgenSettings.attributes` holds every
setting, to be pinned, because LoadGen's built-in defaults are those of its own round. Where a setting is weaker than
the round asks, :func:`deviations` says so.

Source of names, units and defaults: mlcommons/inference v3.1, loadgen/test_settings.h and mlperf.conf.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.base.units import format_count, format_duration
from assay.errors import UsageError
from assay.rules.model import Benchmark, Limits, Mode, Round, Scenario

_NS_PER_MS = 1_000_000
_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user sets over the round; None leaves the round's.

    Attributes:
        duration_ns: shortest run.
        min_query_count: fewest queries (Offline: samples).
        max_query_count: most queries; ends the run early, which no round accepts.
        target_qps: Server: rate sent; Offline: rate LoadGen plans with.
        target_latency_ns: Server: latency bound; streams: expected latency of a query.
        performance_sample_count: samples loaded for a performance run.
    """

    duration_ns: int | None = None
    min_query_count: int | None = None
    max_query_count: int | None = None
    target_qps: float | None = None
    target_latency_ns: int | None = None
    performance_sample_count: int | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """A setting weaker than the round's.

    Attributes:
        name: LoadGen's name of it.
        rule: what the round asks, in words.
        used: what the run uses, in words.
    """

    name: str
    rule: str
    used: str


@dataclass(frozen=True, slots=True)
class LoadgenSettings:
    """Every setting of a run, resolved. Times in the unit their name says; percentiles are fractions."""

    scenario: Scenario
    mode: Mode
    conf_model: str
    min_duration_ms: int
    min_query_count: int
    max_query_count: int
    performance_sample_count: int
    expected_qps: float
    target_latency_ns: int
    percentile: float
    samples_per_query: int
    equal_issue: bool
    qsl_rng_seed: int
    sample_index_rng_seed: int
    schedule_rng_seed: int
    user_keys: tuple[tuple[str, str], ...]

    def attributes(self) -> dict[str, int | float | bool | str]:
        """The settings by the names of LoadGen's ``TestSettings``, scenario and mode left out."""
        common: dict[str, int | float | bool | str] = {
            "min_duration_ms": self.min_duration_ms,
            "max_duration_ms": 0,
            "min_query_count": self.min_query_count,
            "max_query_count": self.max_query_count,
            "performance_sample_count_override": self.performance_sample_count,
            "sample_concatenate_permutation": self.equal_issue,
            "qsl_rng_seed": self.qsl_rng_seed,
            "sample_index_rng_seed": self.sample_index_rng_seed,
            "schedule_rng_seed": self.schedule_rng_seed,
            "accuracy_log_rng_seed": 0,
            "accuracy_log_probability": 0.0,
            "accuracy_log_sampling_target": 0,
            "print_timestamps": False,
            "performance_issue_unique": False,
            "performance_issue_same": False,
            "performance_issue_same_index": 0,
            "use_token_latencies": False,
            "infer_token_latencies": False,
            "test05": False,
        }
        return common | self._scenario_attributes()

    def _scenario_attributes(self) -> dict[str, int | float | bool | str]:
        if self.scenario is Scenario.SINGLE_STREAM:
            return {
                "single_stream_expected_latency_ns": self.target_latency_ns,
                "single_stream_target_latency_percentile": self.percentile,
            }
        if self.scenario is Scenario.MULTI_STREAM:
            return {
                "multi_stream_expected_latency_ns": self.target_latency_ns,
                "multi_stream_target_latency_percentile": self.percentile,
                "multi_stream_samples_per_query": self.samples_per_query,
            }
        if self.scenario is Scenario.SERVER:
            return {
                "server_target_qps": self.expected_qps,
                "server_target_latency_ns": self.target_latency_ns,
                "server_target_latency_percentile": self.percentile,
                "server_coalesce_queries": False,
                "server_max_async_queries": 0,
                "server_num_issue_query_threads": 0,
            }
        return {"offline_expected_qps": self.expected_qps}

    def user_conf(self) -> str:
        """The text of ``user.conf``: what was set over the round, in LoadGen's units (ms, queries per second)."""
        lines = ["# Settings of this run over the defaults of the round."]
        lines += [f"{self.conf_model}.{self.scenario.value}.{key} = {value}" for key, value in self.user_keys]
        return "\n".join(lines) + "\n"


def resolve(
    round_: Round,
    benchmark: Benchmark,
    scenario: Scenario,
    mode: Mode,
    overrides: Overrides,
    *,
    dataset_size: int,
) -> LoadgenSettings:
    """Put the user's settings over the round's.

    Args:
        round_: gives defaults and seeds.
        benchmark: gives limits and the name in ``user.conf``.
        scenario: how queries are sent.
        mode: performance or accuracy.
        overrides: the user's.
        dataset_size: samples there are; no more can be loaded.

    Raises:
        UsageError: for settings that cannot hold together or that the scenario does not have.
    """
    limits = benchmark.limits[scenario]
    _check(scenario, overrides)
    loaded = min(overrides.performance_sample_count or limits.performance_sample_count, dataset_size)
    return LoadgenSettings(
        scenario=scenario,
        mode=mode,
        conf_model=benchmark.conf_model,
        min_duration_ms=_ms(limits.min_duration_ns if overrides.duration_ns is None else overrides.duration_ns),
        min_query_count=overrides.min_query_count or limits.min_query_count,
        max_query_count=overrides.max_query_count or 0,
        performance_sample_count=loaded,
        expected_qps=overrides.target_qps or limits.target_qps or 1.0,
        target_latency_ns=overrides.target_latency_ns or limits.target_latency_ns or 0,
        percentile=limits.percentile or 0.9,
        samples_per_query=limits.samples_per_query or 1,
        equal_issue=limits.equal_issue,
        qsl_rng_seed=round_.seeds.qsl,
        sample_index_rng_seed=round_.seeds.sample_index,
        schedule_rng_seed=round_.seeds.schedule,
        user_keys=_user_keys(overrides, loaded, limits),
    )


def deviations(settings: LoadgenSettings, benchmark: Benchmark) -> tuple[Deviation, ...]:
    """Where a performance run asks less than the round does; empty for accuracy runs, which have no such limits."""
    if settings.mode is Mode.ACCURACY:
        return ()
    limits = benchmark.limits[settings.scenario]
    found: list[Deviation] = []
    rule_ms = _ms(limits.min_duration_ns)
    if settings.min_duration_ms < rule_ms:
        found.append(
            Deviation(
                "min_duration",
                format_duration(rule_ms * 1e6),
                format_duration(settings.min_duration_ms * 1e6),
            )
        )
    if settings.min_query_count < limits.min_query_count:
        found.append(
            Deviation(
                "min_query_count",
                format_count(limits.min_query_count),
                format_count(settings.min_query_count),
            )
        )
    if settings.max_query_count:
        found.append(Deviation("max_query_count", "none", format_count(settings.max_query_count)))
    bound = limits.target_latency_ns
    if settings.scenario is Scenario.SERVER and bound and settings.target_latency_ns > bound:
        found.append(Deviation("target_latency", format_duration(bound), format_duration(settings.target_latency_ns)))
    if settings.performance_sample_count < limits.performance_sample_count:
        found.append(
            Deviation(
                "performance_sample_count",
                format_count(limits.performance_sample_count),
                format_count(settings.performance_sample_count),
            )
        )
    return tuple(found)


def _check(scenario: Scenario, overrides: Overrides) -> None:
    if overrides.target_qps is not None and scenario in _STREAMS:
        raise UsageError(
            f"{scenario.value} has no target rate",
            hint="set the expected latency instead: --target-latency 2ms",
        )
    if overrides.target_latency_ns is not None and scenario is Scenario.OFFLINE:
        raise UsageError("Offline has no target latency", hint="set the expected rate instead: --target-qps 200")
    low, high = overrides.min_query_count, overrides.max_query_count
    if low and high and low > high:
        raise UsageError(f"at least {low} queries and at most {high} contradict each other")


def _user_keys(overrides: Overrides, loaded: int, limits: Limits) -> tuple[tuple[str, str], ...]:
    keys: list[tuple[str, str]] = []
    if overrides.target_qps is not None:
        keys.append(("target_qps", f"{overrides.target_qps:.6g}"))
    if overrides.target_latency_ns is not None:
        keys.append(("target_latency", f"{overrides.target_latency_ns / _NS_PER_MS:.6f}"))
    if overrides.duration_ns is not None:
        keys.append(("min_duration", str(_ms(overrides.duration_ns))))
    if overrides.min_query_count is not None:
        keys.append(("min_query_count", str(overrides.min_query_count)))
    if overrides.max_query_count is not None:
        keys.append(("max_query_count", str(overrides.max_query_count)))
    if loaded != limits.performance_sample_count:
        keys.append(("performance_sample_count_override", str(loaded)))
    return tuple(keys)


def _ms(nanoseconds: int) -> int:
    return -(-nanoseconds // _NS_PER_MS)

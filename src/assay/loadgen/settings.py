"""LoadGen's settings of a run: the round's, with the user's over them.

``user.conf`` holds what LoadGen lets a user set, in LoadGen's units; :meth:`LoadgenSettings.attributes` holds every
setting, to be pinned, because LoadGen's built-in defaults are those of its own round. Where a setting is weaker than
the round asks, :func:`deviations` says so.

Source of names, units and defaults: mlcommons/inference v3.1, loadgen/test_settings.h and mlperf.conf.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from assay.base.units import format_count, format_duration
from assay.errors import InvalidInputError, UsageError
from assay.loadgen.whole_sets import carries_all_out, fitting_set, makes_sets, stream_plans, told_count, whole_sets
from assay.rules.model import Benchmark, Limits, Mode, Round, Scenario, TokenLatency

_NS_PER_MS = 1_000_000
_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
LENGTH = frozenset({"min_duration", "min_query_count", "max_query_count"})
"""Deviations that make a run short."""
_MOST_PLANNED = 10**9
"""LoadGen makes all queries before the test; more of them than this fit into no memory."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user sets over the round; None leaves the round's.

    Attributes:
        duration_ns: shortest run.
        min_query_count: fewest queries (Offline: samples).
        max_query_count: most queries; ends the run early, which no round accepts.
        target_qps: Server: rate sent; Offline: rate LoadGen plans with.
        target_latency_ns: Server: latency bound; streams: expected latency of a query.
        performance_sample_count: samples loaded for a performance run, at most.
        coalesce_queries: Server: let LoadGen hand over queries that are due together in one call.
    """

    duration_ns: int | None = None
    min_query_count: int | None = None
    max_query_count: int | None = None
    target_qps: float | None = None
    target_latency_ns: int | None = None
    performance_sample_count: int | None = None
    coalesce_queries: bool | None = None


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
    coalesce_queries: bool = False
    token_latency: TokenLatency | None = None

    @property
    def planned(self) -> int:
        """Queries that LoadGen plans before a performance test (Offline: samples of its one query).

        Source: loadgen/test_settings_internal.cc and loadgen.cc: 1.1 times the duration Offline, once in Server,
        twice in the streams, and never fewer than the minimum.
        """
        seconds = self.min_duration_ms / 1e3
        if carries_all_out(self.scenario, equal_issue=self.equal_issue):
            return max(self.min_query_count, stream_plans(seconds, self.target_latency_ns))
        if self.scenario is Scenario.OFFLINE:
            wanted = 1.1 * seconds * self.expected_qps
        elif self.scenario is Scenario.SERVER:
            wanted = seconds * self.expected_qps
        else:
            wanted = 2.0 * seconds * 1e9 / max(self.target_latency_ns, 1)
        return max(self.min_query_count, math.ceil(wanted) if self.scenario is not Scenario.OFFLINE else int(wanted))

    @property
    def made(self) -> int:
        """Queries that LoadGen makes of those that are planned: with equal issue whole sets of what is loaded."""
        return whole_sets(self.planned, self.performance_sample_count) if self.makes_sets else self.planned

    @property
    def makes_sets(self) -> bool:
        """Whether the run goes on to the end of a whole set of what is loaded."""
        return self.mode is Mode.PERFORMANCE and makes_sets(self.scenario, equal_issue=self.equal_issue)

    @property
    def told_query_count(self) -> int:
        """``min_query_count`` as LoadGen is told it."""
        fewest = self.min_query_count
        return told_count(self.scenario, fewest, self.performance_sample_count) if self.makes_sets else fewest

    def attributes(self) -> dict[str, int | float | bool | str]:
        """The settings by the names of LoadGen's ``TestSettings``, scenario and mode left out.

        The seeds of TEST05 are left alone: with ``test05`` off they have no effect, and some releases of the Python
        binding write the ordinary seeds through those names.
        """
        common: dict[str, int | float | bool | str] = {
            "min_duration_ms": self.min_duration_ms,
            "max_duration_ms": 0,
            "min_query_count": self.told_query_count,
            "max_query_count": self.max_query_count,
            "performance_sample_count_override": self.performance_sample_count,
            "accuracy_sample_count_override": 0,
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
            # Where the round has bounds for tokens, LoadGen times them.
            "use_token_latencies": self.token_latency is not None,
            "infer_token_latencies": False,
            "token_latency_scaling_factor": 0,
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
            tokens = self.token_latency
            bounds = {"ttft_latency": tokens.first_token_ns, "tpot_latency": tokens.per_token_ns} if tokens else {}
            return {
                **bounds,
                "server_target_qps": self.expected_qps,
                "server_target_latency_ns": self.target_latency_ns,
                "server_target_latency_percentile": self.percentile,
                "server_coalesce_queries": self.coalesce_queries,
                "server_max_async_queries": 0,
                "server_num_issue_query_threads": 0,
            }
        return {"offline_expected_qps": self.expected_qps}

    def user_conf(self) -> str:
        """The text of ``user.conf``: what was set over the round, in LoadGen's units (ms, queries per second).

        LoadGen reads Server's ``target_latency`` as a whole number of milliseconds and drops the rest without a word
        (loadgen/test_settings_internal.cc, v3.1 to 6.0): a comment says so where it matters, and
        :meth:`attributes` holds the bound as it was asked for.
        """
        lines = ["# Settings of this run over the defaults of the round."]
        if self.scenario is Scenario.SERVER and self.target_latency_ns % _NS_PER_MS:
            lines.append("# LoadGen drops the fraction of Server.target_latency; this run set it by the API instead.")
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

    A run with equal issue that is shorter than the round's loads as many samples as it is to make queries; the rest of the
    data would make it longer.

    Args:
        round_: gives defaults and seeds.
        benchmark: gives limits and the name in ``user.conf``.
        scenario: how queries are sent.
        mode: performance or accuracy.
        overrides: the user's.
        dataset_size: samples there are; no more can be loaded.

    Raises:
        UsageError: for settings that cannot hold together or that the scenario does not have.
        InvalidInputError: for a dataset without samples.
    """
    if dataset_size < 1:
        raise InvalidInputError("the dataset has no samples", expected="at least 1")
    limits = benchmark.limits[scenario]
    _check(scenario, overrides)
    # 0 is LoadGen's word for all samples there are.
    most = min(overrides.performance_sample_count or limits.performance_sample_count or dataset_size, dataset_size)
    settings = LoadgenSettings(
        scenario=scenario,
        mode=mode,
        conf_model=benchmark.conf_model,
        min_duration_ms=_ms(limits.min_duration_ns if overrides.duration_ns is None else overrides.duration_ns),
        min_query_count=overrides.min_query_count or limits.min_query_count,
        max_query_count=overrides.max_query_count or 0,
        performance_sample_count=most,
        expected_qps=overrides.target_qps or limits.target_qps or 1.0,
        target_latency_ns=overrides.target_latency_ns or limits.target_latency_ns or 0,
        percentile=limits.percentile or 0.9,
        samples_per_query=limits.samples_per_query or 1,
        equal_issue=limits.equal_issue,
        qsl_rng_seed=round_.seeds.qsl,
        sample_index_rng_seed=round_.seeds.sample_index,
        schedule_rng_seed=round_.seeds.schedule,
        user_keys=(),
        coalesce_queries=bool(overrides.coalesce_queries),
        token_latency=benchmark.token_latency,
    )
    if mode is Mode.PERFORMANCE and settings.planned > _MOST_PLANNED:
        what = "target rate" if scenario not in _STREAMS else "expected latency"
        raise UsageError(
            f"LoadGen would have to make {format_count(settings.planned)} queries before the test",
            expected=f"at most {format_count(_MOST_PLANNED)}",
            hint=f"take another {what}, a shorter --duration or fewer --samples",
        )
    if settings.makes_sets and is_short(deviations(settings, benchmark)):
        settings = replace(settings, performance_sample_count=fitting_set(scenario, settings.planned, most))
    return replace(settings, user_keys=_user_keys(overrides, settings, limits))


def is_short(found: tuple[Deviation, ...]) -> bool:
    """Whether a run with these deviations is shorter than the round asks, or has fewer queries."""
    return any(each.name in LENGTH for each in found)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked to hold, from its settings or from its log, to be compared with the round.

    Attributes:
        min_duration_ns: shortest run.
        queries: fewest queries (Offline: samples planned).
        max_query_count: most queries, 0 for no bound.
        performance_sample_count: samples loaded.
        target_latency_ns: Server's bound, None in other scenarios.
        percentile: of the latency, None where it is not known or there is none.
        samples_per_query: None where it is not fixed (Offline).
        equal_issue: whether every sample was issued equally often.
        max_duration_ns: longest run, 0 for no bound.
    """

    min_duration_ns: int
    queries: int
    max_query_count: int
    performance_sample_count: int
    target_latency_ns: int | None = None
    percentile: float | None = None
    samples_per_query: int | None = None
    equal_issue: bool = True
    max_duration_ns: int = 0


def deviations(settings: LoadgenSettings, benchmark: Benchmark) -> tuple[Deviation, ...]:
    """Where a performance run asks less than the round does; empty for accuracy runs, which have no such limits."""
    if settings.mode is Mode.ACCURACY:
        return ()
    offline = settings.scenario is Scenario.OFFLINE
    asked = Asked(
        min_duration_ns=settings.min_duration_ms * _NS_PER_MS,
        queries=settings.planned if offline else settings.min_query_count,
        max_query_count=settings.max_query_count,
        performance_sample_count=settings.performance_sample_count,
        target_latency_ns=settings.target_latency_ns if settings.scenario is Scenario.SERVER else None,
        percentile=None if offline else settings.percentile,
        samples_per_query=None if offline else settings.samples_per_query,
        equal_issue=settings.equal_issue,
    )
    return weaker(asked, benchmark.limits[settings.scenario])


def weaker(asked: Asked, limits: Limits) -> tuple[Deviation, ...]:
    """Where a performance run asks less than a round's limits."""
    found: list[Deviation] = []

    def check(is_weaker: bool, name: str, rule: str, used: str) -> None:
        if is_weaker:
            found.append(Deviation(name, rule, used))

    rule_ns = _ms(limits.min_duration_ns) * _NS_PER_MS
    check(
        asked.min_duration_ns < rule_ns,
        "min_duration",
        format_duration(rule_ns),
        format_duration(asked.min_duration_ns),
    )
    fewest, most, loaded = limits.min_query_count, asked.max_query_count, limits.performance_sample_count
    check(asked.queries < fewest, "min_query_count", format_count(fewest), format_count(asked.queries))
    check(most > 0, "max_query_count", "none", format_count(most))
    check(asked.max_duration_ns > 0, "max_duration", "none", format_duration(asked.max_duration_ns))
    if asked.target_latency_ns is not None and limits.target_latency_ns:
        bound, used = limits.target_latency_ns, asked.target_latency_ns
        check(used > bound, "target_latency", format_duration(bound), format_duration(used))
    if asked.percentile is not None and limits.percentile:
        rule = limits.percentile
        check(
            asked.percentile < rule - 1e-9,
            "target_latency_percentile",
            f"{rule * 100:g}%",
            f"{asked.percentile * 100:g}%",
        )
    if asked.samples_per_query is not None and limits.samples_per_query:
        count = limits.samples_per_query
        check(asked.samples_per_query != count, "samples_per_query", str(count), str(asked.samples_per_query))
    used_loaded = asked.performance_sample_count
    check(used_loaded < loaded, "performance_sample_count", format_count(loaded), format_count(used_loaded))
    check(limits.equal_issue and not asked.equal_issue, "sample_concatenate_permutation", "on", "off")
    return tuple(found)


def _check(scenario: Scenario, overrides: Overrides) -> None:
    _check_range(overrides)
    if overrides.target_qps is not None and scenario in _STREAMS:
        raise UsageError(
            f"{scenario.value} has no target rate", hint="set the expected latency instead: --target-latency 2ms"
        )
    if overrides.target_latency_ns is not None and scenario is Scenario.OFFLINE:
        raise UsageError("Offline has no target latency", hint="set the expected rate instead: --target-qps 200")
    if overrides.coalesce_queries is not None and scenario is not Scenario.SERVER:
        raise UsageError(f"{scenario.value} has no queries to coalesce", expected="the Server scenario")
    low, high = overrides.min_query_count, overrides.max_query_count
    if low and high and low > high:
        raise UsageError(f"at least {low} queries and at most {high} contradict each other")


def _check_range(overrides: Overrides) -> None:
    if overrides.duration_ns is not None and overrides.duration_ns < 0:
        raise UsageError("a duration cannot be negative", found=f"{overrides.duration_ns} ns")
    qps = overrides.target_qps
    if qps is not None and not (math.isfinite(qps) and qps > 0):
        raise UsageError("a target rate is a number above 0", found=str(qps))
    for name in ("min_query_count", "max_query_count", "target_latency_ns", "performance_sample_count"):
        value = getattr(overrides, name)
        if value is not None and value < 1:
            raise UsageError(f"{name} has to be at least 1", found=str(value))


def _user_keys(overrides: Overrides, settings: LoadgenSettings, limits: Limits) -> tuple[tuple[str, str], ...]:
    keys: list[tuple[str, str]] = []
    if overrides.target_qps is not None:
        keys.append(("target_qps", f"{overrides.target_qps:.15g}"))
    if overrides.target_latency_ns is not None:
        keys.append(("target_latency", _as_ms(overrides.target_latency_ns)))
    if overrides.duration_ns is not None:
        keys.append(("min_duration", str(_ms(overrides.duration_ns))))
    told, loaded = settings.told_query_count, settings.performance_sample_count
    if overrides.min_query_count is not None or told != settings.min_query_count:
        keys.append(("min_query_count", str(told)))
    if overrides.max_query_count is not None:
        keys.append(("max_query_count", str(overrides.max_query_count)))
    if overrides.coalesce_queries is not None:
        keys.append(("coalesce_queries", str(int(overrides.coalesce_queries))))
    if loaded != limits.performance_sample_count:
        keys.append(("performance_sample_count_override", str(loaded)))
    return tuple(keys)


def _ms(nanoseconds: int) -> int:
    return -(-nanoseconds // _NS_PER_MS)


def _as_ms(nanoseconds: int) -> str:
    """Nanoseconds in milliseconds, exact, as ``15`` or ``1.5``."""
    whole, rest = divmod(nanoseconds, _NS_PER_MS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")

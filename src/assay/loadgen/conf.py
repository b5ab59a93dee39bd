"""``mlperf.conf`` and ``user.conf`` for a program that reads them itself: the round's settings, and those of one run.

Keys and units are LoadGen's (mlcommons/inference v3.1, loadgen/test_settings_internal.cc): times in milliseconds,
percentiles in percent. The model's name is ``*`` throughout: a file is made for one run of one benchmark, and programs do
not agree on the name that they look it up by.
"""

from __future__ import annotations

from assay.loadgen.settings import LoadgenSettings
from assay.rules.model import Benchmark, Limits, Round, Scenario

_NS_PER_MS = 1_000_000


def round_conf(round_: Round, benchmark: Benchmark, scenario: Scenario) -> str:
    """What a round asks of a benchmark in a scenario, as LoadGen's ``mlperf.conf``."""
    limits, seeds, late = benchmark.limits[scenario], round_.seeds, round_.test05_seeds
    keys: dict[str, str] = {
        "qsl_rng_seed": str(seeds.qsl),
        "sample_index_rng_seed": str(seeds.sample_index),
        "schedule_rng_seed": str(seeds.schedule),
        "test05_qsl_rng_seed": str(late.qsl),
        "test05_sample_index_rng_seed": str(late.sample_index),
        "test05_schedule_rng_seed": str(late.schedule),
        "performance_sample_count_override": str(limits.performance_sample_count),
        "min_duration": _ms(limits.min_duration_ns),
        "min_query_count": str(limits.min_query_count),
        "sample_concatenate_permutation": str(int(limits.equal_issue)),
        **_of_scenario(limits, scenario),
    }
    head = f"# {benchmark.name}, {scenario.value}, as round {round_.name} asks ({round_.conf_source})."
    # Seeds and counts stand under every scenario: LoadGen looks for `*.Scenario.key` before `*.*.key`.
    return "\n".join([head, *(f"*.{scenario.value}.{key} = {value}" for key, value in keys.items())]) + "\n"


def run_conf(settings: LoadgenSettings) -> str:
    """What a run sets over the round, as LoadGen's ``user.conf``."""
    lines = [f"*.{settings.scenario.value}.{key} = {value}" for key, value in settings.user_keys]
    return "\n".join(["# Settings of this run over those of the round.", *lines]) + "\n"


def _of_scenario(limits: Limits, scenario: Scenario) -> dict[str, str]:
    keys: dict[str, str] = {}
    if limits.percentile is not None:
        keys["target_latency_percentile"] = f"{limits.percentile * 100:g}"
    if limits.target_latency_ns is not None and scenario is not Scenario.OFFLINE:
        keys["target_latency"] = _ms(limits.target_latency_ns)
    if scenario is Scenario.MULTI_STREAM and limits.samples_per_query:
        keys["samples_per_query"] = str(limits.samples_per_query)
    if scenario in (Scenario.OFFLINE, Scenario.SERVER):
        keys["target_qps"] = f"{limits.target_qps or 1.0:g}"
    return keys


def _ms(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, _NS_PER_MS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")

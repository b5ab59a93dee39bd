"""``mlperf.conf`` and ``user.conf`` as files: all settings of a round, those of one benchmark, and those of one run.

Keys and units are LoadGen's (mlcommons/inference v3.1, loadgen/test_settings_internal.cc): times in milliseconds,
percentiles in percent. A file made for one run of a program that reads it itself names the model ``*``, because programs
do not agree on the name that they look it up by.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.loadgen.settings import LoadgenSettings
from assay.rules.model import Benchmark, Limits, Round, Scenario

_NS_PER_MS = 1_000_000
_SEEDS = ("qsl", "sample_index", "schedule")


def mlperf_conf(round_: Round) -> str:
    """The text that gives LoadGen every default of the round; the same text for the same round.

    The official file holds the same values; each round's file names it (``conf_source``).
    """
    models: dict[str, Benchmark] = {}
    for benchmark in round_.benchmarks.values():
        models.setdefault(benchmark.conf_model, benchmark)
    lines = [
        f"# Settings of MLPerf Inference {round_.name}, in the form that LoadGen reads: model.scenario.key = value.",
        f"# The values are those of {round_.conf_source}.",
        "# Times are in milliseconds.",
        "",
        *(f"*.*.{key} = {value}" for key, value in _seeds(round_)),
    ]
    for name in sorted(models):
        lines.append("")
        for scenario, limits in models[name].limits.items():
            lines += [f"{name}.{scenario.value}.{key} = {value}" for key, value in _asked(limits, scenario)]
    return "\n".join(lines) + "\n"


def round_conf(round_: Round, benchmark: Benchmark, scenario: Scenario) -> str:
    """What a round asks of a benchmark in a scenario, as LoadGen's ``mlperf.conf``."""
    head = f"# {benchmark.name}, {scenario.value}, as round {round_.name} asks ({round_.conf_source})."
    keys = [*_seeds(round_), *_asked(benchmark.limits[scenario], scenario, complete=True)]
    # Seeds and counts stand under every scenario: LoadGen looks for `*.Scenario.key` before `*.*.key`.
    return "\n".join([head, *(f"*.{scenario.value}.{key} = {value}" for key, value in keys)]) + "\n"


def run_conf(settings: LoadgenSettings) -> str:
    """What a run sets over the round, as LoadGen's ``user.conf``."""
    lines = [f"*.{settings.scenario.value}.{key} = {value}" for key, value in settings.user_keys]
    return "\n".join(["# Settings of this run over those of the round.", *lines]) + "\n"


def _seeds(round_: Round) -> Iterator[tuple[str, str]]:
    for prefix, seeds in (("", round_.seeds), ("test05_", round_.test05_seeds)):
        for name in _SEEDS:
            yield f"{prefix}{name}_rng_seed", str(getattr(seeds, name))


def _asked(limits: Limits, scenario: Scenario, *, complete: bool = False) -> Iterator[tuple[str, str]]:
    """A scenario's keys; ``complete`` also writes what the round leaves to LoadGen, for programs that know no default."""
    yield "performance_sample_count_override", str(limits.performance_sample_count)
    yield "min_duration", str(-(-limits.min_duration_ns // _NS_PER_MS))
    yield "min_query_count", str(limits.min_query_count)
    if limits.equal_issue or complete:
        yield "sample_concatenate_permutation", str(int(limits.equal_issue))
    if limits.percentile is not None:
        yield "target_latency_percentile", f"{limits.percentile * 100:.10g}"
    if scenario is Scenario.MULTI_STREAM and limits.samples_per_query is not None:
        yield "samples_per_query", str(limits.samples_per_query)
    if limits.target_latency_ns is not None:
        yield "target_latency", f"{limits.target_latency_ns / _NS_PER_MS:.10g}"
    if limits.target_qps is not None:
        yield "target_qps", f"{limits.target_qps:.10g}"
    elif complete and scenario in (Scenario.OFFLINE, Scenario.SERVER):
        yield "target_qps", "1"

"""``mlperf.conf`` of a round, written from the round's own facts.

The official file holds the same values; each round's file names it (``conf_source``).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.rules.model import Benchmark, Limits, Round, Scenario, Seeds

_NS_PER_MS = 1_000_000
_SEEDS = ("qsl", "sample_index", "schedule")


def mlperf_conf(round_: Round) -> str:
    """The text that gives LoadGen every default of the round; the same text for the same round."""
    models: dict[str, Benchmark] = {}
    for benchmark in round_.benchmarks.values():
        models.setdefault(benchmark.conf_model, benchmark)
    lines = [
        f"# Settings of MLPerf Inference {round_.name}, in the form that LoadGen reads: model.scenario.key = value.",
        f"# The values are those of {round_.conf_source}.",
        "# Times are in milliseconds.",
        "",
        *_seed_lines("", round_.seeds),
        *_seed_lines("test05_", round_.test05_seeds),
    ]
    for name in sorted(models):
        lines += ["", *_model_lines(name, models[name])]
    return "\n".join(lines) + "\n"


def _seed_lines(prefix: str, seeds: Seeds) -> Iterator[str]:
    for name in _SEEDS:
        yield f"*.*.{prefix}{name}_rng_seed = {getattr(seeds, name)}"


def _model_lines(name: str, benchmark: Benchmark) -> Iterator[str]:
    for scenario, limits in benchmark.limits.items():
        for key, value in _values(scenario, limits):
            yield f"{name}.{scenario.value}.{key} = {value}"


def _values(scenario: Scenario, limits: Limits) -> Iterator[tuple[str, str]]:
    yield "performance_sample_count_override", str(limits.performance_sample_count)
    yield "min_duration", str(-(-limits.min_duration_ns // _NS_PER_MS))
    yield "min_query_count", str(limits.min_query_count)
    if limits.equal_issue:
        yield "sample_concatenate_permutation", "1"
    if limits.percentile is not None:
        yield "target_latency_percentile", f"{limits.percentile * 100:.10g}"
    if scenario is Scenario.MULTI_STREAM and limits.samples_per_query is not None:
        yield "samples_per_query", str(limits.samples_per_query)
    if limits.target_latency_ns is not None:
        yield "target_latency", f"{limits.target_latency_ns / _NS_PER_MS:.10g}"
    if limits.target_qps is not None:
        yield "target_qps", f"{limits.target_qps:.10g}"

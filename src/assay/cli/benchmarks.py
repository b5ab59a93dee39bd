"""``assay benchmarks``: what a round asks of each benchmark."""

from __future__ import annotations

from typing import Any

import click

from assay.base.units import format_count, format_duration
from assay.cli.options import CATEGORY
from assay.cli.render import Output, output_options
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Limits, QualityTarget, Round, Scenario

_ROUND = click.option("--round", "round_name", default="v3.1", show_default=True, help="Round of MLPerf Inference.")


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay benchmarks\n  assay benchmarks list --category edge\n  assay benchmarks show bert-99",
)
@click.pass_context
def benchmarks(ctx: click.Context) -> None:
    """List the benchmarks of a round, or show one with its targets and limits."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_benchmarks)


@benchmarks.command(
    "list", epilog="Examples:\n\n\b\n  assay benchmarks list\n  assay benchmarks list --category datacenter --json"
)
@_ROUND
@click.option("--category", type=CATEGORY, help="Only benchmarks of this category.")
@output_options
def list_benchmarks(out: Output, round_name: str = "v3.1", category: Category | None = None) -> None:
    """List the benchmarks of a round."""
    round_ = load_round(round_name)
    chosen = [b for b in round_.benchmarks.values() if category is None or b.scenarios(category)]
    if out.as_json:
        out.json([as_dict(benchmark, round_) for benchmark in chosen])
        return
    out.table(
        ("benchmark", "task", "model", "samples", "edge", "datacenter", "quality target"),
        [
            (
                _name(benchmark),
                benchmark.task,
                benchmark.model,
                format_count(benchmark.dataset_size),
                _short(benchmark.scenarios(Category.EDGE)),
                _short(benchmark.scenarios(Category.DATACENTER)),
                ", ".join(target_text(target) for target in benchmark.quality),
            )
            for benchmark in chosen
        ],
        right=("samples",),
    )
    out.remark(
        "S SingleStream, M MultiStream, O Offline, V Server; * named in the official checker with no reference behind it"
    )


@benchmarks.command(
    "show", epilog="Examples:\n\n\b\n  assay benchmarks show bert-99\n  assay benchmarks show resnet50 --json"
)
@click.argument("name")
@_ROUND
@output_options
def show_benchmark(name: str, round_name: str, out: Output) -> None:
    """Show everything a round asks of one benchmark, with units and sources."""
    round_ = load_round(round_name)
    benchmark = round_.benchmark(name)
    if out.as_json:
        out.json(as_dict(benchmark, round_))
        return
    out.fields(
        [
            ("benchmark", f"{benchmark.name} (round {round_.name})"),
            ("also known as", ", ".join(benchmark.aliases) or "-"),
            ("area, task", f"{benchmark.area}, {benchmark.task}"),
            ("reference model", benchmark.model),
            (
                "dataset",
                f"{benchmark.dataset}, {format_count(benchmark.dataset_size)} samples; a sample is {benchmark.sample}",
            ),
            (
                "quality target",
                "; ".join(f"{target_text(t)} ({t.ratio:.1%} of {t.reference:g})" for t in benchmark.quality),
            ),
            ("edge", ", ".join(benchmark.scenarios(Category.EDGE)) or "not in this category"),
            ("datacenter", ", ".join(benchmark.scenarios(Category.DATACENTER)) or "not in this category"),
            (
                "loaded samples",
                f"at least {format_count(benchmark.limits[Scenario.OFFLINE].performance_sample_count)} in a performance run",
            ),
            ("compliance tests", ", ".join(benchmark.compliance) or "none"),
            ("name in user.conf", benchmark.conf_model),
            (
                "seeds",
                f"qsl {round_.seeds.qsl}, sample index {round_.seeds.sample_index}, schedule {round_.seeds.schedule}",
            ),
            ("source", round_.source),
        ]
    )
    out.text()
    out.table(
        ("scenario", "figure", "at least", "queries", "latency", "in categories"),
        [
            (
                scenario.value,
                round_.scenarios[scenario].unit,
                *_limit_cells(limits, scenario),
                _categories(benchmark, scenario),
            )
            for scenario, limits in benchmark.limits.items()
            if _categories(benchmark, scenario)
        ],
    )


def target_text(target: QualityTarget) -> str:
    """A quality target with metric and unit."""
    unit = {"percent": "%", "characters": " characters"}.get(target.unit, "")
    value = f"{target.target:,.0f}" if target.target >= 1000 else f"{target.target:.6g}"
    upper = "" if target.upper_limit is None else f", at most {target.upper_limit:g}{unit}"
    return f"{target.metric} {value}{unit}{upper}"


def as_dict(benchmark: Benchmark, round_: Round) -> dict[str, Any]:
    """A benchmark as JSON values; durations in nanoseconds."""
    return {
        "name": benchmark.name,
        "aliases": list(benchmark.aliases),
        "round": round_.name,
        "task": benchmark.task,
        "area": benchmark.area,
        "model": benchmark.model,
        "dataset": benchmark.dataset,
        "dataset_size": benchmark.dataset_size,
        "conf_model": benchmark.conf_model,
        "quality": [
            {
                "metric": t.metric,
                "unit": t.unit,
                "reference": t.reference,
                "ratio": t.ratio,
                "target": t.target,
                "upper_limit": t.upper_limit,
            }
            for t in benchmark.quality
        ],
        "scenarios": {category.value: [s.value for s in benchmark.scenarios(category)] for category in Category},
        "limits": {
            scenario.value: {
                "min_duration_ns": limits.min_duration_ns,
                "min_query_count": limits.min_query_count,
                "target_latency_ns": limits.target_latency_ns,
                "percentile": limits.percentile,
                "samples_per_query": limits.samples_per_query,
                "equal_issue": limits.equal_issue,
                "performance_sample_count": limits.performance_sample_count,
                "unit": round_.scenarios[scenario].unit,
            }
            for scenario, limits in benchmark.limits.items()
        },
        "compliance": list(benchmark.compliance),
        "placeholder": benchmark.placeholder,
        "source": round_.source,
    }


def _limit_cells(limits: Limits, scenario: Scenario) -> tuple[str, str, str]:
    noun = "samples in one query" if scenario is Scenario.OFFLINE else "queries"
    each = f" of {limits.samples_per_query}" if limits.samples_per_query and limits.samples_per_query > 1 else ""
    latency = ""
    if scenario is Scenario.SERVER and limits.target_latency_ns:
        latency = f"p{(limits.percentile or 0.99) * 100:g} at most {format_duration(limits.target_latency_ns)}"
    elif limits.percentile is not None:
        latency = f"p{limits.percentile * 100:g} is the figure"
    return format_duration(limits.min_duration_ns), f"{format_count(limits.min_query_count)} {noun}{each}", latency


def _categories(benchmark: Benchmark, scenario: Scenario) -> str:
    return ", ".join(category.value for category in Category if scenario in benchmark.scenarios(category))


def _name(benchmark: Benchmark) -> str:
    return f"{benchmark.name}*" if benchmark.placeholder else benchmark.name


def _short(scenarios: tuple[Scenario, ...]) -> str:
    letters = {Scenario.SINGLE_STREAM: "S", Scenario.MULTI_STREAM: "M", Scenario.OFFLINE: "O", Scenario.SERVER: "V"}
    return " ".join(letters[scenario] for scenario in Scenario if scenario in scenarios)

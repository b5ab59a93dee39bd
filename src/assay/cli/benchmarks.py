"""``assay benchmarks``: what a round asks of each benchmark."""

from __future__ import annotations

from typing import Any

import click

from assay.base.plugins import Registry
from assay.base.units import format_count, format_duration
from assay.cli.options import CATEGORY
from assay.cli.render import Output, output_options
from assay.cli.round_options import (
    ROUND,
    NounGroup,
    accuracy_text,
    complete_benchmark,
    find_round,
    metric_word,
    seeds_text,
    target_text,
)
from assay.loadgen.statistics import queries_needed
from assay.rules.document import benchmark_document
from assay.rules.model import Benchmark, Category, Limits, Round, Scenario, ScenarioFacts

_CATEGORY = click.option("--category", type=CATEGORY, help="Only benchmarks of this category.")

EXAMPLES = """Examples:

\b
  assay benchmarks
  assay benchmarks --category edge
  assay benchmarks show bert-99
  assay benchmarks show resnet50 --json
"""


@click.group(cls=NounGroup, invoke_without_command=True, epilog=EXAMPLES)
@ROUND
@_CATEGORY
@output_options
@click.pass_context
def benchmarks(ctx: click.Context, round_name: str, category: Category | None, out: Output) -> None:
    """List the benchmarks of a round, or show one with its targets and limits."""
    if ctx.invoked_subcommand is None:
        _list(round_name, category, out)
        return
    # Options before the verb hold for the verb: assay benchmarks --json show bert-99.
    given: dict[str, Any] = {"round_name": round_name, "as_json": out.as_json, "quiet": out.quiet}
    if category is not None:
        given["category"] = category
    ctx.default_map = dict.fromkeys(benchmarks.list_commands(ctx), given)


@benchmarks.command(
    "list",
    epilog="Examples:\n\n\b\n  assay benchmarks list\n  assay benchmarks list --category datacenter --json",
)
@ROUND
@_CATEGORY
@output_options
def list_benchmarks(round_name: str, category: Category | None, out: Output) -> None:
    """List the benchmarks of a round."""
    _list(round_name, category, out)


@benchmarks.command(
    "show", epilog="Examples:\n\n\b\n  assay benchmarks show bert-99\n  assay benchmarks show resnet50 --json"
)
@click.argument("name", shell_complete=complete_benchmark)
@ROUND
@output_options
def show_benchmark(name: str, round_name: str, out: Output) -> None:
    """Show everything a round asks of one benchmark, with units and sources.

    NAME is an official name or an alias, in any case.
    """
    round_ = find_round(round_name)
    benchmark = round_.benchmark(name)
    if out.as_json:
        out.json(_document(benchmark, round_, _tasks()))
        return
    out.fields(_facts(benchmark, round_))
    out.text()
    _show_scenarios(benchmark, round_, out)
    out.text()
    _show_quality(benchmark, out)


def _list(round_name: str, category: Category | None, out: Output) -> None:
    round_ = find_round(round_name)
    chosen = [each for each in round_.benchmarks.values() if category is None or each.scenarios(category)]
    known = _tasks()
    if out.as_json:
        out.json([_document(each, round_, known) for each in chosen])
        return
    shown = list(Category) if category is None else [category]
    out.table(
        (
            "Benchmark", "Task", "Model", "Dataset", "Samples",
            *(each.value.capitalize() for each in shown), "Quality target",
        ),
        [
            (
                _name(each), each.task, _short(each.model), _short(each.dataset),
                format_count(each.dataset_size), *(_scenarios(each, column) or "-" for column in shown),
                ", ".join(map(target_text, each.quality)),
            )
            for each in chosen
        ],
        title=f"Benchmarks of round {round_.name}",
        right=("Samples",),
    )  # fmt: skip
    if any(each.placeholder for each in chosen):
        out.remark("* named in the official checker, with no reference behind it")
    runnable = [each.name for each in chosen if each.task in known and not each.placeholder]
    out.remark(f"a task for these is installed: {', '.join(runnable) or 'none'}")


def _facts(benchmark: Benchmark, round_: Round) -> list[tuple[str, object]]:
    """The facts that hold in every scenario, in words."""
    task = benchmark.task if benchmark.task in _tasks() else f"{benchmark.task} (no task of this name installed)"
    loaded = benchmark.limits[Scenario.OFFLINE].performance_sample_count
    equal = [each for each in _in_some_category(benchmark) if benchmark.limits[each].equal_issue]
    pairs: list[tuple[str, object]] = [
        ("Benchmark", f"{_name(benchmark)}, round {round_.name}"),
        ("Also called", ", ".join(benchmark.aliases) or "-"),
        ("Task", task),
        ("Area", benchmark.area),
        ("Reference model", benchmark.model),
        ("Dataset", f"{benchmark.dataset}, {format_count(benchmark.dataset_size)} samples"),
        ("One sample", benchmark.sample),
        *((each.value.capitalize(), _placement(benchmark, each)) for each in Category),
        ("Loaded samples", f"at least {format_count(loaded)} in a performance run"),
        ("Equal issue", f"in {_join(equal)} every sample is issued equally often" if equal else "-"),
        ("Compliance tests", ", ".join(benchmark.compliance) or "none"),
        ("Name in user.conf", benchmark.conf_model),
        ("Seeds", seeds_text(round_.seeds)),
        ("Seeds in TEST05", seeds_text(round_.test05_seeds) if "TEST05" in benchmark.compliance else "-"),
        ("Source", round_.source),
        ("LoadGen's defaults", round_.conf_source),
    ]
    if benchmark.placeholder:
        pairs.append(("* Placeholder", "named in the official checker, with no reference behind it"))
    return pairs


def _show_scenarios(benchmark: Benchmark, round_: Round, out: Output) -> None:
    columns = ("Scenario", "Figure", "Better", "Categories", "Duration", "Queries", "Early stopping", "Latency")
    out.table(
        columns,
        [
            (
                scenario.value,
                facts.unit,
                "lower" if facts.lower_is_better else "higher",
                ", ".join(each.value for each in Category if scenario in benchmark.scenarios(each)),
                f"at least {format_duration(limits.min_duration_ns)}",
                _queries(scenario, limits),
                _early_stopping(facts),
                _latency(facts, limits),
            )
            for scenario in _in_some_category(benchmark)
            for facts, limits in [(round_.scenarios[scenario], benchmark.limits[scenario])]
        ],
        title="A valid performance run",
    )


def _show_quality(benchmark: Benchmark, out: Output) -> None:
    out.table(
        ("Metric", "Unit", "Reference", "Asked for", "At least", "At most"),
        [
            (
                metric_word(target.metric),
                target.unit,
                accuracy_text(target.reference, target.unit),
                f"{target.ratio * 100:g} %",
                accuracy_text(target.target, target.unit),
                "-" if target.upper_limit is None else accuracy_text(target.upper_limit, target.unit),
            )
            for target in benchmark.quality
        ],
        title="Quality targets of the closed division",
        right=("Reference", "Asked for", "At least", "At most"),
    )


def _queries(scenario: Scenario, limits: Limits) -> str:
    count = format_count(limits.min_query_count)
    if scenario is Scenario.OFFLINE:
        return f"1 of at least {count} samples"
    size = limits.samples_per_query
    return f"at least {count}" + (f" of {size} samples" if size and size > 1 else "")


def _early_stopping(facts: ScenarioFacts) -> str:
    """Queries below which early stopping cannot give its verdict (for Server: with none over the bound)."""
    if not facts.uses_early_stopping or facts.percentile is None:
        return "-"
    server = facts.scenario is Scenario.SERVER
    needed = queries_needed(0 if server else 1, facts.percentile)
    return f"at least {format_count(needed)} queries" + (", more with late ones" if server else "")


def _latency(facts: ScenarioFacts, limits: Limits) -> str:
    if limits.percentile is None:
        return "-"
    share = f"{limits.percentile * 100:g} %"
    if facts.scenario is Scenario.SERVER and limits.target_latency_ns is not None:
        return f"{share} of queries within {format_duration(limits.target_latency_ns)}"
    return f"that of {share} of queries is the figure"


def _placement(benchmark: Benchmark, category: Category) -> str:
    required, optional = benchmark.required.get(category, ()), benchmark.optional.get(category, ())
    if not required and not optional:
        return "not in this category"
    parts = [f"{_join(required)} required" if required else "", f"{_join(optional)} optional" if optional else ""]
    return "; ".join(part for part in parts if part)


def _in_some_category(benchmark: Benchmark) -> list[Scenario]:
    return [each for each in Scenario if any(each in benchmark.scenarios(category) for category in Category)]


def _scenarios(benchmark: Benchmark, category: Category) -> str:
    return _join(benchmark.scenarios(category))


def _join(scenarios: tuple[Scenario, ...] | list[Scenario]) -> str:
    return ", ".join(each.value for each in scenarios)


def _short(text: str) -> str:
    """A model or dataset without what stands in brackets."""
    return text.partition(" (")[0]


def _name(benchmark: Benchmark) -> str:
    return f"{benchmark.name}*" if benchmark.placeholder else benchmark.name


def _tasks() -> list[str]:
    """Names of the installed tasks; none is imported."""
    return Registry[object]("assay.tasks", "task").names()


def _document(benchmark: Benchmark, round_: Round, known: list[str]) -> dict[str, object]:
    """A benchmark with what it takes from its round; times in nanoseconds."""
    whole = {"round": round_.name, "source": round_.source, "conf_source": round_.conf_source}
    return {**whole, **benchmark_document(benchmark), "task_installed": benchmark.task in known}

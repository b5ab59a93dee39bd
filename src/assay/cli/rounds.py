"""``assay rounds``: the rounds that are known, and files of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from assay.base.units import format_count
from assay.cli.render import Output, output_options
from assay.rules.load import load_round, read_round, round_names
from assay.rules.model import Round


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay rounds\n  assay rounds show v3.1\n  assay rounds validate my-round.yaml",
)
@click.pass_context
def rounds(ctx: click.Context) -> None:
    """List the rounds that assay knows, show one, or check a round file."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_rounds)


@rounds.command("list", epilog="Examples:\n\n\b\n  assay rounds list\n  assay rounds list --json")
@output_options
def list_rounds(out: Output) -> None:
    """List the rounds."""
    found = [load_round(name) for name in round_names()]
    if out.as_json:
        out.json([_as_dict(round_) for round_ in found])
        return
    out.table(("round", "benchmarks", "source"), [(r.name, len(r.benchmarks), r.source) for r in found])


@rounds.command("show", epilog="Examples:\n\n\b\n  assay rounds show v3.1\n  assay rounds show 3.1 --json")
@click.argument("name")
@output_options
def show_round(name: str, out: Output) -> None:
    """Show the facts of a round that hold for every benchmark."""
    round_ = load_round(name)
    if out.as_json:
        out.json(_as_dict(round_))
        return
    out.fields(
        [
            ("round", round_.name),
            ("source", round_.source),
            ("LoadGen's defaults", round_.conf_source),
            (
                "seeds",
                f"qsl {round_.seeds.qsl}, sample index {round_.seeds.sample_index}, schedule {round_.seeds.schedule}",
            ),
            (
                "seeds of TEST05",
                f"qsl {round_.test05_seeds.qsl}, sample index {round_.test05_seeds.sample_index}, schedule {round_.test05_seeds.schedule}",
            ),
            ("benchmarks", ", ".join(round_.benchmarks)),
        ]
    )
    out.text()
    out.table(
        ("scenario", "figure", "key in the log", "better", "percentile", "samples per query", "early stopping"),
        [
            (
                facts.scenario.value,
                facts.unit,
                facts.result_field,
                "lower" if facts.lower_is_better else "higher",
                f"p{facts.percentile * 100:g}" if facts.percentile else "",
                format_count(facts.samples_per_query) if facts.samples_per_query else "all",
                "yes" if facts.uses_early_stopping else "no",
            )
            for facts in round_.scenarios.values()
        ],
    )


@rounds.command("validate", epilog="Examples:\n\n\b\n  assay rounds validate my-round.yaml")
@click.argument("file", type=click.Path(path_type=Path))
@output_options
def validate_round(file: Path, out: Output) -> None:
    """Check a round file of your own; errors say file, line and key."""
    round_ = read_round(file)
    if out.as_json:
        out.json({"valid": True, "round": round_.name, "benchmarks": list(round_.benchmarks)})
        return
    out.text(f"{file}: round {round_.name} with {len(round_.benchmarks)} benchmarks is sound")


def _as_dict(round_: Round) -> dict[str, object]:
    return {
        "name": round_.name,
        "source": round_.source,
        "benchmarks": list(round_.benchmarks),
        "seeds": {
            "qsl": round_.seeds.qsl,
            "sample_index": round_.seeds.sample_index,
            "schedule": round_.seeds.schedule,
        },
        "scenarios": {
            facts.scenario.value: {
                "result_field": facts.result_field,
                "unit": facts.unit,
                "lower_is_better": facts.lower_is_better,
                "percentile": facts.percentile,
                "samples_per_query": facts.samples_per_query,
            }
            for facts in round_.scenarios.values()
        },
    }

"""``assay rounds``: the rounds that are known, what changed between them, and files of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assay.base.units import format_count, format_duration
from assay.cli.render import Output, output_options
from assay.cli.round_options import NounGroup, complete_round, find_round, seeds_text, target_text
from assay.rules.document import Json, changes, round_document
from assay.rules.load import load_round, read_round, round_names, round_schema
from assay.rules.model import Category, Round, Scenario

EXAMPLES = """Examples:

\b
  assay rounds
  assay rounds show v3.1
  assay rounds show ./my-round.yaml --diff v3.1
  assay rounds validate my-round.yaml
"""


@click.group(cls=NounGroup, invoke_without_command=True, epilog=EXAMPLES)
@output_options
@click.pass_context
def rounds(ctx: click.Context, out: Output) -> None:
    """List the rounds that assay knows, show one, or check a round file."""
    if ctx.invoked_subcommand is None:
        _list(out)
        return
    # Options before the verb hold for the verb: assay rounds --json show v3.1.
    given = {"as_json": out.as_json, "quiet": out.quiet}
    ctx.default_map = dict.fromkeys(rounds.list_commands(ctx), given)


@rounds.command("list", epilog="Examples:\n\n\b\n  assay rounds list\n  assay rounds list --json")
@output_options
def list_rounds(out: Output) -> None:
    """List the rounds, oldest first."""
    _list(out)


@rounds.command(
    "show",
    epilog="Examples:\n\n\b\n  assay rounds show v3.1\n  assay rounds show 3.1 --json\n"
    "  assay rounds show ./my-round.yaml --diff v3.1",
)
@click.argument("name", metavar="ROUND|FILE", shell_complete=complete_round)
@click.option("--diff", "against", metavar="ROUND|FILE", shell_complete=complete_round, help="Only what changed since.")
@output_options
def show_round(name: str, against: str | None, out: Output) -> None:
    """Show a round: sources, seeds, scenarios and benchmarks; or what it changed.

    With --json the whole resolved round is printed, times in nanoseconds.
    """
    round_ = find_round(name)
    if against is not None:
        _show_changes(find_round(against), round_, out)
    elif out.as_json:
        out.json(round_document(round_))
    else:
        _show(round_, out)


@rounds.command(
    "validate", epilog="Examples:\n\n\b\n  assay rounds validate my-round.yaml\n  assay rounds schema > round.json"
)
@click.argument("file", type=click.Path(path_type=Path))
@output_options
def validate_round(file: Path, out: Output) -> None:
    """Check a round file of your own.

    The first thing wrong is told with file, line and key, what was expected and what was found (exit code 4).
    A file that says "extends: v3.1" states only what it changes; null takes a key away.
    """
    round_ = read_round(file)
    if out.as_json:
        document = {"valid": True, "file": str(file), "name": round_.name, "benchmarks": list(round_.benchmarks)}
        out.json(document)
        return
    out.text(f"{file}: round {round_.name} with {len(round_.benchmarks)} benchmarks is valid")


@rounds.command("schema", epilog="Examples:\n\n\b\n  assay rounds schema > assay-round.schema.json")
@output_options
def schema(out: Output) -> None:
    """Print the JSON Schema of round files, for editors."""
    out.json(round_schema())


def _list(out: Output) -> None:
    found = [load_round(name) for name in round_names()]
    if out.as_json:
        out.json([_summary(round_) for round_ in found])
        return
    out.table(
        ("Round", "Benchmarks", *(each.value.capitalize() for each in Category), "Source"),
        [
            (
                round_.name,
                len(round_.benchmarks),
                *(len(_names(round_, each)) for each in Category),
                round_.source,
            )
            for round_ in found
        ],
        right=("Benchmarks", *(each.value.capitalize() for each in Category)),
    )


def _show(round_: Round, out: Output) -> None:
    out.fields(
        [
            ("Round", round_.name),
            ("Source", round_.source),
            ("LoadGen's defaults", round_.conf_source),
            ("Seeds", seeds_text(round_.seeds)),
            ("Seeds in TEST05", seeds_text(round_.test05_seeds)),
        ]
    )
    out.text()
    out.table(
        ("Scenario", "Figure", "Key in the log", "Better", "Percentile", "Samples in a query", "Early stopping"),
        [
            (
                facts.scenario.value,
                facts.unit,
                facts.result_field,
                "lower" if facts.lower_is_better else "higher",
                f"{facts.percentile * 100:g} %" if facts.percentile else "-",
                format_count(facts.samples_per_query) if facts.samples_per_query else "all",
                "yes" if facts.uses_early_stopping else "no",
            )
            for facts in round_.scenarios.values()
        ],
    )
    out.text()
    out.table(
        ("Benchmark", *(each.value.capitalize() for each in Category), "Server bound", "Quality target", "Compliance"),
        [
            (
                f"{each.name}*" if each.placeholder else each.name,
                *(", ".join(each.scenarios(category)) or "-" for category in Category),
                _server_bound(round_, each.name),
                ", ".join(map(target_text, each.quality)),
                ", ".join(each.compliance) or "none",
            )
            for each in round_.benchmarks.values()
        ],
    )
    if any(each.placeholder for each in round_.benchmarks.values()):
        out.remark("* named in the official checker, with no reference behind it")


def _server_bound(round_: Round, name: str) -> str:
    benchmark = round_.benchmarks[name]
    bound = benchmark.limits[Scenario.SERVER].target_latency_ns
    has_server = any(Scenario.SERVER in benchmark.scenarios(category) for category in Category)
    return format_duration(bound) if has_server and bound is not None else "-"


def _show_changes(old: Round, new: Round, out: Output) -> None:
    found = changes(old, new)
    if out.as_json:
        listed = [{"key": each.key, "old": each.old, "new": each.new} for each in found]
        out.json({"old": old.name, "new": new.name, "changes": listed})
        return
    if not found:
        out.remark(f"{new.name} and {old.name} state the same facts")
        return
    rows = [(each.key, _value(each.old), _value(each.new)) for each in found]
    out.table(("Fact", old.name, new.name if new.name != old.name else f"{new.name} (new)"), rows)
    out.remark(f"{len(found)} facts differ; times are in nanoseconds")


def _value(value: Json) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _summary(round_: Round) -> dict[str, object]:
    return {
        "name": round_.name,
        "source": round_.source,
        "conf_source": round_.conf_source,
        "benchmarks": list(round_.benchmarks),
        **{category.value: _names(round_, category) for category in Category},
    }


def _names(round_: Round, category: Category) -> list[str]:
    return [each.name for each in round_.benchmarks.values() if each.scenarios(category)]

"""``assay results query|best|pareto|fields``: questions to the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.render import Output, output_options
from assay.cli.results_options import (
    complete_expression,
    count,
    opened,
    question,
    question_options,
    told_missing,
    told_nothing,
)

if TYPE_CHECKING:
    from assay.expressions import Schema
    from assay.results.query import Query
    from assay.results.store import Store
    from assay.results.table import Table

_FRONT = "round,organisation,system,accelerator,uid,labels"
_FORMS = ("table", "csv", "json", "ndjson", "markdown", "latex")
_OUT = click.Path(dir_okay=False, path_type=Path)
_FORM = click.option(
    "--format", "form", type=click.Choice(_FORMS), default="table", show_default=True, help="How it is printed."
)
_FILE = click.option("--out", "file", type=_OUT, help="Write to a file: .csv .json .ndjson .parquet .md .tex.")
_LIMIT = click.option(
    "--limit", type=click.IntRange(0), default=30, show_default=True, help="Most rows shown; 0 for all."
)


@click.command(
    epilog="Examples:\n\n\b\n"
    '  assay results query \'scenario == "Server" and watts < 5 kW and accelerator like "H100%"\'\n'
    "  assay results query --round v3.0 -n resnet --columns system,samples_per_joule --sort=-samples_per_joule\n"
    "  assay results query --group round,division --aggregate 'count()' --aggregate 'watts=mean(watts)'\n"
    "  assay results query 'latency_p99 < 15 ms' --columns 'system,ms=latency_p99 / 1 ms' --out fast.csv"
)
@question_options
@click.option(
    "--columns", "-c", metavar="A,B,...", help="Fields, metrics, name=expression.", shell_complete=complete_expression
)
@click.option("--sort", metavar="A,-B,...", help="Order; - before a name turns it.", shell_complete=complete_expression)
@click.option("--group", metavar="A,B,...", help="One row for each combination of these fields.")
@click.option(
    "--aggregate", "-a", multiple=True, metavar="[NAME=]EXPRESSION", help="Of each group: count(), mean(watts), ..."
)
@_LIMIT
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows passed over.")
@_FORM
@_FILE
@output_options
def query(out: Output, **options: Any) -> None:
    """Ask for results by a filter, with columns, sorting, groups and aggregates.

    Measured results that the official checker took are looked at; --inferred and --refused add the others. Fields:
    assay results fields. Metrics: assay metrics.
    """
    from assay.errors import UsageError
    from assay.results.export import form_of
    from assay.results.query import COLUMNS, run_query

    columns, limit = _listed(options["columns"]), options["limit"] or None
    if columns and (options["group"] or options["aggregate"]):
        raise UsageError(
            "the columns of groups are what they have in common, and aggregates",
            hint="--aggregate 'mean(watts)' in place of --columns",
        )
    if options["file"]:
        form_of(options["file"])
    with opened(out, options) as (store, names):
        asked = question(
            options,
            store,
            # What a figure must not be shown without.
            columns=columns or (*COLUMNS, "labels"),
            sort=_listed(options["sort"]),
            group=_listed(options["group"]),
            aggregates=tuple(options["aggregate"]),
            # One more than shown tells whether there are more.
            limit=None if limit is None or options["file"] else limit + 1,
            offset=options["offset"],
        )
        usual = not columns and not asked.group and not asked.aggregates
        answer(run_query(store, asked, names), asked, store, names, options, out, brief=usual)


@click.command(
    epilog="Examples:\n\n\b\n  assay results best --round v3.0\n  assay results best --by samples_per_joule --category edge -n resnet\n"
    "  assay results best --by joules_per_sample --lowest --group benchmark,scenario"
)
@question_options
@click.option("--by", default="samples_per_second", show_default=True, metavar="EXPRESSION", help="What is compared.")
@click.option("--lowest", is_flag=True, help="Less is better.")
@click.option(
    "--group", metavar="A,B,...", help="What results of a group have in common. Default: what makes them comparable."
)
@output_options
def best(out: Output, by: str, lowest: bool, group: str | None, **options: Any) -> None:
    """The leader of each benchmark, scenario, division and category, and by how much it leads."""
    from assay.cli.results_view import show_leaders
    from assay.results.leaders import leaders
    from assay.results.metrics.comparing import COMPARABLE

    fields = _listed(group) or COMPARABLE
    with opened(out, options) as (store, names):
        asked = question(options, store)
        figure, found = leaders(store, asked, names, by=by, lowest=lowest, group=fields)
        show_leaders(by, figure, fields, found, asked.scope.words(), out)
        if not found:
            told_nothing(store, asked, names, out)


@click.command(
    epilog="Examples:\n\n\b\n  assay results pareto --most samples_per_second --least watts --round v3.0 -n resnet -s Offline\n"
    "  assay results pareto --most accuracy --most samples_per_second 'division == \"open\"' --format csv"
)
@question_options
@click.option("--most", multiple=True, metavar="EXPRESSION", help="More of it is better; may be repeated.")
@click.option("--least", multiple=True, metavar="EXPRESSION", help="Less of it is better; may be repeated.")
@click.option(
    "--columns",
    "-c",
    metavar="A,B,...",
    default=_FRONT,
    show_default=True,
    help="Columns besides the figures.",
)
@_LIMIT
@_FORM
@_FILE
@output_options
def pareto(out: Output, most: tuple[str, ...], least: tuple[str, ...], **options: Any) -> None:
    """Results that no other beats in everything: the front of two or more figures."""
    from assay.results.leaders import pareto as front

    with opened(out, options) as (store, names):
        asked = question(options, store, columns=_listed(options["columns"]))
        found = front(store, asked, names, most=most, least=least)
        answer(found, asked, store, names, options, out, brief=options["columns"] == _FRONT)


@click.command(
    epilog="Examples:\n\n\b\n  assay results export v3.0.parquet --round v3.0\n"
    "  assay results export mine.parquet 'origin == \"local\"' --refused"
)
@click.argument("file", type=_OUT)
@question_options
@output_options
def export(file: Path, out: Output, **options: Any) -> None:
    """Write whole results, with every field, to a Parquet file that other tools and assay results import read."""
    from assay.errors import UsageError
    from assay.results.exchange import write_rows_file
    from assay.results.query import condition_of

    if file.suffix != ".parquet":
        raise UsageError(
            f"{file.name} is no name of a Parquet file",
            expected="a name that ends in .parquet",
            hint="assay results query --out FILE writes columns of your choice as CSV, JSON, Markdown or LaTeX",
        )
    with opened(out, options) as (store, names):
        asked = question(options, store)
        condition, parameters = condition_of(asked, names)
        written = write_rows_file(store, file, condition, parameters)
        if not written:
            told_nothing(store, asked, names, out)
    if out.as_json:
        out.json({"file": str(file), "results": written})
    else:
        out.text(f"{file}: {count(written, 'result')} ({asked.scope.words()})")


@click.command("fields", epilog="Examples:\n\n\b\n  assay results fields\n  assay results fields --json")
@output_options
def list_fields(out: Output) -> None:
    """List the fields of a result that filters, columns and metrics may name."""
    from assay.results.fields import FIELDS

    if out.as_json:
        out.json(
            [
                {
                    "name": each.name,
                    "kind": each.kind.value if each.kind else None,
                    "unit": each.unit or None,
                    "description": each.description,
                }
                for each in FIELDS
            ]
        )
        return
    out.table(
        ("Field", "Kind", "Unit", "What"),
        [(each.name, each.kind.value if each.kind else "not asked", each.unit, each.description) for each in FIELDS],
    )


def answer(
    table: Table,
    asked: Query,
    store: Store,
    names: Schema,
    options: dict[str, Any],
    out: Output,
    *,
    brief: bool = False,
) -> None:
    """Show an answer, or write it to the file that was asked for.

    Args:
        brief: columns that say the same of every row may stand above the table.
    """
    from assay.cli.results_view import show_table
    from assay.results.export import Form, written

    told_missing(table.missing, out)
    scope, file = asked.scope.words(), options["file"]
    if file is not None:
        _write(table, file)
        out.remark(f"{file}: {count(len(table.rows), 'row')} ({scope})")
    else:
        limit, more = options["limit"] or None, False
        if limit is not None and len(table.rows) > limit:
            more = True
            table.rows[limit:] = []
        form = Form.JSON if out.as_json else Form(options["form"])
        if form is Form.TABLE:
            show_table(table, out, brief=brief)
            out.remark(
                f"{count(len(table.rows), 'row')}, {scope}" + ("; there are more: --limit 0 shows all" if more else "")
            )
        else:
            click.echo(written(table, form), nl=False)
            if more:
                out.remark(f"there are more than {count(limit or 0, 'row')}: --limit 0 gives all")
    if not table.rows:
        told_nothing(store, asked, names, out)


def _write(table: Table, file: Path) -> None:
    """Write an answer in the form that the name of the file asks for."""
    from assay.base.files import write_atomic
    from assay.results.export import Form, form_of, written

    form = form_of(file)
    if form is Form.PARQUET:
        table.write_parquet(file)
    else:
        write_atomic(file, written(table, form))


def _listed(text: str | None) -> tuple[str, ...]:
    """A list that is separated by commas, those inside brackets and texts left alone."""
    parts: list[str] = []
    depth, quote, part = 0, "", ""
    for character in text or "":
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        depth += (character in "([") - (character in ")]") if not quote else 0
        if character == "," and not depth and not quote:
            parts.append(part)
            part = ""
        else:
            part += character
    return tuple(each.strip() for each in [*parts, part] if each.strip())

"""``assay results``: published results and one's own, imported, asked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.base.settings import load_settings
from assay.cli.render import Output, output_options
from assay.cli.results_options import opened
from assay.cli.results_query import best, export, list_fields, pareto, query
from assay.cli.round_options import NounGroup, complete_round

EXAMPLES = """Examples:

\b
  assay results query 'round == "v3.0" and watts < 100' --sort=-samples_per_joule
  assay results best --round v3.0 --benchmark resnet --category edge
  assay results pareto --most samples_per_second --least watts --round v3.0 --benchmark bert-99
  assay results show 7a5cbe9a
  assay results import ./inference_results_v3.0
"""
_PATH = click.Path(path_type=Path)


@click.group(cls=NounGroup, invoke_without_command=True, epilog=EXAMPLES)
@output_options
@click.pass_context
def results(ctx: click.Context, out: Output) -> None:
    """Ask, show and import results: published rounds, CM repositories, your own runs.

    The figures of rounds v2.0, v2.1 and v3.0 come with assay. Without a verb, what there is to ask about.
    """
    from assay.cli.results_view import show_overview
    from assay.results.overview import overview

    if ctx.invoked_subcommand is None:
        with opened(out, {}) as (store, _):
            show_overview(overview(store), out)
        return
    # Options before the verb hold for the verb: assay results --json query.
    given = {"as_json": out.as_json, "quiet": out.quiet}
    ctx.default_map = dict.fromkeys(results.list_commands(ctx), given)


for command in (query, best, pareto, export, list_fields):
    results.add_command(command)


@results.command(
    "import",
    epilog="Examples:\n\n\b\n  assay results import ./inference_results_v3.0\n"
    "  assay results import ./my-submission --round v3.1\n  assay results import ./cm4mlperf-results\n"
    "  assay results import summary.csv --round v2.1\n  assay results import ./run_1 --benchmark resnet50 --round v3.1",
)
@click.argument("source", type=_PATH)
@click.option(
    "--round",
    "round",
    metavar="ROUND",
    shell_complete=complete_round,
    help="Round of the rules. Default: by the seeds.",
)
@click.option("--repository", metavar="URL", help="Public address of the tree. Default: the clone's origin.")
@click.option("--commit", metavar="HASH", help="Commit of the tree. Default: the clone's.")
@click.option(
    "--official/--not-official", default=None, help="MLCommons published it. Default: by the name of its repository."
)
@click.option("--benchmark", metavar="NAME", help="Of a LoadGen run, whose log does not say.")
@click.option("--division", default="open", show_default=True, metavar="NAME", help="Of a LoadGen run.")
@click.option("--organisation", metavar="NAME", help="Of a LoadGen run.")
@click.option("--system", type=_PATH, help="System description of a LoadGen run, in the official fields.")
@click.option("--into", metavar="REPOSITORY", help="CM repository that takes the rows. Default: local.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), help="Processes. Default: one for each processor.")
@click.option("--dry-run", is_flag=True, help="Say what would be imported; write nothing.")
@output_options
def import_(source: Path, into: str | None, dry_run: bool, out: Output, **given: Any) -> None:
    """Import a submission tree, an official results repository, a CM repository, a summary.csv or a LoadGen run.

    Every figure of a tree comes from its raw logs and carries both verdicts. The same import again changes nothing;
    one that was interrupted goes on where it was.
    """
    from assay.cli.results_view import show_import
    from assay.cm.library import open_library
    from assay.results.importing import Given, Kind, import_source, kind_of, read_source

    settings = load_settings()
    target = open_library(settings).repository(into) if into else None
    with out.progress() as progress:
        if dry_run:
            kind = kind_of(source)
            rows = (
                [] if kind is Kind.REPOSITORY else read_source(source, Given(**given), settings, progress=progress)[2]
            )
            show_import(kind, None, rows, out)
            return
        imported = import_source(source, Given(**given), settings, target=target, progress=progress)
    show_import(imported.kind, imported, [], out)


@results.command(
    "show",
    epilog="Examples:\n\n\b\n  assay results show 7a5cbe9a\n"
    "  assay results show closed/Krai/results/eb6-qaic-v1.8.3.7-aic100/resnet50/offline",
)
@click.argument("name", metavar="UID|LOCATION")
@click.option("--all", "everything", is_flag=True, help="Also the fields that have no value.")
@output_options
def show(name: str, everything: bool, out: Output) -> None:
    """Show one result: figures, verdicts, system, where it comes from, and its other scenarios.

    A result is named by its uid, the beginning of it, the uid that CM gave it, or its location.
    """
    from assay.cli.results_view import show_result
    from assay.results.one import find_result

    with opened(out, {}) as (store, _):
        show_result(find_result(store, name), out, everything=everything)


@results.command(
    "compare",
    epilog="Examples:\n\n\b\n  assay results compare 7a5cbe9a 39f54dfb\n  assay results compare 7a5cbe9a 39f54dfb 52bbc77b --all",
)
@click.argument("names", metavar="ID ID...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also the fields in which they do not differ.")
@output_options
def compare(names: tuple[str, ...], everything: bool, out: Output) -> None:
    """Put two to six results beside each other: what differs, and every figure over the first one's."""
    from assay.cli.results_view import show_comparison
    from assay.results.one import find_result

    with opened(out, {}) as (store, _):
        show_comparison([find_result(store, name) for name in names], out, everything=everything)

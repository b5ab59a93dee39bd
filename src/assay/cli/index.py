"""``assay index``: the database that questions are answered from."""

from __future__ import annotations

import click

from assay.base.settings import load_settings
from assay.base.units import format_size
from assay.cli.render import Output, output_options
from assay.cli.results_options import count

EXAMPLES = "Examples:\n\n\b\n  assay index status\n  assay index rebuild"


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.pass_context
def index(ctx: click.Context) -> None:
    """Show or rebuild the index of results; it is brought up to date by every question, and may be deleted."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(status)


@index.command(epilog="Examples:\n\n\b\n  assay index status\n  assay index status --json")
@output_options
def status(out: Output) -> None:
    """Show what the index holds, and which files could not be read."""
    _show(out, rebuild=False)


@index.command(epilog="Examples:\n\n\b\n  assay index rebuild")
@output_options
def rebuild(out: Output) -> None:
    """Make the index anew from the result files of every repository."""
    _show(out, rebuild=True)


def _show(out: Output, *, rebuild: bool) -> None:
    from assay.results.store import open_store

    with out.progress() as progress, open_store(load_settings(), progress=progress, rebuild=rebuild) as store:
        found = store.status()
    if out.as_json:
        out.json(
            {
                "path": str(found.path),
                "rows": found.rows,
                "results": found.results,
                "files": found.files,
                "problems": [{"path": path, "problem": problem} for path, problem in found.problems],
                "bytes": found.bytes,
            }
        )
        return
    out.fields(
        [
            ("index", f"{found.path} ({format_size(found.bytes)})"),
            ("results", f"{found.results:,}"),
            ("rows", f"{found.rows:,} (a result may stand in several repositories)"),
            *((name or "published table", count(files, "file")) for name, files in found.files.items()),
        ]
    )
    for _, problem in found.problems:
        out.remark(f"not read: {problem}")

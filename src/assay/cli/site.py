"""``assay site``: the public pages of the playground as files."""

from __future__ import annotations

from pathlib import Path

import click

from assay.base.settings import load_settings
from assay.base.units import format_count, format_size
from assay.cli.render import Output, output_options


@click.group(epilog="Examples:\n\n\b\n  assay site build public\n  assay site build public --every-result")
def site() -> None:
    """Make a site of files of what anybody may see: for a web server, or to be read from a disk."""


@site.command(
    "build", epilog="Examples:\n\n\b\n  assay site build public\n  assay site build public --every-result --json"
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--every-result", is_flag=True, help="A page for every result; else for those that other pages name.")
@output_options
def build(folder: Path, every_result: bool, out: Output) -> None:
    """Write rounds, benchmarks, systems, challenges, leaderboards, reports, documentation and views as pages.

    FOLDER is new, or a site that was built before, which is replaced when the new one is complete. Searching, signing in
    and pushing need a server (assay serve) and are left out.
    """
    from assay.playground.site import build_site

    with out.progress() as progress:
        built = build_site(load_settings(), folder, every_result=every_result, progress=progress)
    if out.as_json:
        out.json({"folder": str(built.folder), "pages": built.pages, "files": built.files, "bytes": built.bytes})
        return
    out.text(
        f"{format_count(built.pages)} pages, {format_count(built.files)} files, {format_size(built.bytes)} in {built.folder}"
    )
    out.remark(f"Look at it: python3 -m http.server --directory {built.folder}")

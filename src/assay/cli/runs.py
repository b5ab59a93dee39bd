"""``assay runs``: what has been run on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from assay.base.settings import load_settings
from assay.base.units import format_size
from assay.cli.options import SCENARIO
from assay.cli.render import Output, output_options
from assay.cli.runs_view import comparison_lines, comparison_to_dict, log_tails, show_run, summary_table
from assay.errors import UsageError
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.rules.model import Scenario

_STATES = ("valid", "invalid", "finished", "failed", "interrupted", "running")
_HTML = click.Path(dir_okay=False, path_type=Path)
_NOTHING = "There are no runs yet. Begin with: assay demo"


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay runs\n  assay runs show last\n  assay runs compare 3f9a 77c1\n"
    "  assay runs report last --group --out report.html",
)
@click.pass_context
def runs(ctx: click.Context) -> None:
    """List, show, compare, report and remove runs of this machine.

    A run is named by its id, the beginning or the end of it, or by the word last.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs)


@runs.command(
    "list",
    epilog="Examples:\n\n\b\n  assay runs list\n  assay runs list --scenario Server --status invalid\n"
    "  assay runs list --benchmark mobilenet-v2 --limit 0 --json",
)
@click.option("--benchmark", "-n", help="Only runs of this benchmark or model.")
@click.option("--scenario", "-s", type=SCENARIO, help="Only runs of this scenario.")
@click.option("--status", type=click.Choice(_STATES), help="Only runs that ended so.")
@click.option("--limit", type=click.IntRange(0), default=30, show_default=True, help="Most runs shown; 0 for all.")
@output_options
def list_runs(
    out: Output,
    benchmark: str | None = None,
    scenario: Scenario | None = None,
    status: str | None = None,
    limit: int = 30,
) -> None:
    """List runs, newest first."""
    scanned = _catalogue().scan()
    known = [record for record, _ in scanned if record is not None]
    found = [record for record in known if _wanted(record, benchmark, scenario, status)]
    shown = found[:limit] if limit else found
    if out.as_json:
        out.json([record.to_dict() for record in shown])
        return
    unreadable = [reason for record, reason in scanned if record is None]
    for reason in unreadable[:3]:
        out.remark(f"no readable record: {reason}")
    if not known:
        out.text(_NOTHING)
        return
    if not found:
        out.text(f"None of the {len(known)} runs is like that. See them all with: assay runs list --limit 0")
        return
    summary_table(shown, [record.id for record in known], out)
    if len(shown) < len(found):
        out.remark(f"{len(found) - len(shown)} older ones are not shown: --limit 0 shows all")


@runs.command(
    "show",
    epilog="Examples:\n\n\b\n  assay runs show last\n  assay runs show 3f9a --logs\n"
    "  assay runs show 20261123-2015 --json",
)
@click.argument("name", metavar="ID")
@click.option("--logs", is_flag=True, help="Also the end of LoadGen's summary and of the worker's log.")
@output_options
def show(name: str, logs: bool, out: Output) -> None:
    """Show everything about one run: verdict, latencies, settings, labels, where it comes from."""
    folder = _catalogue().find(name)
    record = folder.read()
    if out.as_json:
        more = {"log_tails": log_tails(folder.path)} if logs else {}
        out.json({**record.to_dict(), "folder": str(folder.path), **more})
        return
    show_run(record, folder.path, out)
    for file, lines in log_tails(folder.path).items() if logs else ():
        out.text(f"\n{file}, its end:")
        for line in lines:
            out.text(f"  {line}")


@runs.command(
    "compare",
    epilog="Examples:\n\n\b\n  assay runs compare 3f9a 77c1\n  assay runs compare 3f9a 77c1 b946 --all",
)
@click.argument("names", metavar="ID ID...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also the settings in which they do not differ.")
@output_options
def compare(names: tuple[str, ...], everything: bool, out: Output) -> None:
    """Put runs beside each other: figures in relation to the first run, and what differs."""
    # Only here: the list should not pay for it.
    from assay.results.compare import compare as put_beside

    comparison = put_beside([folder.read() for folder in _found(names)])
    if out.as_json:
        out.json(comparison_to_dict(comparison))
        return
    comparison_lines(comparison, out, everything=everything)


@runs.command(
    "report",
    epilog="Examples:\n\n\b\n  assay runs report last --out report.html\n  assay runs report last --group\n"
    "  assay runs report 3f9a 77c1 --title 'Before and after' --out compare.html",
)
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--out", "-o", "target", type=_HTML, default="assay-report.html", show_default=True, help="The HTML file."
)
@click.option("--group", "whole_group", is_flag=True, help="With every run of the same commands.")
@click.option("--title", help="Title of the page. [default: model and engine]")
@output_options
def report(names: tuple[str, ...], target: Path, whole_group: bool, title: str | None, out: Output) -> None:
    """Write runs as one HTML file with plots, that needs nothing else to be read."""
    # The renderer brings a JavaScript engine.
    from assay.results.report import write_report

    folders = [folder.path for folder in _found(names)]
    if whole_group:
        folders = _whole_groups(folders)
    with out.progress() as progress:
        write_report(folders, target, title=title, progress=progress)
    size = target.stat().st_size
    if out.as_json:
        out.json({"file": str(target), "bytes": size, "runs": [path.name for path in folders]})
        return
    out.text(f"{target}: {len(folders)} {'run' if len(folders) == 1 else 'runs'}, {format_size(size)}")


@runs.command(
    "remove",
    epilog="Examples:\n\n\b\n  assay runs remove 3f9a --dry-run\n  assay runs remove 3f9a 77c1 --yes",
)
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@output_options
def remove(names: tuple[str, ...], yes: bool, dry_run: bool, out: Output) -> None:
    """Delete runs with their logs; results recorded from them stay in the local repository."""
    catalogue = _catalogue()
    ids = [folder.id for folder in _found(names)]
    if not dry_run and not yes:
        _confirm(ids, out)
    sizes = {run: _size(catalogue.folder / run) if dry_run else catalogue.remove(run) for run in ids}
    if out.as_json:
        out.json(
            {
                "removed": [] if dry_run else ids,
                "would_remove": ids if dry_run else [],
                "bytes": sum(sizes.values()),
            }
        )
        return
    for run, size in sizes.items():
        out.text(f"{'would remove' if dry_run else 'removed'} {run}, {format_size(size)}")


def _confirm(ids: Sequence[str], out: Output) -> None:
    """Ask before deleting.

    Raises:
        UsageError: when there is nobody to ask.
    """
    if out.as_json or not sys.stdin.isatty():
        raise UsageError(
            "there is nobody to ask whether to delete", expected="--yes, or --dry-run to see what it would be"
        )
    for run in ids:
        out.remark(run)
    click.confirm(f"Delete {len(ids)} {'run' if len(ids) == 1 else 'runs'} with all logs?", abort=True, err=True)


def _catalogue() -> RunCatalogue:
    return RunCatalogue(load_settings().runs_dir)


def _found(names: Sequence[str]) -> list[RunFolder]:
    """The folders of runs, each once, in the order they were named."""
    catalogue = _catalogue()
    return [*{folder.path: folder for folder in map(catalogue.find, names)}.values()]


def _whole_groups(folders: Sequence[Path]) -> list[Path]:
    """Runs with all others of the same commands, oldest first."""
    records = _catalogue().records()
    groups = {record.group for record in records if record.id in {path.name for path in folders}}
    root = folders[0].parent
    return [root / record.id for record in reversed(records) if record.group in groups]


def _wanted(record: RunRecord, benchmark: str | None, scenario: Scenario | None, status: str | None) -> bool:
    if benchmark is not None and benchmark.casefold() not in (
        record.benchmark.casefold(),
        record.model.name.casefold(),
    ):
        return False
    if scenario is not None and record.scenario != scenario.value:
        return False
    if status in ("valid", "invalid"):
        return record.verdict is not None and record.verdict.valid == (status == "valid")
    return status is None or record.status.value == status


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())

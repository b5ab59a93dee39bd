"""``assay truncate``: cut accuracy logs to what a submission may hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.units import format_count, format_size
from assay.cli.render import Output, output_options
from assay.cli.round_options import DEFAULT_ROUND, complete_round, find_round

if TYPE_CHECKING:
    from assay.rules.model import Round
    from assay.submission.truncate.model import TruncateReport

EXAMPLES = """Examples:

\b
  assay truncate ./submission --dry-run
  assay truncate ./submission --backup ../originals
  assay truncate ./submission --submitter Acme --output ../to-submit
  assay truncate ./submission --restore ../originals
  assay truncate --input ./submission --submitter Acme --backup ../originals
"""

_DONE = {
    "cut": "cut",
    "hashed": "hash added",
    "kept": "as it was",
    "restored": "put back",
    "missing": "no log",
    "refused": "REFUSED",
}


@click.command(epilog=EXAMPLES)
@click.argument("tree", type=click.Path(path_type=Path), required=False)
@click.option("--input", "input_", type=click.Path(path_type=Path), hidden=True, help="The tree.")
@click.option(
    "--backup",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the originals here: a new folder outside the tree.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a new tree with short logs here, and leave this one as it is.",
)
@click.option(
    "--restore",
    "restore_from",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Put the originals of a backup back, each proven by its hash.",
)
@click.option("--submitter", "submitters", multiple=True, help="Only this submitter; may be given again.")
@click.option(
    "--round",
    "--version",
    "round_name",
    metavar="ROUND|FILE",
    shell_complete=complete_round,
    help="Round of the limit. Default: the one whose seeds are in the logs.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--all", "everything", is_flag=True, help="List logs that are as they should be, too.")
@output_options
def truncate(out: Output, **given: Any) -> int:
    """Cut accuracy logs to what a submission may hold, as the official tool does.

    The SHA-256 of each mlperf_log_accuracy.json over the round's limit, or without a hash, goes to its accuracy.txt;
    of the log the first and last 4096 characters stay. The originals go to --backup (--restore puts them back), or
    the short logs to a new tree (--output). An interrupted run is finished by the same command. Exit code: 0 done, 1 a
    log needs work and was left alone.
    """
    tree = given["tree"] or given["input_"]
    if tree is None or (given["tree"] and given["input_"]):
        raise click.UsageError("give the tree, once: assay truncate TREE")
    if given["restore_from"] is not None:
        if given["backup"] or given["output"]:
            raise click.UsageError("--restore goes with neither --backup nor --output")
        report = _restore(tree, given, out)
    else:
        report = _truncate(tree, given, out)
    _show(report, out, everything=given["everything"])
    return 0 if report.ok else 1


def lock_of(tree: Path) -> Path:
    """The lock file that keeps two commands from changing one tree at once; it is outside the tree."""
    from assay.base.files import sha256_bytes
    from assay.base.settings import load_settings

    name = sha256_bytes(str(tree.resolve()).encode("utf-8", "surrogateescape"))[:16]
    return load_settings().cache_dir / "locks" / f"tree-{name}.lock"


def round_of(tree: Path, name: str | None, out: Output) -> Round:
    """The round that was named, else the one whose seeds are in the logs of the tree."""
    from assay.submission.guess import guess_round

    guessed = None if name is not None else guess_round(tree)
    if name is None:
        taken = f"round {guessed}, by the seeds in the logs"
        out.remark(taken if guessed else f"no log shows the seeds of a round; taking {DEFAULT_ROUND}")
    return find_round(name or guessed or DEFAULT_ROUND)


def _truncate(tree: Path, given: dict[str, Any], out: Output) -> TruncateReport:
    from assay.submission.truncate.run import truncate as truncate_logs

    round_ = round_of(tree, given["round_name"], out)
    with out.progress() as progress:
        return truncate_logs(
            tree,
            round_,
            backup=given["backup"],
            output=given["output"],
            submitters=given["submitters"],
            dry_run=given["dry_run"],
            lock=lock_of(tree),
            progress=progress,
        )


def _restore(tree: Path, given: dict[str, Any], out: Output) -> TruncateReport:
    from assay.submission.truncate.restore import restore

    with out.progress() as progress:
        return restore(
            tree,
            given["restore_from"],
            submitters=given["submitters"],
            dry_run=given["dry_run"],
            lock=lock_of(tree),
            progress=progress,
        )


def _show(report: TruncateReport, out: Output, *, everything: bool) -> None:
    if out.as_json:
        states = [log.state for log in report.logs]
        out.json(
            {
                "format": 1,
                "tree": report.tree,
                "round": report.round or None,
                "limit_bytes": report.limit or None,
                "dry_run": report.dry_run,
                "place": report.place,
                "ok": report.ok,
                "counts": {state: sum(each == state for each in states) for state in _DONE},
                "logs": [dataclasses.asdict(log) for log in report.logs],
            }
        )
        return
    shown = [log for log in report.logs if everything or log.state not in ("kept", "missing")]
    if shown:
        out.table(
            ("Log", "To do" if report.dry_run else "Done", "Before", "After", "SHA-256 of the original", "Note"),
            [
                (log.path, _DONE[log.state], format_size(log.before), format_size(log.after), log.sha256[:16], log.note)
                for log in shown
            ],
            right=("Before", "After"),
        )
    _sum_up(report, out)


def _sum_up(report: TruncateReport, out: Output) -> None:
    saved = sum(log.before - log.after for log in report.logs)
    states = [log.state for log in report.logs]
    words = [
        f"{format_count(count)} {_DONE[state]}" for state in _DONE if (count := sum(each == state for each in states))
    ]
    out.remark(f"{format_count(len(report.logs))} accuracy logs: {', '.join(words) or 'none'}")
    if report.dry_run:
        out.remark("nothing was changed (--dry-run)")
    elif report.round and {"cut", "hashed"} & {*states}:
        out.remark(f"{format_size(saved)} less; keep {report.place}: MLCommons may ask for the original logs")

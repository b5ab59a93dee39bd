"""``assay preprocess``: fill in results that follow from others, in a way that can be taken back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.units import format_count, format_size
from assay.cli.render import Output, output_options
from assay.cli.round_options import complete_round
from assay.cli.truncate import lock_of, round_of

if TYPE_CHECKING:
    from assay.submission.preprocess.model import Manner, PreprocessReport

EXAMPLES = """Examples:

\b
  assay preprocess ./submission --dry-run
  assay preprocess ./submission
  assay preprocess --undo submission.preprocess.jsonl
  assay preprocess ./submission --submitter Acme --output ../to-submit
  assay preprocess --input ./submission --version v3.1 --output ../to-submit --noinfer_low_accuracy_results
"""

_PATH = click.Path(path_type=Path)
_WORDS = {
    (False, False): {"copy": "placed", "remove": "removed"},
    (False, True): {"copy": "place", "remove": "remove"},
    (True, False): {"copy": "removed", "remove": "put back"},
    (True, True): {"copy": "remove", "remove": "put back"},
}
"""What becomes of a change: by whether it is taken back, and whether it is only said."""


@click.command(epilog=EXAMPLES)
@click.argument("tree", type=_PATH, required=False)
@click.option("--input", "input_", type=_PATH, hidden=True, help="The tree.")
@click.option("--output", type=_PATH, metavar="DIR", help="Write a new tree here, and leave this one as it is.")
@click.option(
    "--journal",
    type=_PATH,
    metavar="FILE",
    help="Write down every change here. Default: <tree>.preprocess.jsonl beside the tree.",
)
@click.option("--undo", "undo_journal", type=_PATH, metavar="FILE", help="Take back what this journal says.")
@click.option("--submitter", "submitters", multiple=True, help="Only this submitter; may be given again.")
@click.option(
    "--round",
    "--version",
    "round_name",
    metavar="ROUND|FILE",
    shell_complete=complete_round,
    help="Round of the scenarios. Default: the one whose seeds are in the logs.",
)
@click.option(
    "--no-scenarios", "--noinfer-scenario-results", "no_scenarios", is_flag=True, help="Fill in no scenarios."
)
@click.option(
    "--no-low-accuracy",
    "--noinfer-low-accuracy-results",
    "--noinfer_low_accuracy_results",
    "no_low_accuracy",
    is_flag=True,
    help="Do not copy results at 99.9 % to 99 %.",
)
@click.option(
    "--keep-empty",
    "--nodelete-empty-dirs",
    "--nodelete_empty_dirs",
    "keep_empty",
    is_flag=True,
    help="Do not remove empty folders.",
)
@click.option(
    "--model-mapping",
    "--extra-model-benchmark-map",
    "mapping",
    default="model_mapping.json",
    show_default=True,
    metavar="NAME",
    help="File in open/<submitter>/ that maps model names.",
)
@click.option("--exact", is_flag=True, help="Do what the official script of v3.1 does, oddities and all.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@output_options
def preprocess(out: Output, **given: Any) -> int:
    """Fill in results that follow from others.

    Offline and MultiStream are placed where they are missing and SingleStream was measured (Offline rather from
    MultiStream); results of a model at 99.9 % are placed at 99 % where those are missing; empty folders go. Every change
    is written to a journal outside the tree first, and --undo takes it back exactly. An interrupted run is finished by
    the same command. Exit code: 0 done, 1 something could not be placed.
    """
    tree = given["tree"] or given["input_"]
    if given["tree"] and given["input_"]:
        raise click.UsageError("give the tree once")
    if given["undo_journal"] is not None:
        if given["output"] or given["journal"]:
            raise click.UsageError("--undo goes with neither --output nor --journal")
        report = _undo(tree, given, out)
    elif tree is None:
        raise click.UsageError("give the tree: assay preprocess TREE")
    else:
        report = _preprocess(tree, given, out)
    _show(report, out, undone=given["undo_journal"] is not None)
    return 0 if report.ok else 1


def _preprocess(tree: Path, given: dict[str, Any], out: Output) -> PreprocessReport:
    from assay.submission.preprocess.run import preprocess as preprocess_tree

    round_ = round_of(tree, given["round_name"], out)
    with out.progress() as progress:
        return preprocess_tree(
            tree,
            round_,
            journal=given["journal"],
            output=given["output"],
            submitters=given["submitters"],
            manner=_manner(given),
            dry_run=given["dry_run"],
            lock=lock_of(tree),
            progress=progress,
        )


def _manner(given: dict[str, Any]) -> Manner:
    from assay.submission.preprocess.model import Manner

    return Manner(
        empty_folders=not given["keep_empty"],
        scenarios=not given["no_scenarios"],
        low_accuracy=not given["no_low_accuracy"],
        exact=given["exact"],
        mapping=given["mapping"],
    )


def _undo(tree: Path | None, given: dict[str, Any], out: Output) -> PreprocessReport:
    from assay.submission.preprocess.journal import read_journal
    from assay.submission.preprocess.undo import undo

    journal = given["undo_journal"]
    lock = lock_of(tree or Path(read_journal(journal).tree))
    with out.progress() as progress:
        return undo(journal, tree=tree, dry_run=given["dry_run"], lock=lock, progress=progress)


def _show(report: PreprocessReport, out: Output, *, undone: bool) -> None:
    if out.as_json:
        out.json(
            {
                "format": 1,
                "tree": report.tree,
                "round": report.round,
                "dry_run": report.dry_run,
                "undone": undone,
                "resumed": report.resumed,
                "place": report.place,
                "ok": report.ok,
                "changes": [dataclasses.asdict(change) for change in report.changes],
                "notes": [dataclasses.asdict(note) for note in report.notes],
            }
        )
        return
    if report.changes:
        words = _WORDS[undone, report.dry_run]
        out.table(
            ("Folder", "To do" if report.dry_run else "Done", "From", "Why", "Files", "Size"),
            [
                (
                    each.target,
                    words[each.action],
                    each.source,
                    each.why,
                    each.files or "",
                    format_size(each.bytes) if each.files else "",
                )
                for each in report.changes
            ],
            right=("Files", "Size"),
        )
    for note in report.notes:
        out.text(f"{'REFUSED' if note.refused else 'passed over'}: {note.path}: {note.text}")
    _sum_up(report, out, undone=undone)


def _sum_up(report: PreprocessReport, out: Output, *, undone: bool) -> None:
    placed = [each for each in report.changes if each.action == "copy"]
    removed = len(report.changes) - len(placed)
    files = format_count(sum(each.files for each in placed))
    if report.resumed:
        out.remark("an interrupted run was finished, by its own plan")
    if not report.changes:
        out.remark("nothing to do")
    else:
        words, to = _WORDS[undone, report.dry_run], "to " if report.dry_run else ""
        kind = "placed folders" if undone else "folders"
        out.remark(
            f"{len(placed)} {kind} {to}{words['copy']} ({files} files), {removed} empty folders {to}{words['remove']}"
        )
    if report.dry_run:
        out.remark("nothing was changed (--dry-run)")
    elif report.place and not undone and report.place.endswith(".jsonl"):
        out.remark(f"to take it back: assay preprocess --undo {report.place}")

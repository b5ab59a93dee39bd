"""Preprocess a tree: where it lies, with a journal outside it, or in a new tree."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assay.base.progress import SILENT, Progress, Step
from assay.errors import UsageError
from assay.rules.model import Round
from assay.submission.preprocess.journal import Journal, Placed, read_journal
from assay.submission.preprocess.model import Action, Change, Manner, Plan, PreprocessReport
from assay.submission.preprocess.place import make
from assay.submission.preprocess.plan import make_plan
from assay.submission.tree import TreeReader
from assay.submission.truncate.copying import new_tree
from assay.submission.truncate.places import require_outside, submitter_parts
from assay.submission.truncate.run import alone, submission_rules

TOOL = "assay preprocess"


def default_journal(tree: Path) -> Path:
    """Where the journal goes when nobody says: beside the tree."""
    real = Path(os.path.realpath(tree))
    return real.with_name(f"{real.name}.preprocess.jsonl")


def preprocess(
    tree: Path,
    round_: Round,
    *,
    journal: Path | None = None,
    output: Path | None = None,
    submitters: Sequence[str] = (),
    manner: Manner | None = None,
    dry_run: bool = False,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> PreprocessReport:
    """Fill in results that follow from others, and remove empty folders.

    Interrupted at any moment, the same call goes on where it stopped. Called again it changes nothing.

    Args:
        journal: file outside the tree in which every change is written down; beside the tree when None.
        output: a new tree to write instead; the old one stays as it is.
        submitters: only these; all when empty.
        manner: what is filled in, and how.
        dry_run: only say what would be done.
        lock: file that keeps a second run on the same tree away.

    Raises:
        UsageError: for a journal or output that cannot be taken.
        NotFoundError: when the tree or a submitter is not there.
        InvalidInputError: when it is no submission tree, or changes meanwhile.
        MachineError: when the machine refuses, or another run is on it.
    """
    rules, reader, manner = submission_rules(round_), TreeReader(tree), manner or Manner()
    if journal is not None and output is not None:
        raise UsageError("a new tree needs no journal: the old one stays", hint="leave --journal out")
    place = output or journal or default_journal(tree)
    require_outside(place, reader.root, "the new tree" if output is not None else "the journal")
    parts = submitter_parts(reader, rules.divisions, submitters)
    with alone(lock):
        begun = None if output is not None else _begun(place, reader.root)
        if begun is not None and not dry_run:
            return _go_on(tree, reader, begun, progress)
        plan = make_plan(reader, round_, parts, manner)
        if dry_run or not (plan.changes or output):
            return PreprocessReport(str(tree), round_.name, dry_run, None, plan.changes, plan.notes)
        if output is not None:
            with new_tree(reader, parts, output, tool=TOOL, progress=progress) as root:
                _in_copy(TreeReader(Path(root)), plan, progress)
        else:
            _begin(place, reader, round_, plan, progress)
    return PreprocessReport(str(tree), round_.name, dry_run, str(place), plan.changes, plan.notes)


def _begun(path: Path, root: str) -> Journal | None:
    """The journal of an interrupted run on this tree, None when there is none."""
    if not os.path.lexists(path):
        return None
    journal = read_journal(path)
    if journal.done or journal.undone:
        return None
    if journal.tree != os.path.realpath(root):
        raise UsageError("the journal is of another tree", where=path, found=journal.tree, hint="name another journal")
    return journal


def _begin(path: Path, reader: TreeReader, round_: Round, plan: Plan, progress: Progress) -> None:
    if os.path.lexists(path) and not read_journal(path).undone:
        raise UsageError(
            "the journal of an earlier run is there, and the tree has changed since",
            where=path,
            hint=f"assay preprocess --undo {path}, or name another with --journal",
        )
    journal = Journal(path, os.path.realpath(reader.root), round_.name, plan.changes)
    journal.begin()
    _work(reader, journal, progress)


def _go_on(tree: Path, reader: TreeReader, journal: Journal, progress: Progress) -> PreprocessReport:
    _work(reader, journal, progress)
    return PreprocessReport(str(tree), journal.round, False, str(journal.path), journal.changes, resumed=True)


def _work(reader: TreeReader, journal: Journal, progress: Progress) -> None:
    """Make every change that is not made yet."""
    step = _measured(journal.changes, progress)
    try:
        for number, change in enumerate(journal.changes):
            if number in journal.placed and os.path.lexists(os.path.join(reader.root, change.target)):
                step.advance(change.bytes)
                continue

            def record(placed: Placed, number: int = number) -> None:
                journal.record(number, placed)

            make(reader, change, step, record)
    finally:
        step.finish()
    journal.finish()


def _in_copy(reader: TreeReader, plan: Plan, progress: Progress) -> None:
    """Make the changes in a copy that may have some of them from an interrupted run."""
    step = _measured(plan.changes, progress)
    try:
        for change in plan.changes:
            if change.action is Action.COPY and os.path.lexists(os.path.join(reader.root, change.target)):
                step.advance(change.bytes)
                continue
            make(reader, change, step, lambda _: None)
    finally:
        step.finish()


def _measured(changes: Sequence[Change], progress: Progress) -> Step:
    return progress.start("Placing results", total=sum(change.bytes for change in changes), unit="B")

"""Take back what a journal says was done: exactly that, or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import SILENT, Progress, Step
from assay.errors import InvalidInputError, UsageError
from assay.submission.preprocess.journal import Journal, Placed, read_journal
from assay.submission.preprocess.model import Action, Change, PreprocessReport
from assay.submission.preprocess.place import clear, require_real
from assay.submission.tree import TreeReader
from assay.submission.truncate.copying import hash_file, part_of, remove_folder
from assay.submission.truncate.places import require_outside
from assay.submission.truncate.run import alone

_SHOWN = 3


def undo(
    path: Path,
    *,
    tree: Path | None = None,
    dry_run: bool = False,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> PreprocessReport:
    """Remove every placed folder and put removed ones back.

    Everything placed is compared with the journal first, by names and hashes. A run that was interrupted can be taken
    back as well, and an interrupted undo is gone on with by the same call.

    Args:
        tree: where the tree is now, when it was moved.

    Raises:
        NotFoundError: when the journal or the tree is not there.
        UsageError: when all is taken back already.
        InvalidInputError: when a placed file was changed, removed or added since; nothing is touched then.
        MachineError: when the machine refuses, or another run is on the tree.
    """
    journal = read_journal(path)
    if journal.undone:
        raise UsageError("all of this journal is taken back already", where=path)
    reader = TreeReader(tree or Path(journal.tree))
    require_outside(path, reader.root, "the journal")
    with alone(lock):
        changes = [(number, change) for number, change in enumerate(journal.changes)]
        present = [(number, change) for number, change in changes if _is_ours(reader.root, number, change, journal)]
        _require_unchanged(reader, present, journal, progress)
        if not dry_run:
            for _, change in reversed(changes):
                _take_back(reader.root, change, placed=any(change is each for _, each in present))
            for _, change in changes:
                if change.action is Action.REMOVE:
                    # Last of all and from the inside out: a folder may come back that nobody may write to.
                    os.chmod(os.path.join(reader.root, change.target), change.mode)
            journal.take_back()
    taken = tuple(change for number, change in changes if change.action is Action.REMOVE or (number, change) in present)
    return PreprocessReport(str(reader.root), journal.round, dry_run, str(path), taken)


def _is_ours(root: str, number: int, change: Change, journal: Journal) -> bool:
    """Something of ours is at the target; what stands there without a line in the journal is somebody else's."""
    if change.action is not Action.COPY or number not in journal.placed:
        return False
    return os.path.lexists(os.path.join(root, change.target))


def _require_unchanged(
    reader: TreeReader, present: list[tuple[int, Change]], journal: Journal, progress: Progress
) -> None:
    step = progress.start("Comparing with the journal", total=sum(change.bytes for _, change in present), unit="B")
    try:
        wrong = []
        for number, change in present:
            require_real(reader.root, change.target)
            wrong += _differences(reader, change.target, journal.placed[number], step)
    finally:
        step.finish()
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise InvalidInputError(
            f"what was placed is not as it was: {', '.join(wrong[:_SHOWN])}{more}; nothing is taken back",
            where=journal.path,
            hint="put these files back as they were, or remove the folders by hand",
        )


def _differences(reader: TreeReader, target: str, placed: Placed, step: Step) -> list[str]:
    """Paths that are changed, gone or new below a placed folder."""
    full = os.path.join(reader.root, target)
    if "" in placed.files:
        same = os.path.isfile(full) and not os.path.islink(full) and hash_file(full, step) == placed.files[""]
        return [] if same else [target]
    found, files = set(), set()
    wrong = [target] if os.path.islink(full) or not os.path.isdir(full) else []
    for path, folder in reader.read(target).walk(""):
        found.add(path)
        prefix = f"{path}/" if path else ""
        wrong += [f"{target}/{prefix}{name}" for name in (*folder.links, *folder.special)]
        for name in folder.files:
            below = f"{prefix}{name}"
            files.add(below)
            if name not in folder.links and placed.files.get(below) != _hash(os.path.join(full, below), step):
                wrong.append(f"{target}/{below}")
    gone = (placed.files.keys() - files) | (placed.folders - found)
    return [*wrong, *(f"{target}/{path}" for path in sorted(gone | (found - placed.folders - {""})))]


def _hash(path: str, step: Step) -> str | None:
    try:
        return hash_file(path, step)
    except OSError:
        return None


def _take_back(root: str, change: Change, *, placed: bool) -> None:
    full = os.path.join(root, change.target)
    require_real(root, change.target)
    with machine_errors(Path(full)):
        if change.action is Action.REMOVE:
            os.makedirs(full, exist_ok=True)
            return
        if placed and os.path.isdir(full):
            remove_folder(full)
        elif placed:
            os.unlink(full)
        clear(part_of(full))

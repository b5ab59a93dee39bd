"""One change made to a tree: a copy that appears under its name when it is whole, an empty folder that goes."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import Step
from assay.errors import InvalidInputError
from assay.submission.preprocess.journal import Placed
from assay.submission.preprocess.model import Action, Change
from assay.submission.tree import TreeReader
from assay.submission.truncate.copying import copy_file, flat, part_of, refuse_strange, remove_folder


def make(reader: TreeReader, change: Change, step: Step, record: Callable[[Placed], None]) -> None:
    """Make a change; one that was made before is passed over by the caller.

    Args:
        record: is told what will be there before it is.

    Raises:
        InvalidInputError: when something else stands at the target, or the source is gone or changes meanwhile.
        MachineError: when the machine refuses.
    """
    full = os.path.join(reader.root, change.target)
    with machine_errors(Path(full)):
        if change.action is Action.REMOVE:
            _remove_empty(full)
            return
        if os.path.lexists(full):
            raise InvalidInputError(
                "something stands where this is to be placed", where=full, hint="remove it, or undo with the journal"
            )
        require_real(reader.root, change.target)
        part = part_of(full)
        try:
            clear(part)
            record(_copy(reader, change.source, part, step))
            os.replace(part, full)
        except BaseException:
            with contextlib.suppress(OSError):
                clear(part)
            raise


def _remove_empty(full: str) -> None:
    """Remove a folder if it is there and still empty."""
    try:
        os.rmdir(full)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
            raise


def clear(part: str) -> None:
    """Remove what a killed run left under the name of something unfinished."""
    if os.path.isdir(part) and not os.path.islink(part):
        remove_folder(part)
    elif os.path.lexists(part):
        os.unlink(part)


def require_real(root: str, path: str) -> None:
    """Refuse a path whose folder is reached through a link.

    Raises:
        InvalidInputError: when it is.
    """
    parent = os.path.dirname(os.path.join(root, path))
    if os.path.realpath(parent) != os.path.join(os.path.realpath(root), os.path.dirname(path)):
        raise InvalidInputError("the folder is reached through a link", where=parent, hint="put it there itself")


def _copy(reader: TreeReader, source: str, part: str, step: Step) -> Placed:
    full = os.path.join(reader.root, source)
    if os.path.isfile(full) and not os.path.islink(full):
        return Placed({"": copy_file(full, part, step)}, frozenset())
    folder = reader.read(source)
    if folder.is_empty() and folder.unreadable:
        raise InvalidInputError("what is to be copied cannot be read", where=full, found=folder.unreadable)
    refuse_strange(folder, source, reader.root)
    files, folders = {}, set()
    os.mkdir(part)
    for path, each in flat(folder, ""):
        if path:
            os.mkdir(os.path.join(part, path))
            folders.add(path)
        for name in each.files:
            below = f"{path}/{name}" if path else name
            files[below] = copy_file(os.path.join(full, below), os.path.join(part, below), step)
    return Placed(files, frozenset(folders))

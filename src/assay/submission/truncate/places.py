"""Which parts of a tree are worked on, and where things outside it may be put."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assay.errors import InvalidInputError, UsageError, unknown
from assay.submission.tree import TreeReader


def submitter_parts(reader: TreeReader, divisions: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Folders of the submitters, such as ``closed/Acme``, in the order of the disk.

    Args:
        divisions: those that the round has.
        wanted: names of submitters; all when empty.

    Raises:
        InvalidInputError: when the tree has no division, or a submitter's folder is a link.
        NotFoundError: for a submitter that is not there, with the closest names.
    """
    top = reader.read("", lambda name: name in divisions, levels=2)
    found = [
        (division, name, inner.linked)
        for division, folder in top.folders.items()
        if division in divisions
        for name, inner in folder.folders.items()
    ]
    if not any(division in divisions for division in top.folders):
        raise InvalidInputError(
            "this is no submission tree", where=reader.root, expected=f"a folder {', '.join(divisions)}"
        )
    names = {name for _, name, _ in found}
    for name in wanted:
        if name not in names:
            raise unknown("submitter", name, names)
    parts = [(f"{division}/{name}", linked) for division, name, linked in found if not wanted or name in wanted]
    for part, linked in parts:
        if linked or top.folders[part.partition("/")[0]].linked:
            raise InvalidInputError(
                "a submitter's folder must not be a link", where=os.path.join(reader.root, part), hint="put it there"
            )
    return [part for part, _ in parts]


def require_outside(place: Path, tree: str, what: str) -> None:
    """Refuse a place inside the tree, by its real path.

    Raises:
        UsageError: when it is inside, or is the tree.
    """
    real, root = os.path.realpath(place), os.path.realpath(tree)
    if real == root or real.startswith(root + os.sep):
        raise UsageError(f"{what} must not be inside the tree", where=place, hint="name a folder outside it")

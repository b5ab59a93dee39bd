"""Copies and moves between repositories, each under the locks that it needs."""

from __future__ import annotations

import contextlib
from pathlib import Path

from assay.cm.artifact import Artifact, Automation
from assay.cm.editor import Editor
from assay.cm.library import Entry
from assay.cm.repository import Repository


def copy_to(
    entry: Entry,
    automation: Automation,
    target: Repository,
    alias: str,
    *,
    uid: str | None = None,
    home: Path | None = None,
) -> Artifact:
    """Copy an artifact with all its files.

    Args:
        entry: what is copied.
        automation: its kind.
        target: the repository that it is copied to.
        alias: of the copy.
        uid: of the copy; fresh unless given.
        home: assay's home, whose index tells quickly whether a name is taken.

    Raises:
        UsageError: for an alias or uid that is taken, or an alias that cannot be one.
        MachineError: when it cannot be written.
    """
    with target.editing(home=home) as edit:
        return edit.copy(entry.read(), automation, alias, uid=uid)


def move_to(
    entry: Entry, automation: Automation, target: Repository, alias: str, *, home: Path | None = None
) -> Artifact:
    """Move an artifact, or rename it within its repository; it keeps its uid.

    Between repositories it is there before it is gone here: who is interrupted has two, not none.

    Args:
        entry: what is moved.
        automation: its kind.
        target: the repository that it is moved to.
        alias: its new alias, or the old one.
        home: assay's home, whose index tells quickly whether a name is taken.

    Raises:
        UsageError: for an alias or uid that is taken, or an alias that cannot be one.
        MachineError: when it cannot be written.
    """
    if target.path.resolve() == entry.repository.path.resolve():
        with target.editing(home=home) as edit:
            return edit.rename(entry.read(), automation, alias)
    with contextlib.ExitStack() as locks:
        # Always in one order: two moves against each other would wait for ever.
        editors: dict[bool, Editor] = {}
        for repository in sorted((entry.repository, target), key=lambda each: str(each.path.resolve())):
            editors[repository is target] = locks.enter_context(repository.editing(home=home))
        source = entry.read()
        moved = editors[True].copy(source, automation, alias, uid=source.uid or None)
        editors[False].remove(source)
    return moved

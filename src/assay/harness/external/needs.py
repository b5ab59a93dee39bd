"""Whether what a harness needs is there, told in words before anything is started."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from assay.errors import MissingDependencyError, NotFoundError
from assay.harness.external.command import Chosen


def require(chosen: Chosen, values: Mapping[str, str] | None = None, *, inside: bool = False) -> None:
    """Refuse a harness that lacks a file or a program.

    Args:
        chosen: the harness.
        values: words of placeholders that are known.
        inside: whether it runs in a container, whose programs are not those of this machine.

    Raises:
        NotFoundError: all files that are missing, each with what it is and how to get it.
        MissingDependencyError: all programs that are missing.
    """
    known = dict(values or {})
    of, folder = chosen.implementation, chosen.folder
    files = {folder / Path(chosen.filled(path, known)).expanduser(): what for path, what in of.needs.files.items()}
    missing = [f"{path} ({what})" for path, what in files.items() if not path.exists()]
    if missing:
        raise NotFoundError(
            f"{of.name} lacks {_count(missing, 'file')}: {'; '.join(missing)}",
            where=chosen.root,
            expected=of.source or None,
            hint="name the right folder with --implementation-dir, or get what is missing",
        )
    if inside:
        return
    programs = {chosen.filled(name, known): how for name, how in of.needs.programs.items()}
    programs.setdefault(chosen.filled(of.command[0], known), "the program of the command")
    absent = [f"{name} ({how})" for name, how in programs.items() if not _there(name, folder)]
    if absent:
        words = [name for name in of.parameters if f"{{{name}}}" in of.command[0]]
        hint = f"--implementation-option {words[0]}=..." if words else "install it, or put it into PATH"
        raise MissingDependencyError(f"{of.name} lacks {_count(absent, 'program')}: {'; '.join(absent)}", hint=hint)


def _there(program: str, folder: Path) -> bool:
    """Whether a program can be started: one with a slash from the folder, any other from PATH."""
    return shutil.which(str(folder / program) if "/" in program else program) is not None


def _count(items: list[str], noun: str) -> str:
    return f"a {noun}" if len(items) == 1 else f"{len(items)} {noun}s"

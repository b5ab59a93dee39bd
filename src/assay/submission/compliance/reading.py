"""Texts of a compliance folder and their places."""

from __future__ import annotations

import os
import posixpath

from assay.submission.checks.context import read_text


def read_lines(path: str) -> tuple[list[str] | None, str]:
    """Lines of a text of at most 8 MiB as Python's text files give them, without their ends; or None and the problem.

    A line ends with ``\\n``, ``\\r\\n`` or ``\\r``, and with nothing else that Unicode knows.
    """
    if not os.path.lexists(path):
        return None, "not there"
    text, problem = read_text(path)
    if text is None:
        return None, problem
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines, ""


def beside(relative: str, here: str, there: str) -> str:
    """Path in the tree of a place, told from another place whose path in the tree is known.

    Args:
        relative: path of ``here`` in the tree.
        here: a folder on the disk.
        there: another place on the disk.
    """
    try:
        step = os.path.relpath(there, here)
    except ValueError:
        return there
    return posixpath.normpath(posixpath.join(relative, step.replace(os.sep, "/")))

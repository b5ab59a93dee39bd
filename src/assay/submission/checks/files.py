"""Lists of files: what a folder has to hold, and what the official tools make of a difference."""

from __future__ import annotations

from collections.abc import Iterable

from assay.rules.submission import FileDiff, FileRules
from assay.submission.checks.context import names
from assay.submission.issue import Issue
from assay.submission.tree import Folder


def difference(folder: Folder, required: Iterable[str], optional: Iterable[str], rules: FileRules) -> set[str]:
    """Names that are missing or not asked for, as the official tool of the round compares the lists.

    Source: ``files_diff`` of submission-checker.py v2.0 (``FileDiff.LONGER``) and v2.1 (``FileDiff.BOTH``).
    """
    there, asked = set(folder.files), set(required)
    spared = {*rules.ignored, *optional}
    if rules.compare is FileDiff.BOTH:
        return (there ^ asked) - spared
    if not there or not asked:
        return set()
    there -= spared
    return there - asked if len(there) > len(asked) else asked - there


def file_list(
    code: str, path: str, folder: Folder, required: Iterable[str], optional: Iterable[str], rules: FileRules
) -> list[Issue]:
    """An issue when a folder does not hold what is asked for."""
    wanted = tuple(required)
    different = difference(folder, wanted, optional, rules)
    if not different:
        return []
    missing, extra = different - set(folder.files), different & set(folder.files)
    words = [f"missing: {names(missing)}"] * bool(missing) + [f"not asked for: {names(extra)}"] * bool(extra)
    return [Issue(code, path, found="; ".join(words), expected=", ".join(wanted))]

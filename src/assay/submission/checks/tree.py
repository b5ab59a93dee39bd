"""Checks of folders as such: links, sizes, names, leftovers.

Source: the folder checks of ``check_results_dir`` in submission_checker.py v3.0 and v3.1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from assay.base.units import format_size
from assay.rules.submission import FileRules, LinkRule
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.tree import Folder

_LARGE = 50 << 20


def folder_issues(folder: Folder, path: str, root: str, rules: FileRules) -> Iterator[Issue]:
    """Issues of a folder and everything below it.

    Args:
        path: of the folder, relative to the root.
        root: absolute path of the root; links of v3.1 are looked up from there.
    """
    limit = rules.max_bytes or _LARGE
    for here, each in folder.walk(path):
        if here != path:
            # The name of the first folder is looked at with the folder that it lies in.
            yield from _name(here, here.rpartition("/")[2])
        if each.is_empty() and not each.unreadable:
            yield Issue("folder-empty", here)
        if each.unreadable:
            yield Issue("folder-unreadable", here, detail=each.unreadable)
        if here.endswith("__pycache__"):
            yield Issue("pycache-found", here)
        yield from _links(each, here, root, rules)
        for name in each.special:
            yield Issue("file-special", f"{here}/{name}")
        for name, identity in each.files.items():
            if identity[0] > limit:
                expected = f"at most {format_size(limit)}"
                yield Issue("file-too-large", f"{here}/{name}", found=format_size(identity[0]), expected=expected)
            if " " in name or name[0] == ".":
                yield from _name(f"{here}/{name}", name)


def _name(path: str, name: str) -> Iterator[Issue]:
    if name.startswith("."):
        yield Issue("name-hidden", path)
    if " " in name:
        yield Issue("name-space", path)


def _passed_over(name: str, path: str, root: str) -> bool:
    """Whether a link leads to a folder out of the tree, in a place whose folders no tool goes into.

    In the other places the tools follow it, and nothing is read here that is not part of the tree: it is told as a
    link that is refused, which a result that nobody looked at has to be.
    """
    return path.split("/")[2:3] not in (["results"], ["measurements"], ["compliance"]) and os.path.isdir(
        os.path.join(root, path, name)
    )


def _links(folder: Folder, path: str, root: str, rules: FileRules) -> Iterator[Issue]:
    for name, text in folder.links.items():
        place = f"{path}/{name}"
        if name in folder.outside:
            yield Issue("link-outside", place, found=shown(text))
        if name in folder.folders or _passed_over(name, path, root):
            continue  # The tools do not see links to folders.
        if rules.links is LinkRule.ANY or not os.path.exists(os.path.join(root, text)):
            yield Issue("link-found", place, found=shown(text))

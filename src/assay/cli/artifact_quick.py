"""``assay find`` for the plain question, answered from the indexes before anything else is imported.

Whatever is not plain (wildcards, ``--where``, ``--json``, inheritance, a repository that is new or has changed) is left to
:mod:`assay.cli.artifacts`, which prints the same lines. No click, no dataclass, no path object: see
``benchmarks/find.py``.
"""

from __future__ import annotations

import os

from assay.base.environment import home, variable
from assay.cm.index import TAG, Index, decode, index_path, load, select, shown, unchanged
from assay.cm.places import places

Line = tuple[str, str, str, str]
_SPECIAL = frozenset("*?[,: /\\")


def answer(arguments: list[str]) -> list[str] | None:
    """The lines that ``assay find`` prints; None for what takes the whole command.

    Args:
        arguments: what follows ``find``.
    """
    asked = _question(arguments)
    at, theirs = home(), variable("CM_REPOS")
    if asked is None or at is None or (theirs and not os.path.isabs(theirs)) or ".." in theirs:
        return None
    kind, name, tags = asked
    wanted = [tag for tag in tags if not tag.startswith("-")]
    unwanted = [tag[1:] for tag in tags if tag.startswith("-")]
    paths, wrong = places(at, os.path.normpath(theirs) if theirs else "")
    if wrong:
        return None
    found: list[Line] = []
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen or not os.path.lexists(path):
            # One repository by two paths; or one that is missing, which is to be told.
            if real in seen or path.endswith(os.path.join("repos", "local")):
                continue
            return None
        seen.add(real)
        index = load(index_path(at, path), path)
        if index is None or index.odd or index.broken or index.based or not unchanged(index, may_fork=True):
            return None
        found += [_line(index, row) for row in select(index, kind, name, wanted, unwanted)]
    return lines(found) if found else None


def lines(found: list[Line]) -> list[str]:
    """Artifacts as aligned lines: address, uid, tags.

    Args:
        found: repository, alias, uid and tags of each.
    """
    cells = [(shown(f"{repository}:{alias or uid}"), shown(uid), shown(tags)) for repository, alias, uid, tags in found]
    width = max((len(address) for address, _, _ in cells), default=0)
    return [f"{address:<{width}}  {uid:<16}  {tags}".rstrip() for address, uid, tags in cells]


def _line(index: Index, row: int) -> Line:
    tags = index.tags[row].strip(TAG).replace(TAG, ",")
    return decode(index.about[0]), index.aliases[row], index.uids[row], tags


def _question(arguments: list[str]) -> tuple[str, str, list[str]] | None:
    """Automation, artifact and tags; None unless they are plain."""
    words: list[str] = []
    tags = ""
    rest = iter(arguments)
    for word in rest:
        if word == "--tags":
            tags = next(rest, "")
        elif word.startswith("--tags="):
            tags = word[7:]
        elif word.startswith("-"):
            return None
        else:
            words.append(word)
    plain = 1 <= len(words) <= 2 and all(word and not _SPECIAL & set(word) for word in words)
    if not plain:
        return None
    listed = [tag.strip() for tag in tags.split(",") if tag.strip(" -")]
    return words[0], words[1] if len(words) > 1 else "", listed

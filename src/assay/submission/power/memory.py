"""Power checks of measurements that are copies of one another, done once.

An inferred result holds a copy of the measurement that it was computed from: in a whole round three of five are such
copies. One is known again by all its bytes, compared; nothing is hashed, and nothing is taken from names or dates.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.rules.power import PowerFacts
from assay.submission.checks.power import WattsReader
from assay.submission.issue import Issue
from assay.submission.power import files
from assay.submission.power.wg import check_power_wg
from assay.submission.tree import Folder

_KEPT = 16
_MOST_BYTES = 16 << 20

_Shape = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    path: str
    folder: Folder
    issues: Sequence[Issue]


class PowerMemory:
    """Remembers the last measurements that were checked.

    Args:
        root: absolute path of the tree.
        facts: what the round asks.
    """

    def __init__(self, root: str, facts: PowerFacts) -> None:
        self._root = root
        self._facts = facts
        self.watts = WattsReader()
        self._known: OrderedDict[_Shape, _Known] = OrderedDict()

    def check(self, path: str, performance: Folder) -> list[Issue]:
        """The same as :func:`~assay.submission.power.wg.check_power_wg`.

        Args:
            path: ``performance/`` of the result, relative to the root.
            performance: its listing.
        """
        shape = _shape(performance)
        known = None if shape is None else self._known.get(shape)
        if shape is not None and known is not None and self._same(known, path, performance, shape):
            self._known.move_to_end(shape)
            return [replace(issue, path=f"{path}{issue.path[len(known.path) :]}") for issue in known.issues]
        found = check_power_wg(self._root, path, performance, self._facts)
        if shape is not None and all(_moves(issue, path) for issue in found):
            self._known[shape] = _Known(path, performance, tuple(found))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def _same(self, known: _Known, path: str, performance: Folder, shape: _Shape) -> bool:
        here, there = f"{self._root}/{path}", f"{self._root}/{known.path}"
        try:
            # The small files differ first: the session's own come before the logs.
            return all(
                files.read(here, performance, name) == files.read(there, known.folder, name)
                for name, _ in sorted(shape, key=lambda pair: pair[1])
            )
        except OSError:
            return False


def _shape(folder: Folder) -> _Shape | None:
    """Names and sizes of all files in the order of the disk; None where anything else lies among them, or much."""
    found: list[tuple[str, int]] = []
    for here, each in folder.walk(""):
        if each.special or each.outside or each.links or each.unreadable:
            return None
        found += ((f"{here}/{name}" if here else name, identity[0]) for name, identity in each.files.items())
    return tuple(found) if sum(size for _, size in found) <= _MOST_BYTES else None


def _moves(issue: Issue, path: str) -> bool:
    """Whether an issue is about the folder, and names its path nowhere else."""
    texts = (issue.detail, issue.field, issue.found, issue.expected)
    return issue.path.startswith(path) and not any(path in text for text in texts)

"""The shape of a tree as it will be: folders read from the disk, with planned changes made to them in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from assay.base.files import open_regular
from assay.rules.model import Category, Round
from assay.submission.preprocess.model import Action, Change, Manner, Note
from assay.submission.tree import Folder, TreeReader
from assay.submission.truncate.copying import PART, flat

_MAX_JSON = 1 << 20
_CATEGORIES: Mapping[str, tuple[Category, ...]] = {
    "datacenter": (Category.DATACENTER,),
    "edge": (Category.EDGE,),
    "datacenter,edge": (Category.DATACENTER, Category.EDGE),
    "edge,datacenter": (Category.DATACENTER, Category.EDGE),
}


class Shape:
    """One submitter's folder, changed step by step; every change is kept in the order it was made.

    Args:
        reader: of the tree.
        part: the submitter's folder, such as ``closed/Acme``.
    """

    def __init__(self, reader: TreeReader, round_: Round, part: str, manner: Manner) -> None:
        assert round_.submission is not None
        self.part = part
        self.division = part.partition("/")[0]
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.top = reader.read(part)
        self._root = reader.root
        self._round = round_
        self._rules = round_.submission
        self._mapping = self._own_mapping(manner.mapping) if self.division == "open" else {}

    def leftovers(self) -> Iterator[str]:
        """Paths of folders that a killed run was making."""
        for path, folder in self.top.walk(self.part):
            yield from (f"{path}/{name}" for name in folder.folders if name.endswith(PART))

    def kind(self, kind: str) -> Folder | None:
        """``results``, ``measurements`` ...; None when it is not there or is a link."""
        folder = self.top.folders.get(kind)
        if folder is not None and folder.linked:
            self.note(f"{self.part}/{kind}", "it is a link, nothing is placed behind it", refused=True)
            return None
        return folder

    def copy(self, source: str, target: str, why: str) -> bool:
        """Plan a copy, by paths relative to the submitter's folder; what cannot be copied is noted."""
        *inner, name = target.split("/")
        parent = self._folder(inner)
        if parent is None or parent.linked:
            self.note(f"{self.part}/{target}", "its folder is a link, nothing is placed behind it", refused=True)
            return False
        *source_inner, source_name = source.split("/")
        holder = self._folder(source_inner)
        folder = holder.folders.get(source_name) if holder is not None else None
        if folder is None:
            identity = holder.files[source_name] if holder is not None else (0, 0, 0)
            parent.files[name] = identity
            self._plan(source, target, why, 1, identity[0])
            return True
        if strange := next((here for here, each in flat(folder, source) if _strange(each)), None):
            self.note(
                f"{self.part}/{strange}",
                "it holds links out of the tree, cannot be read or has a name that is no text",
                refused=True,
            )
            return False
        files = [identity for _, each in flat(folder, "") for identity in each.files.values()]
        parent.folders[name] = _copy_of(folder)
        self._plan(source, target, why, len(files), sum(identity[0] for identity in files))
        return True

    def remove_empty(self) -> None:
        """Plan to remove folders that hold nothing but such folders, the innermost first."""
        self._remove_empty(self.top, self.part)

    def note(self, path: str, text: str, *, refused: bool = False) -> None:
        """Say what is passed over."""
        self.notes.append(Note(path, text, refused))

    def categories(self, system: str) -> tuple[Category, ...] | None:
        """Categories of a system by its description; None, with a note, when it has none."""
        path = f"{self.part}/systems/{system}.json"
        description = self._json(path)
        if description is None:
            self.note(path, "there is no readable description of the system; its results are passed over")
            return None
        kind = description.get("system_type")
        found = _CATEGORIES.get(kind) if isinstance(kind, str) else None
        if found is None:
            self.note(path, f"system_type {str(kind)[:40]!r} is no category; its results are passed over")
        return found

    def scenarios(self, model: str, categories: tuple[Category, ...]) -> frozenset[str]:
        """Scenarios that the benchmark of a model directory has in these categories; none when it is unknown."""
        name = self._rules.benchmark_name(model, self._round.benchmarks, self._mapping)
        return self.scenarios_of(name, categories)

    def scenarios_of(self, benchmark: str, categories: tuple[Category, ...]) -> frozenset[str]:
        """Scenarios of a benchmark of the round in these categories."""
        found = self._round.benchmarks.get(benchmark)
        if found is None:
            return frozenset()
        return frozenset(scenario.value for category in categories for scenario in found.scenarios(category))

    def _plan(self, source: str, target: str, why: str, files: int, size: int) -> None:
        part = self.part
        self.changes.append(Change(Action.COPY, f"{part}/{target}", f"{part}/{source}", why, files, size))

    def _remove_empty(self, folder: Folder, path: str) -> bool:
        if folder.linked or folder.unreadable:
            return False
        for name in [name for name, inner in folder.folders.items() if self._remove_empty(inner, f"{path}/{name}")]:
            del folder.folders[name]
        if not folder.is_empty():
            return False
        mode = os.stat(os.path.join(self._root, path)).st_mode & 0o7777
        self.changes.append(Change(Action.REMOVE, path, why="it is empty", mode=mode))
        return True

    def _folder(self, parts: list[str]) -> Folder | None:
        return self.top.at(*parts)

    def _own_mapping(self, name: str) -> Mapping[str, object]:
        if "/" in name or name in ("..", "."):
            return {}
        return self._json(f"{self.part}/{name}") or {}

    def _json(self, path: str) -> dict[str, object] | None:
        """A JSON object of at most 1 MiB inside the tree; None when it cannot be read."""
        real, root = os.path.realpath(os.path.join(self._root, path)), os.path.realpath(self._root)
        if not real.startswith(root + os.sep):
            return None
        try:
            with open_regular(real) as file:
                value = json.loads(file.read(_MAX_JSON) or b"")
        except (OSError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


def _strange(folder: Folder) -> bool:
    """Something is in it that cannot be copied, or has a name that the journal could not hold."""
    try:
        "".join((*folder.folders, *folder.files)).encode()
    except UnicodeEncodeError:
        return True
    return bool(folder.outside or folder.special or folder.unreadable)


def _copy_of(folder: Folder) -> Folder:
    """A folder as its copy will be: what links lead to stands in their place."""
    return Folder({name: _copy_of(inner) for name, inner in folder.folders.items()}, dict(folder.files))

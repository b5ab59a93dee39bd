"""The journal of a run: what was planned, and of every placed folder each file with its SHA-256.

Lines of JSON. The first one is written before anything is changed; a step's line before what it made gets its name; so
the journal always knows at least what is in the tree.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assay.base.files import machine_errors, open_regular
from assay.errors import InvalidInputError, NotFoundError
from assay.submission.preprocess.model import Action, Change
from assay.submission.truncate.copying import put

_MAX = 256 << 20
_DIVISIONS = ("closed", "open", "network")


@dataclass(frozen=True, slots=True)
class Placed:
    """What a step placed.

    Attributes:
        files: path below the target to SHA-256; the empty path when the target itself is a file.
        folders: paths below the target.
    """

    files: Mapping[str, str]
    folders: frozenset[str]


@dataclass(slots=True)
class Journal:
    """A journal.

    Attributes:
        path: where it is.
        tree: real path of the tree.
        placed: by number of the change.
        done: all changes were made.
        undone: all were taken back.
    """

    path: Path
    tree: str
    round: str
    changes: tuple[Change, ...]
    placed: dict[int, Placed] = field(default_factory=dict)
    done: bool = False
    undone: bool = False

    def begin(self) -> None:
        """Write the plan.

        Raises:
            MachineError: when the machine refuses.
        """
        changes = [
            {"action": each.action.value, "target": each.target, "source": each.source, "why": each.why}
            | {"files": each.files, "bytes": each.bytes, "mode": each.mode}
            for each in self.changes
        ]
        head = {"format": 1, "tool": "assay preprocess", "tree": self.tree, "round": self.round, "changes": changes}
        with machine_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        put(str(self.path), json.dumps(head).encode() + b"\n", 0o644)

    def record(self, number: int, placed: Placed) -> None:
        """Write down what a step is about to place."""
        self.placed[number] = placed
        self._add({"change": number, "files": dict(placed.files), "folders": sorted(placed.folders)})

    def finish(self) -> None:
        """Write down that all is done."""
        self.done = True
        self._add({"state": "done"})

    def take_back(self) -> None:
        """Write down that all is taken back."""
        self.undone = True
        self._add({"state": "undone"})

    def _add(self, entry: Mapping[str, object]) -> None:
        with machine_errors(self.path), self.path.open("ab") as file:
            # A line that was cut off by a kill is closed, and passed over by the reader.
            file.write(b"" if _ends_well(self.path) else b"\n")
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Text = Annotated[str, Field(max_length=4096)]


class _Change(_Strict):
    action: Action
    target: _Text
    source: _Text
    why: _Text
    files: int
    bytes: int
    mode: Annotated[int, Field(ge=0, le=0o7777)]


class _Head(_Strict):
    format: Literal[1]
    tool: Literal["assay preprocess"]
    tree: _Text
    round: _Text
    changes: list[_Change]


class _Placed(_Strict):
    change: Annotated[int, Field(ge=0)]
    files: dict[_Text, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    folders: list[_Text]


class _State(_Strict):
    state: Literal["done", "undone"]


_ENTRY: TypeAdapter[_Placed | _State] = TypeAdapter(_Placed | _State)


def read_journal(path: Path) -> Journal:
    """Read a journal of at most 256 MiB; a last line that was cut off is passed over.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no journal, or names a place outside a submitter's folder.
    """
    head, entries = _lines(path)
    try:
        found = _Head.model_validate_json(head)
    except ValidationError as error:
        raise InvalidInputError("this is no journal of assay preprocess", where=f"{path}:1") from error
    changes = tuple(Change(**each.model_dump()) for each in found.changes)
    for each in changes:
        for place in (each.target, each.source) if each.source else (each.target,):
            _require_inside(place, path)
    journal = Journal(path, found.tree, found.round, changes)
    for number, line in enumerate(entries, 2):
        try:
            entry = _ENTRY.validate_json(line)
        except ValidationError as error:
            if not line or _is_torn(line):
                continue
            raise InvalidInputError("a line of the journal is damaged", where=f"{path}:{number}") from error
        _take(journal, entry, f"{path}:{number}")
    return journal


def _take(journal: Journal, entry: _Placed | _State, where: str) -> None:
    if isinstance(entry, _State):
        journal.done = journal.done or entry.state == "done"
        journal.undone = entry.state == "undone"
        return
    if entry.change >= len(journal.changes) or any(_leaves(name) for name in (*entry.files, *entry.folders)):
        raise InvalidInputError("a line of the journal names a place that it cannot", where=where)
    journal.placed[entry.change] = Placed(entry.files, frozenset(entry.folders))


def _lines(path: Path) -> tuple[bytes, Sequence[bytes]]:
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > _MAX:
                raise InvalidInputError("the journal is too large", where=path, expected="at most 256 MiB")
            head, *entries = file.readall().split(b"\n")
    except FileNotFoundError as error:
        raise NotFoundError("the journal is not there", where=path) from error
    except OSError as error:
        raise InvalidInputError("the journal cannot be read", where=path, found=error.strerror) from error
    return head, entries


def _is_torn(line: bytes) -> bool:
    """A line that a kill cut off: not JSON at all."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _require_inside(place: str, path: Path) -> None:
    parts = place.split("/")
    if parts[0] not in _DIVISIONS or len(parts) < 2 or _leaves(place):
        raise InvalidInputError("the journal names a place outside a submitter's folder", where=path, found=place[:200])


def _leaves(place: str) -> bool:
    return place.startswith("/") or "\0" in place or ".." in place.split("/")


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

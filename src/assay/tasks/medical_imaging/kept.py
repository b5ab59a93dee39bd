"""Prepared volumes kept on disk: made once, found again by what they were made of, checked before they are used."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.errors import AssayError, InvalidInputError
from assay.tasks.reading import fingerprint

_VERSION = 1
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of prepared arrays.

    Attributes:
        home: the folder.
        facts: what was noted when they were made.
    """

    home: Path
    facts: Mapping[str, Any]

    def array(self, name: str) -> NDArray[Any]:
        """One of the arrays, memory-mapped.

        Raises:
            InvalidInputError: when it was damaged since it was checked.
        """
        try:
            array: NDArray[Any] = np.load(self.home / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InvalidInputError(
                "a prepared volume is damaged", where=self.home, hint="remove the folder: it is made again"
            ) from error
        return array


class Writer:
    """Puts arrays into a folder that is being made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Keep an array under a name."""
        np.save(self._folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


Make = Callable[[Writer], Mapping[str, Any]]


def keep(cache: Path, files: Iterable[Path], form: str, make: Make) -> Kept:
    """What was made of these files before, or make it now.

    Args:
        cache: folder of the task; safe to delete.
        files: what it is made of: their sizes and times tell whether it still holds.
        form: how it is made.
        make: puts the arrays and returns facts (JSON).

    Raises:
        MachineError: when the disk is full or cannot be written.
    """
    key = fingerprint(f"{_VERSION} {form}", [(path, str(path)) for path in files])
    home = cache / "medical-imaging" / key
    with locked(home.with_suffix(".lock")):
        found = _found(home)
        if found is not None:
            return found
        scratch = home.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with machine_errors(scratch):
                scratch.mkdir(parents=True)
                facts = make(Writer(scratch))
                sums = {path.name: _checksum(path) for path in sorted(scratch.glob("*.npy"))}
                write_json(scratch / _INDEX, {"facts": dict(facts), "checksums": sums})
                shutil.rmtree(home, ignore_errors=True)
                scratch.rename(home)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        # As JSON gives it back, so that the first opening sees what later ones do.
        return Kept(home, json.loads(json.dumps(dict(facts))))


def _found(home: Path) -> Kept | None:
    """What is kept there; None when there is nothing or it is damaged."""
    try:
        index = read_json(home / _INDEX)
        facts, sums = dict(index["facts"]), dict(index["checksums"])
        intact = all(_checksum(home / name) == value for name, value in sums.items())
    except (AssayError, OSError, ValueError, KeyError, TypeError):
        return None
    return Kept(home, facts) if intact else None


def _checksum(path: Path) -> str:
    """CRC-32 of a file: damage is what it has to tell, not malice."""
    total = 0
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            total = zlib.crc32(piece, total)
    return f"{total:08x}"

"""CTranslate2's ``model.bin``: named arrays, one after the other. Headers are read, files are written array by array.

Source: ``ModelSpec._serialize`` of CTranslate2 4 (binary version 6) for the form, the same with fewer fields before 4.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError

_VERSION = 6
_OLDEST = 4
"""Before this version arrays have no type, and their headers are not read."""
_KINDS = ("float32", "int8", "int16", "int32", "float16", "bfloat16")
_SIZES = (4, 1, 2, 4, 2, 2)
_MOST_NAME = 1024
_MOST_VARIABLES = 1_000_000
_MOST_KIND = 50


@dataclass(frozen=True, slots=True)
class Variable:
    """One array of a file.

    Attributes:
        kind: type of its numbers, such as ``int8``.
        offset: where its bytes begin.
    """

    shape: tuple[int, ...]
    kind: str
    offset: int

    @property
    def count(self) -> int:
        """Numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """What a file says of itself.

    Attributes:
        kind: architecture, as the library calls it.
        variables: its arrays by name; empty for a file of an old version.
    """

    path: Path
    kind: str
    variables: Mapping[str, Variable]

    def number(self, name: str) -> int | None:
        """A whole number kept as an array of its own; None when there is none of that name."""
        found = self.variables.get(name)
        if found is None or found.count != 1 or not found.kind.startswith("int"):
            return None
        with self.path.open("rb") as stream:
            stream.seek(found.offset)
            return int(np.frombuffer(stream.read(np.dtype(found.kind).itemsize), found.kind)[0])


def kind_of(path: Path) -> str | None:
    """The architecture that a model file names after its version; None when it is no such file."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if len(head) < 8:
        return None
    length = struct.unpack_from("<H", head, 4)[0]
    name = head[6 : 6 + length - 1]
    return name.decode("ascii") if 1 < length <= _MOST_KIND and name.isalnum() and name.isascii() else None


def read_header(path: Path) -> ModelHeader:
    """Names, shapes and places of a file's arrays; the arrays themselves are not read.

    Raises:
        InvalidInputError: when it is no such file, or is cut off.
    """
    kind = kind_of(path)
    if kind is None:
        raise InvalidInputError("not a model file of CTranslate2", where=path)
    size = path.stat().st_size
    with path.open("rb") as stream:
        try:
            (version,) = _take(stream, "<I")
            _text(stream)
            _, count = _take(stream, "<II")
            if version < _OLDEST:
                return ModelHeader(path, kind, {})
            if count > _MOST_VARIABLES:
                raise ValueError(f"{count} arrays")
            variables = dict(_variable(stream, size) for _ in range(count))
        except (struct.error, ValueError, IndexError) as error:
            raise InvalidInputError(
                "the model file is cut off or damaged", where=path, found=str(error), hint="copy or convert it again"
            ) from error
    return ModelHeader(path, kind, variables)


def write_model(
    target: Path,
    kind: str,
    revision: int,
    makers: Mapping[str, Callable[[], NDArray[Any]]],
    wrote: Callable[[float], object] = lambda amount: None,
) -> None:
    """Write a file, one array in memory at a time.

    Args:
        target: the file.
        kind: architecture, as the library calls it.
        revision: of that architecture's names.
        makers: what makes each array, by its name; called in the order of the names.
        wrote: told the bytes of each array.
    """
    with target.open("wb") as stream:
        stream.write(struct.pack("<I", _VERSION) + _string(kind) + struct.pack("<II", revision, len(makers)))
        for name, make in sorted(makers.items()):
            value = np.asarray(make(), order="C")
            stream.write(_string(name) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape))
            stream.write(struct.pack("<BI", _KINDS.index(value.dtype.name), value.nbytes))
            stream.write(value.data)
            wrote(value.nbytes)
        # What follows are second names of arrays; there are none.
        stream.write(struct.pack("<I", 0))


def _variable(stream: IO[bytes], size: int) -> tuple[str, Variable]:
    name = _text(stream)
    (rank,) = _take(stream, "<B")
    shape = _take(stream, f"<{rank}I")
    kind, length = _take(stream, "<BI")
    found = Variable(tuple(shape), _KINDS[kind], stream.tell())
    if length != found.count * _SIZES[kind] or found.offset + length > size:
        raise ValueError(f"{name} ends after the file, or has another size than its shape")
    stream.seek(length, 1)
    return name, found


def _take(stream: IO[bytes], form: str) -> tuple[int, ...]:
    return struct.unpack(form, stream.read(struct.calcsize(form)))


def _text(stream: IO[bytes]) -> str:
    (length,) = _take(stream, "<H")
    raw = stream.read(length)
    if not 0 < length <= _MOST_NAME or len(raw) != length:
        raise ValueError("a name has no end")
    return raw[:-1].decode("utf-8")


def _string(value: str) -> bytes:
    raw = value.encode("utf-8")
    return struct.pack("<H", len(raw) + 1) + raw + b"\0"

"""GGUF files: what the header says, read with bounds, without the engine.

Source: ggml-org/ggml, docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InvalidInputError, NotFoundError

MAGIC = b"GGUF"
ALIGNMENT = 32
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Format of :mod:`struct` for each type of value but strings and arrays."""
_MOST_ENTRIES = 100_000
_MOST_ITEMS = 4_000_000
_MOST_TEXT = 16 << 20
_MOST_DIMS = 4


@dataclass(frozen=True, slots=True)
class GgmlType:
    """How numbers of a tensor are packed: ``block`` values in ``size`` bytes."""

    name: str
    block: int
    size: int


TYPES = {
    0: GgmlType("F32", 1, 4),
    1: GgmlType("F16", 1, 2),
    2: GgmlType("Q4_0", 32, 18),
    3: GgmlType("Q4_1", 32, 20),
    6: GgmlType("Q5_0", 32, 22),
    7: GgmlType("Q5_1", 32, 24),
    8: GgmlType("Q8_0", 32, 34),
    9: GgmlType("Q8_1", 32, 36),
    10: GgmlType("Q2_K", 256, 84),
    11: GgmlType("Q3_K", 256, 110),
    12: GgmlType("Q4_K", 256, 144),
    13: GgmlType("Q5_K", 256, 176),
    14: GgmlType("Q6_K", 256, 210),
    15: GgmlType("Q8_K", 256, 292),
    30: GgmlType("BF16", 1, 2),
}
"""By the number in the file. Source: ggml.h, ``ggml_type``, and the blocks of ggml-common.h."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where a tensor lies.

    Attributes:
        shape: as numpy has it, the fastest dimension last.
        kind: number of its :class:`GgmlType`.
        offset: of its first byte in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def count(self) -> int:
        """Values it has."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def nbytes(self) -> int | None:
        """Bytes in the file; None when the type is not known."""
        form = TYPES.get(self.kind)
        return None if form is None else -(-self.count // form.block) * form.size


@dataclass(frozen=True, slots=True)
class Gguf:
    """Header of a file.

    Attributes:
        metadata: value of each key; arrays are lists.
        kinds: type of each key's value: one number, or ``(ARRAY, type of items)``.
        tensors: by name, in the order of the file.
    """

    path: Path
    metadata: Mapping[str, Any]
    kinds: Mapping[str, tuple[int, ...]]
    tensors: Mapping[str, TensorInfo]

    @property
    def architecture(self) -> str:
        """Such as ``llama``; empty when the file does not say."""
        return str(self.metadata.get("general.architecture", ""))

    def number(self, key: str) -> int | None:
        """A whole number of the architecture, such as ``context_length``."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_gguf(path: Path) -> Gguf:
    """Read the header of a file and check that its tensors lie inside it.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no GGUF file, or is cut off.
    """
    if not path.is_file():
        raise NotFoundError("the model is not there", where=path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(path, data).header()
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise InvalidInputError("not a GGUF file", where=path, found=str(error)) from error


class _Reader:
    """Walks through a header; every length is held against what is left of the file."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._at = 0

    def header(self) -> Gguf:
        """The whole header."""
        if self._take(4) != MAGIC:
            raise InvalidInputError("not a GGUF file", where=self._path, expected="GGUF in its first four bytes")
        version = self._number("I")
        if version not in (2, 3):
            raise self._wrong("a GGUF file of another version", expected="2 or 3", found=str(version))
        tensors, entries = self._number("Q"), self._number("Q")
        if tensors > _MOST_ENTRIES or entries > _MOST_ENTRIES:
            raise self._wrong("too many entries", found=f"{tensors} tensors, {entries} keys")
        metadata: dict[str, Any] = {}
        kinds: dict[str, tuple[int, ...]] = {}
        for _ in range(entries):
            key = self._text()
            kinds[key], metadata[key] = self._value(self._number("I"))
        infos = [self._info() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 16:
            raise self._wrong("the alignment is wrong", found=str(alignment))
        start = -(-self._at // alignment) * alignment
        placed = {info.name: self._placed(info, start) for info in infos}
        return Gguf(self._path, metadata, kinds, placed)

    def _info(self) -> TensorInfo:
        name, dims = self._text(), self._number("I")
        if dims > _MOST_DIMS:
            raise self._wrong(f"tensor {name[:60]!r} has too many dimensions", found=str(dims))
        shape = tuple(reversed([self._number("Q") for _ in range(dims)]))
        return TensorInfo(name, shape, self._number("I"), self._number("Q"))

    def _placed(self, info: TensorInfo, start: int) -> TensorInfo:
        offset, nbytes = start + info.offset, info.nbytes
        if offset + (nbytes or 0) > len(self._data):
            raise self._wrong(
                f"the file is cut off: tensor {info.name[:60]!r} ends behind it",
                expected=f"at least {offset + (nbytes or 0):,} bytes",
                found=f"{len(self._data):,} bytes",
            )
        return TensorInfo(info.name, info.shape, info.kind, offset)

    def _value(self, kind: int) -> tuple[tuple[int, ...], Any]:
        if kind == STRING:
            return (kind,), self._text()
        if kind != ARRAY:
            return (kind,), self._number(self._form(kind))
        items, count = self._number("I"), self._number("Q")
        if items == ARRAY or count > _MOST_ITEMS:
            raise self._wrong("an array of the header is nested or too long", found=f"{count} items")
        if items == STRING:
            return (kind, items), [self._text() for _ in range(count)]
        form = self._form(items)
        raw = self._take(count * struct.calcsize(f"<{form}"))
        return (kind, items), list(struct.unpack(f"<{count}{form}", raw))

    def _form(self, kind: int) -> str:
        if kind not in SCALARS:
            raise self._wrong("a value of unknown type", found=str(kind))
        return SCALARS[kind]

    def _number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self._take(struct.calcsize(f"<{form}")))[0]

    def _text(self) -> str:
        size = self._number("Q")
        if size > _MOST_TEXT:
            raise self._wrong("a text of the header is too long", found=f"{size:,} bytes")
        return self._take(size).decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise self._wrong("the file is cut off in its header", found=f"{len(self._data):,} bytes")
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece

    def _wrong(self, what: str, *, expected: str | None = None, found: str | None = None) -> InvalidInputError:
        return InvalidInputError(what, where=self._path, expected=expected, found=found, hint="get the file again")

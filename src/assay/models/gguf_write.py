"""Writes GGUF files of single precision. Source: ggml-org/ggml, docs/gguf.md, version 3, little-endian."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from assay.models.gguf import ALIGNMENT, ARRAY, MAGIC, SCALARS, STRING

_VERSION = 3
_F32 = 0


def write_gguf(
    target: Path,
    metadata: Mapping[str, Any],
    kinds: Mapping[str, tuple[int, ...]],
    shapes: Mapping[str, tuple[int, ...]],
    values: Iterable[NDArray[np.float32]],
) -> None:
    """Write a file, one tensor in memory at a time.

    Args:
        target: the file.
        metadata: value of each key.
        kinds: type of each value, as :class:`~assay.models.gguf.Gguf` has it.
        shapes: shape of each tensor by name, the fastest dimension last.
        values: the tensors, in that order.
    """
    with target.open("wb") as stream:
        stream.write(MAGIC + struct.pack("<IQQ", _VERSION, len(shapes), len(metadata)))
        for key, value in metadata.items():
            stream.write(_text(key) + _value(kinds[key], value))
        offset = 0
        for name, shape in shapes.items():
            stream.write(_text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape)))
            stream.write(struct.pack("<IQ", _F32, offset))
            offset += -(-math.prod(shape) * 4 // ALIGNMENT) * ALIGNMENT
        for tensor in values:
            _align(stream)
            stream.write(np.ascontiguousarray(tensor, "<f4").tobytes())
        _align(stream)


def _value(kind: tuple[int, ...], value: Any) -> bytes:
    if kind[0] == STRING:
        return struct.pack("<I", STRING) + _text(value)
    if kind[0] != ARRAY:
        return struct.pack(f"<I{SCALARS[kind[0]]}", kind[0], value)
    head = struct.pack("<IIQ", ARRAY, kind[1], len(value))
    if kind[1] == STRING:
        return head + b"".join(_text(item) for item in value)
    return head + struct.pack(f"<{len(value)}{SCALARS[kind[1]]}", *value)


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(raw)) + raw


def _align(stream: IO[bytes]) -> None:
    stream.write(bytes(-stream.tell() % ALIGNMENT))

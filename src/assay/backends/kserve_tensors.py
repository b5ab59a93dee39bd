"""Tensors as the KServe v2 protocol carries them: names of types, shapes, and bytes in both directions.

Source: Open Inference Protocol (kserve/open-inference-protocol), "Tensor Data" and its binary tensor data extension:
row-major, little-endian, strings each with its length in four bytes before it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError

_TYPES: dict[str, type[np.generic]] = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}
_MOST_DIMENSIONS = 32
MOST_BYTES = (1 << 31) - 1
"""Largest answer that is read: what one gRPC message can hold."""


def datatype_of(dtype: np.dtype[np.generic]) -> str:
    """The protocol's name of an array's type, such as ``FP32``."""
    return _NAMES[dtype]


def read_specs(raw: Any, where: str, kind: str) -> tuple[TensorSpec, ...]:
    """Inputs or outputs of a model as its metadata describes them.

    Args:
        raw: the metadata's list of objects with ``name``, ``datatype`` and ``shape``.
        where: of the server and model, for errors.
        kind: ``inputs`` or ``outputs``.

    Raises:
        InvalidInputError: when there are none, or one is of a type that numpy does not have.
    """
    if not isinstance(raw, list) or not raw:
        raise InvalidInputError(
            f"the server does not say which {kind} the model has",
            where=where,
            expected=f"a list of {kind} in the model's metadata",
            hint="declare inputs and outputs in the model's settings on the server",
        )
    return tuple(_spec(item, where, kind) for item in raw)


def check_inputs(arrays: Sequence[Array], specs: Sequence[TensorSpec]) -> None:
    """Refuse arrays that the model does not take, before anything is sent.

    Raises:
        InvalidInputError: naming what is expected and what was given.
    """
    if len(arrays) == len(specs) and all(
        array.dtype == spec.dtype and _fits(array.shape, spec.shape) for array, spec in zip(arrays, specs, strict=True)
    ):
        return
    raise InvalidInputError(
        "the model on the server does not take these inputs",
        expected=_listed((spec.name, spec.dtype, spec.shape) for spec in specs),
        found=_listed(("", array.dtype, array.shape) for array in arrays) or "no arrays",
    )


def to_bytes(array: Array) -> bytes | memoryview:
    """The bytes of an array, not copied where it is contiguous."""
    if array.dtype == np.object_:
        return b"".join(_with_length(item) for item in array.ravel())
    flat = np.ascontiguousarray(array)
    return flat.reshape(-1).data.cast("B") if flat.size else b""


def from_bytes(raw: bytes | memoryview, datatype: Any, shape: Any, name: str) -> Array:
    """The array of an output that came as bytes.

    Raises:
        RunFailedError: when type, shape and length do not go together.
    """
    dtype, sizes = _type(datatype, name), _sizes(shape, name)
    count = math.prod(sizes)
    if dtype == np.object_:
        return _strings(bytes(raw), count, name).reshape(sizes)
    if len(raw) != count * dtype.itemsize:
        raise broken(
            f"output {name!r} of the server is of another size than it says",
            expected=f"{count * dtype.itemsize} bytes for {datatype} {list(sizes)}",
            found=f"{len(raw)} bytes",
        )
    return np.frombuffer(raw, dtype).reshape(sizes)


def from_values(values: Any, datatype: Any, shape: Any, name: str) -> Array:
    """The array of an output that came as a list of values.

    Raises:
        RunFailedError: when type, shape and values do not go together.
    """
    dtype, sizes = _type(datatype, name), _sizes(shape, name)
    try:
        array = np.asarray(values, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise broken(f"output {name!r} of the server holds what is no {datatype}", found=str(error)[:100]) from error
    if array.size != math.prod(sizes):
        raise broken(
            f"output {name!r} of the server has another number of values than its shape",
            expected=str(list(sizes)),
            found=f"{array.size} values",
        )
    return array.reshape(sizes)


def in_order(found: Mapping[str, Array], specs: Sequence[TensorSpec]) -> tuple[Array, ...]:
    """The outputs of one answer in the model's order, checked against its metadata.

    Raises:
        RunFailedError: for one that is missing, or of another type or shape.
    """
    arrays = []
    for spec in specs:
        array = found.get(spec.name)
        if array is None:
            raise broken(f"the server's answer lacks output {spec.name!r}", found=", ".join(found)[:200] or "nothing")
        if array.dtype != spec.dtype or not _fits(array.shape, spec.shape):
            raise broken(
                f"output {spec.name!r} of the server is not what its metadata says",
                expected=_listed([(spec.name, spec.dtype, spec.shape)]),
                found=_listed([(spec.name, array.dtype, array.shape)]),
            )
        arrays.append(array)
    return tuple(arrays)


def broken(what: str, *, expected: str | None = None, found: str | None = None) -> RunFailedError:
    """An error of a server's answer."""
    return RunFailedError(what, expected=expected, found=found, hint="look at the server's log")


def printable(text: str, most: int = 300) -> str:
    """What a server said, on one line of bounded length."""
    return "".join(char if char.isprintable() else " " for char in text[:most]).strip()


def most_bytes(specs: Sequence[TensorSpec], batch: int, factor: int) -> int:
    """Bytes that an answer may have: what its known shapes make, or the most there is."""
    total = 0
    for spec in specs:
        sizes = (batch, *spec.shape[1:]) if spec.shape and spec.shape[0] == -1 else spec.shape
        if min(sizes, default=0) < 0 or spec.dtype == np.object_:
            return MOST_BYTES
        total += math.prod(sizes) * spec.dtype.itemsize
    return min(MOST_BYTES, total * factor + (1 << 20))


def _spec(item: Any, where: str, kind: str) -> TensorSpec:
    try:
        name, datatype = str(item["name"]), str(item["datatype"])
        shape = tuple(-1 if int(size) < 1 else int(size) for size in item.get("shape", ()))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InvalidInputError(
            f"the server describes the model's {kind} in no form that is known", where=where, found=repr(item)[:200]
        ) from error
    if datatype not in _TYPES:
        raise InvalidInputError(
            f"{name!r} of the model's {kind} is of a type that cannot be sent",
            where=where,
            expected=", ".join(_TYPES),
            found=printable(datatype, 40),
        )
    return TensorSpec(name, np.dtype(_TYPES[datatype]), shape)


def _type(datatype: Any, name: str) -> np.dtype[np.generic]:
    dtype = _TYPES.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        raise broken(f"output {name!r} of the server is of an unknown type", found=repr(datatype)[:60])
    return np.dtype(dtype)


def _sizes(shape: Any, name: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in shape)
    except (TypeError, ValueError):
        sizes = (-1,)
    if min(sizes, default=0) < 0 or len(sizes) > _MOST_DIMENSIONS or math.prod(sizes) > MOST_BYTES:
        raise broken(f"output {name!r} of the server has no usable shape", found=repr(shape)[:60])
    return sizes


def _fits(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    pairs = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(want in (-1, have) for have, want in pairs)


def _with_length(item: Any) -> bytes:
    content = item if isinstance(item, bytes) else str(item).encode()
    return struct.pack("<I", len(content)) + content


def _strings(raw: bytes, count: int, name: str) -> Array:
    found: list[bytes] = []
    place = 0
    while place + 4 <= len(raw) and len(found) < count:
        (length,) = struct.unpack_from("<I", raw, place)
        place += 4 + length
        found.append(raw[place - length : place])
    if len(found) != count or place != len(raw):
        raise broken(f"output {name!r} of the server holds another number of strings", expected=str(count))
    array = np.empty(count, np.object_)
    array[:] = found
    return array


def _listed(items: Any) -> str:
    return ", ".join(f"{name} {dtype} {list(shape)}".strip() for name, dtype, shape in items)

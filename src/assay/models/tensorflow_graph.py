"""Frozen TensorFlow graphs (``graph.pb``) read without TensorFlow: nodes, their inputs, attributes and constants.

A GraphDef is a protocol buffer; the few messages that a frozen graph uses are walked here, field by field, with every
length checked against the bytes there are.

Source of the numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types}.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

_MAX_BYTES = 512 << 20
_MAX_NODES = 100_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DTYPES: dict[int, str] = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?"}
# Where a tensor keeps its values when they are few: field, form on the wire.
_VALUES = {"<f4": (5, "<f"), "<f8": (6, "<d"), "<i4": (7, ""), "u1": (7, ""), "<i2": (7, ""), "i1": (7, "")}
_VALUES |= {"<i8": (10, ""), "?": (11, "")}

Field = tuple[int, int, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph.

    Attributes:
        inputs: names of the tensors it takes, such as ``conv`` or ``switch:1``; control inputs are left out.
        attributes: by name; tensors as arrays, shapes as tuples, types as numbers, lists as tuples.
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]


def read_graph(path: Path) -> dict[str, Node]:
    """The nodes of a frozen graph by name, in the file's order.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no GraphDef, cut off, or holds a tensor that is not what it says.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise InvalidInputError("the graph is too large", where=path, expected=f"at most {format_size(_MAX_BYTES)}")
        raw = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError("the graph is not there", where=path) from error
    try:
        nodes = [_node(value) for number, form, value in _fields(raw) if (number, form) == (1, _BYTES)]
    except (ValueError, IndexError, KeyError, struct.error, TypeError, OverflowError) as error:
        raise InvalidInputError(
            f"not a frozen TensorFlow graph: {error}", where=path, expected="a binary GraphDef (graph.pb)"
        ) from error
    found = {node.name: node for node in nodes}
    if not nodes or len(nodes) > _MAX_NODES or len(found) != len(nodes) or not all(n.operation for n in nodes):
        raise InvalidInputError("not a frozen TensorFlow graph", where=path, expected="1 to 100,000 named nodes")
    return found


def _fields(raw: bytes) -> Iterator[Field]:
    """The fields of a message: number, form on the wire, value."""
    position, end = 0, len(raw)
    while position < end:
        key, position = _varint(raw, position)
        number, form = key >> 3, key & 7
        value: Any
        if form == _VARINT:
            value, position = _varint(raw, position)
        elif form in (_FIXED64, _FIXED32):
            size = 8 if form == _FIXED64 else 4
            value, position = raw[position : position + size], position + size
        elif form == _BYTES:
            size, position = _varint(raw, position)
            value, position = raw[position : position + size], position + size
        else:
            raise ValueError(f"a field of the unknown form {form}")
        if position > end or not number:
            raise ValueError("a field reaches beyond the end")
        yield number, form, value


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of more than ten bytes")


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >= 1 << 63 else value


def _node(raw: bytes) -> Node:
    name = operation = ""
    inputs: list[str] = []
    attributes: dict[str, Any] = {}
    for number, _, value in _fields(raw):
        if number == 1:
            name = value.decode()
        elif number == 2:
            operation = value.decode()
        elif number == 3 and not value.startswith(b"^"):
            inputs.append(value.decode())
        elif number == 5:
            entry = {field: inner for field, _, inner in _fields(value)}
            attributes[entry[1].decode()] = _attribute(entry.get(2, b""))
    return Node(name, operation, tuple(inputs), attributes)


def _attribute(raw: bytes) -> Any:
    for number, form, value in _fields(raw):
        if number == 1:
            return _list(value)
        if number == 8:
            return _tensor(value)
        if number == 7:
            return _shape(value)
        return _scalar(number, form, value)
    return None


def _list(raw: bytes) -> tuple[Any, ...]:
    items: list[Any] = []
    for number, form, value in _fields(raw):
        if form == _BYTES and number in (3, 5, 6):
            items += [_signed(item) for item in _packed(value)]
        elif form == _BYTES and number == 4:
            items += [item[0] for item in struct.iter_unpack("<f", value)]
        elif number == 7:
            items.append(_shape(value))
        elif number == 8:
            items.append(_tensor(value))
        else:
            items.append(_scalar(number, form, value))
    return tuple(items)


def _scalar(number: int, form: int, value: Any) -> Any:
    if form == _VARINT:
        return bool(value) if number == 5 else _signed(value)
    if form == _FIXED32:
        return struct.unpack("<f", value)[0]
    return bytes(value)


def _packed(raw: bytes) -> Iterator[int]:
    position = 0
    while position < len(raw):
        value, position = _varint(raw, position)
        yield value


def _shape(raw: bytes) -> tuple[int, ...] | None:
    """Edges of a shape, -1 for free ones; None when even their number is unknown."""
    edges: list[int] = []
    for number, form, value in _fields(raw):
        if number == 3 and form == _VARINT and value:
            return None
        if number == 2:
            edges.append(next((_signed(inner) for field, _, inner in _fields(value) if field == 1), 0))
    return tuple(edges)


def _tensor(raw: bytes) -> NDArray[Any] | None:
    """A constant; None for a type that is no number."""
    fields = list(_fields(raw))
    kind = next((value for number, _, value in fields if number == 1), 0)
    if kind not in _DTYPES:
        return None
    shape = next((_shape(value) for number, _, value in fields if number == 2), ()) or ()
    count = math.prod(shape)
    if any(edge < 0 for edge in shape) or count * 8 > _MAX_BYTES:
        raise ValueError("a constant has an impossible shape")
    dtype = np.dtype(_DTYPES[kind])
    content = next((value for number, _, value in fields if number == 4), b"")
    if content:
        return np.frombuffer(content, dtype).reshape(shape)
    values = _few(fields, _DTYPES[kind])
    if len(values) > max(count, 1):
        raise ValueError("a constant has more values than its shape says")
    # The last value stands for all that follow it.
    filled = np.zeros(count, dtype)
    if values:
        filled[: len(values)] = np.array(values[:count]).astype(dtype)
        filled[len(values) :] = filled[min(len(values), count) - 1] if count else 0
    return filled.reshape(shape)


def _few(fields: list[Field], dtype: str) -> list[Any]:
    wanted, packing = _VALUES[dtype]
    values: list[Any] = []
    for number, form, value in fields:
        if number != wanted:
            continue
        if packing:
            values += [item[0] for item in struct.iter_unpack(packing, value)]
        elif form == _BYTES:
            values += [_signed(item) for item in _packed(value)]
        else:
            values.append(_signed(value))
    return values

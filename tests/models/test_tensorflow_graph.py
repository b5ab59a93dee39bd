"""Graphs written here field by field, as TensorFlow writes them, without TensorFlow."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError, NotFoundError
from assay.models.tensorflow_graph import read_graph


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def attribute(name: str, value: bytes) -> bytes:
    return text(5, text(1, name) + text(2, value))


def shape(*edges: int) -> bytes:
    return b"".join(text(2, number(1, edge)) for edge in edges)


def node(name: str, operation: str, *inputs: str, attributes: bytes = b"") -> bytes:
    return text(1, text(1, name) + text(2, operation) + b"".join(text(3, item) for item in inputs) + attributes)


def tensor(kind: int, edges: tuple[int, ...], values: bytes) -> bytes:
    return text(8, number(1, kind) + text(2, shape(*edges)) + values)


def graph(path: Path, *nodes: bytes) -> Path:
    path.write_bytes(b"".join(nodes) + text(4, number(1, 27)))
    return path


def test_nodes_inputs_and_attributes(tmp_path: Path) -> None:
    strides = text(1, text(3, varint(1) + varint(2) + varint(-1)))
    found = read_graph(
        graph(
            tmp_path / "graph.pb",
            node("x", "Placeholder", attributes=attribute("shape", text(7, shape(-1, 8)))),
            node("y", "Conv3D", "x", "w:1", "^x", attributes=attribute("strides", strides)),
            node("z", "Relu", "y", attributes=attribute("T", number(6, 1)) + attribute("padding", text(2, b"SAME"))),
            node("s", "S", attributes=attribute("f", varint(4 << 3 | 5) + struct.pack("<f", 0.5))),
            node("t", "T", attributes=attribute("b", number(5, 1)) + attribute("i", number(3, -3))),
            node("u", "U", attributes=attribute("shape", text(7, number(3, 1))) + attribute("none", b"")),
        )
    )
    assert list(found) == ["x", "y", "z", "s", "t", "u"]
    assert found["x"].attributes == {"shape": (-1, 8)}
    assert (found["y"].inputs, found["y"].attributes) == (("x", "w:1"), {"strides": (1, 2, -1)})
    assert found["z"].attributes == {"T": 1, "padding": b"SAME"}
    assert found["s"].attributes == {"f": 0.5}
    assert found["t"].attributes == {"b": True, "i": -3}
    assert found["u"].attributes == {"shape": None, "none": None}


@pytest.mark.parametrize(
    ("kind", "edges", "values", "expected"),
    [
        (1, (2, 2), text(4, struct.pack("<4f", 1, 2, 3, 4)), [[1, 2], [3, 4]]),
        (1, (3,), text(5, struct.pack("<2f", 1, 2)), [1, 2, 2]),
        (1, (), varint(5 << 3 | 5) + struct.pack("<f", 7), 7),
        (3, (2,), number(7, 5) + number(7, -6), [5, -6]),
        (3, (4,), number(7, 9), [9, 9, 9, 9]),
        (9, (2,), text(10, varint(1) + varint(-1)), [1, -1]),
        (10, (), number(11, 1), True),
        (1, (2,), b"", [0, 0]),
    ],
    ids=["bytes", "last repeated", "scalar", "integers", "one for all", "packed", "boolean", "zeros"],
)
def test_constants_in_every_form(
    tmp_path: Path, kind: int, edges: tuple[int, ...], values: bytes, expected: object
) -> None:
    path = graph(tmp_path / "g.pb", node("c", "Const", attributes=attribute("value", tensor(kind, edges, values))))
    value = read_graph(path)["c"].attributes["value"]
    assert value.shape == edges
    assert np.array_equal(value, np.array(expected))


def test_constants_of_text_are_left_out(tmp_path: Path) -> None:
    path = graph(tmp_path / "g.pb", node("c", "Const", attributes=attribute("value", tensor(7, (), text(8, b"x")))))
    assert read_graph(path)["c"].attributes["value"] is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"\x80\x04pickle",
        bytes(100),
        node("a", "A")[:-1],
        node("a", "A") + node("a", "B"),
        node("a", ""),
        node("c", "C", attributes=attribute("value", tensor(1, (2, 2), text(4, bytes(12))))),
        node("c", "C", attributes=attribute("value", tensor(1, (1 << 40, 8), b""))),
        node("c", "C", attributes=attribute("value", tensor(1, (-2,), b""))),
        node("c", "C", attributes=attribute("value", tensor(3, (1,), number(7, 1) + number(7, 2)))),
        text(1, text(1, b"\xff\xfe") + text(2, "A")),
        b"\xff" * 12,
    ],
    ids=range(13),
)
def test_what_is_no_graph(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(raw)
    with pytest.raises(InvalidInputError) as caught:
        read_graph(path)
    assert caught.value.where == str(path)
    with pytest.raises(NotFoundError):
        read_graph(tmp_path / "none.pb")


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damage_is_told_and_never_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.pb"
    whole = node("c", "Const", attributes=attribute("value", tensor(1, (2,), text(4, bytes(8))))) + node(
        "r", "Relu", "c"
    )
    path.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    try:
        found = read_graph(path)
    except InvalidInputError:
        return
    assert found

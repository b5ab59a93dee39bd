from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.backends.kserve_tensors import (
    MOST_BYTES,
    check_inputs,
    datatype_of,
    from_bytes,
    from_values,
    in_order,
    most_bytes,
    printable,
    read_specs,
    to_bytes,
)
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError, RunFailedError

NUMBERS = (
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_go_there_and_back(name: str) -> None:
    array = np.arange(12).reshape(3, 4).astype(name)
    kind = datatype_of(array.dtype)
    assert np.array_equal(from_bytes(bytes(to_bytes(array)), kind, [3, 4], "x"), array)
    assert np.array_equal(from_values(array.ravel().tolist(), kind, ["3", "4"], "x"), array)


def test_an_array_that_is_not_contiguous_is_sent_in_its_order() -> None:
    array = np.arange(12, dtype=np.int32).reshape(3, 4)[:, ::2]
    assert np.array_equal(from_bytes(bytes(to_bytes(array)), "INT32", [3, 2], "x"), array)
    assert bytes(to_bytes(np.empty((0, 4), np.float32))) == b""


@given(st.lists(st.binary(max_size=9), max_size=5))
def test_strings_go_there_and_back(items: list[bytes]) -> None:
    array = np.empty(len(items), np.object_)
    array[:] = items
    assert from_bytes(bytes(to_bytes(array)), "BYTES", [len(items)], "x").tolist() == items


def test_text_is_sent_as_utf8() -> None:
    array = np.array(["für"], np.object_)
    assert from_bytes(bytes(to_bytes(array)), "BYTES", [1], "x")[0] == "für".encode()


@pytest.mark.parametrize(
    ("raw", "kind", "shape"),
    [
        (b"1234", "FP32", [2]),
        (b"12345", "FP32", [1]),
        (b"1234", "FP33", [1]),
        (b"1234", None, [1]),
        (b"1234", "FP32", [-1]),
        (b"1234", "FP32", "x"),
        (b"1234", "FP32", None),
        (b"", "FP32", [1 << 40]),
        (b"\xff\xff\xff\xff", "BYTES", [1]),
        (b"\x01\x00\x00\x00a", "BYTES", [2]),
        (b"\x01\x00\x00\x00ab", "BYTES", [1]),
    ],
)
def test_bytes_that_do_not_fit_their_shape_are_refused(raw: bytes, kind: Any, shape: Any) -> None:
    with pytest.raises(RunFailedError):
        from_bytes(raw, kind, shape, "x")


@pytest.mark.parametrize("values", [[1.0], ["a", "b"], None, [[1], [2, 3]], {"a": 1}])
def test_values_that_do_not_fit_their_shape_are_refused(values: Any) -> None:
    with pytest.raises(RunFailedError):
        from_values(values, "FP32", [2], "x")


def test_metadata_is_read_and_checked() -> None:
    specs = read_specs([{"name": "a", "datatype": "FP16", "shape": ["-1", 3]}], "there", "inputs")
    assert specs == (TensorSpec("a", np.dtype(np.float16), (-1, 3)),)
    for raw in (None, [], {}, [{"name": "a"}], [3], [{"name": "a", "datatype": "BF16", "shape": [1]}]):
        with pytest.raises(InvalidInputError) as caught:
            read_specs(raw, "there", "inputs")
        assert caught.value.where == "there"


def test_outputs_are_put_in_order_and_held_to_the_metadata() -> None:
    specs = tuple(TensorSpec(name, np.dtype(np.float32), (-1, 2)) for name in "ab")
    a, b = np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)
    assert in_order({"b": b, "a": a}, specs) == (a, b)
    for found in ({"a": a}, {"a": a, "b": b[:, :1]}, {"a": a, "b": b.astype(np.float64)}, {"a": a, "b": b[0]}):
        with pytest.raises(RunFailedError, match="output"):
            in_order(found, specs)


def test_inputs_are_held_to_the_metadata() -> None:
    spec = TensorSpec("a", np.dtype(np.int64), (-1, 2))
    check_inputs((np.zeros((5, 2), np.int64),), (spec,))
    with pytest.raises(InvalidInputError) as caught:
        check_inputs((np.zeros((5, 3), np.int64),), (spec,))
    assert "[-1, 2]" in (caught.value.expected or "")


def test_an_answer_is_bounded_by_its_shape() -> None:
    known = TensorSpec("a", np.dtype(np.float32), (-1, 10))
    assert most_bytes((known,), 4, 1) == 160 + (1 << 20)
    for shape in ((-1, -1), (-1,)):
        open_ended = TensorSpec("a", np.dtype(np.object_ if shape == (-1,) else np.float32), shape)
        assert most_bytes((known, open_ended), 4, 1) == MOST_BYTES


def test_what_a_server_says_is_one_short_line() -> None:
    assert printable("a\x1b[2J\nb" + "x" * 1000, 9) == "a [2J bxx"

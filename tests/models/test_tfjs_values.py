"""Which layout a value lies in, and what counts as a weight or a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from assay.models.tfjs_convert import Converter

from .tfjs_graphs import POOL, X, graph_of, integers, one, refused, run, text

CONSTANTS = {
    "number": np.array(2.5),
    "per channel": np.array([1.0, 2.0, 3.0]),
    "image": np.ones((1, 6, 5, 3)) * 4,
    "row": np.ones((1, 1, 1, 3)) * 3,
}


@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("planar", [False, True], ids=["plain", "planar"])
def test_constants_go_with_images_in_both_layouts(name: str, planar: bool) -> None:
    pool: dict[str, Any] = {"padding": text("SAME"), "strides": integers(1, 1, 1, 1), "ksize": integers(1, 1, 1, 1)}
    first = [("p", "MaxPool", ["x"], pool)] if planar else []
    nodes = [*first, ("y", "Sub", ["c", "p" if planar else "x"], {})]
    assert np.allclose(run(graph_of(nodes, {"c": CONSTANTS[name]})), CONSTANTS[name] - X, atol=1e-6)


def test_channels_are_joined_in_either_layout() -> None:
    pool: dict[str, Any] = {"padding": text("SAME"), "strides": integers(1, 1, 1, 1), "ksize": integers(1, 1, 1, 1)}
    nodes: list[Any] = [("p", "MaxPool", ["x"], pool), ("y", "ConcatV2", ["p", "p", "axis"], {})]
    assert np.allclose(run(graph_of(nodes, {"axis": 3})), np.concatenate([X, X], axis=3))
    nodes[1] = ("y", "ConcatV2", ["p", "x", "axis"], {})
    assert np.allclose(run(graph_of(nodes, {"axis": 3})), np.concatenate([X, X], axis=3))


def transpositions(nodes: list[Any], weights: dict[str, Any] | None = None) -> int:
    """How many a graph comes out with."""
    converter = Converter(graph_of(nodes, weights), "test")
    name = converter.plain(converter.convert(nodes[-1][0]))
    converter.graph.named("Identity", [name], ["result"])
    model = converter.graph.finish([helper.make_tensor_value_info("result", TensorProto.FLOAT, [None] * 4)])
    return sum(node.op_type == "Transpose" for node in model.graph.node)


def test_a_chain_of_images_is_transposed_at_its_ends_only() -> None:
    chain: list[Any] = [
        ("a", "MaxPool", ["x"], POOL),
        ("b", "Relu", ["a"], {}),
        ("c", "Mul", ["b", "k"], {}),
        ("d", "MaxPool", ["c"], POOL),
        ("y", "ConcatV2", ["d", "a", "axis"], {}),
    ]
    assert transpositions(chain, {"k": np.ones(3), "axis": 3}) == 2


def test_a_value_is_transposed_once() -> None:
    twice: list[Any] = [("a", "MaxPool", ["x"], POOL), ("b", "MaxPool", ["x"], POOL), ("y", "Add", ["a", "b"], {})]
    assert transpositions(twice) == 2
    assert np.allclose(run(graph_of(twice)), 2 * X)


def test_a_constant_of_two_dimensions_goes_with_no_image() -> None:
    """It is added as TensorFlow adds it, to the last two."""
    table = np.arange(15.0).reshape(5, 3)
    nodes = [("a", "MaxPool", ["x"], POOL), ("y", "Add", ["a", "t"], {})]
    assert np.allclose(run(graph_of(nodes, {"t": table})), X + table, atol=1e-6)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"k": np.ones((3, 2))}, "no weight of 4 dimensions: node 'y', Conv2D"),
        ({"k": np.ones((0, 1, 3, 2))}, "no weight of 4 dimensions"),
        ({}, "input 1 is missing"),
    ],
    ids=["rank", "empty", "missing"],
)
def test_a_weight_that_is_none_is_told(weights: dict[str, Any], said: str) -> None:
    graph = one("Conv2D", *weights, weights=weights, padding=text("SAME"), strides=integers(1, 1, 1, 1))
    assert said in refused(graph).what


@pytest.mark.parametrize(
    "shape", [np.ones(2), np.ones(20, np.int64), np.ones(0, np.int64)], ids=["float", "many", "no"]
)
def test_numbers_that_are_none_are_told(shape: Any) -> None:
    assert "a few whole numbers" in refused(one("Reshape", "s", weights={"s": shape})).what

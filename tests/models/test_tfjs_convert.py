"""Each operation against what TensorFlow documents of it, reckoned in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.models.tfjs import TfGraph
from assay.models.tfjs_convert import Converter

from .tfjs_graphs import Floats, X, graph_of, integers, kind, one, refused, run, text, texts


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("Relu", np.maximum(X, 0)),
        ("Relu6", np.clip(X, 0, 6)),
        ("Sigmoid", 1 / (1 + np.exp(-X))),
        ("Identity", X),
    ],
    ids=["relu", "relu6", "sigmoid", "identity"],
)
def test_element_by_element(op: str, expected: Floats) -> None:
    assert np.allclose(run(one(op)), expected, atol=1e-6)


def test_the_best_their_places_and_what_lies_there() -> None:
    nodes: list[Any] = [
        ("flat", "Reshape", ["x", "shape"], {}),
        ("top", "TopKV2", ["flat", "k"], {}),
        ("row", "FloorDiv", ["top:1", "three"], {"T": kind("DT_INT32")}),
        ("column", "FloorMod", ["top:1", "three"], {"T": kind("DT_INT32")}),
        ("sum", "AddV2", ["row", "column"], {}),
        ("y", "Cast", ["sum"], {"DstT": kind("DT_FLOAT")}),
    ]
    weights = {"shape": [1, -1], "k": 5, "three": 3}
    places = np.argsort(-X.reshape(1, -1), axis=1)[:, :5]
    assert np.array_equal(run(graph_of(nodes, weights), rank=2), places // 3 + places % 3)
    values = graph_of([*nodes[:2], ("y", "ExpandDims", ["top", "two"], {})], {**weights, "two": 2})
    assert np.allclose(run(values, rank=3)[:, :, 0], -np.sort(-X.reshape(1, -1))[:, :5])
    gathered = graph_of([("y", "GatherV2", ["x", "rows", "axis"], {})], {"rows": [2, 0], "axis": 1})
    assert np.allclose(run(gathered), X[:, [2, 0]])


def test_division_goes_down() -> None:
    nodes: list[Any] = [
        ("whole", "Cast", ["x"], {"DstT": kind("DT_INT32")}),
        ("part", "FloorDiv", ["whole", "two"], {"T": kind("DT_INT32")}),
        ("y", "Cast", ["part"], {"DstT": kind("DT_FLOAT")}),
    ]
    value = np.float32(X * 10)
    assert np.array_equal(run(graph_of(nodes, {"two": 3}), value), np.trunc(value) // 3)
    nodes = [("y", "FloorDiv", ["x", "c"], {"T": kind("DT_FLOAT")})]
    assert np.array_equal(run(graph_of(nodes, {"c": 0.7})), np.floor(X / np.float32(0.7)))


def test_comparison_gives_truth() -> None:
    nodes: list[Any] = [("same", "Equal", ["x", "c"], {}), ("y", "Cast", ["same"], {"DstT": kind("DT_FLOAT")})]
    same = np.isclose(X, X[0, 0, 0, 0], rtol=0, atol=0)
    assert np.array_equal(run(graph_of(nodes, {"c": float(X[0, 0, 0, 0])})), same.astype(np.float32))


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ({}, X[0:1, 1:4, 0:5:2]),
        ({"begin_mask": {"i": "2"}, "end_mask": {"i": "6"}}, X[0:1, :, 0::2]),
        ({"shrink_axis_mask": {"i": "2"}}, X[0:1, 1, 0:5:2]),
    ],
    ids=["bounds", "masks", "shrink"],
)
def test_slices(masks: dict[str, Any], expected: Floats) -> None:
    weights = {"begin": [0, 1, 0], "end": [1, 4, 5], "step": [1, 1, 2]}
    graph = one("StridedSlice", "begin", "end", "step", weights=weights, **masks)
    assert np.array_equal(run(graph, rank=expected.ndim), expected)


def test_a_free_batch() -> None:
    kernel = np.random.default_rng(4).standard_normal((1, 1, 3, 2))
    graph = one("Conv2D", "k", weights={"k": kernel}, padding=text("SAME"), strides=integers(1, 1, 1, 1))
    many = np.concatenate([X, X * 2, X * 3])
    assert np.allclose(run(graph, many, batch="batch"), many @ kernel[0, 0], atol=1e-5)


# ---- what is not converted


def test_an_unknown_operation_is_named_with_its_node() -> None:
    error = refused(one("Softmax"))
    assert "Softmax of node 'y'" in error.what
    assert error.where == "model.json"
    assert "Conv2D" in str(error.expected)


def test_a_circle_is_no_endless_loop() -> None:
    graph = graph_of([("a", "Add", ["x", "b"], {}), ("b", "Add", ["a", "x"], {})])
    assert "circle" in refused(graph).what


def test_a_node_that_is_not_there() -> None:
    assert "no node 'z'" in refused(one("Add", "z")).what
    assert "no output 'p:1'" in refused(graph_of([("p", "Relu", ["x"], {}), ("y", "Relu", ["p:1"], {})])).what


def test_only_one_input_is_converted() -> None:
    graph = one("Relu")
    with pytest.raises(InvalidInputError, match="one input"):
        Converter(TfGraph(graph.nodes, {}, {"x": (1,), "z": (1,)}, ("y",), Path("m")), "test")


PLAIN: dict[str, Any] = {"padding": text("SAME"), "strides": integers(1, 1, 1, 1)}
KERNEL = {"k": np.ones((1, 1, 3, 2)), "b": np.ones(2)}


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (one("Conv2D", "k", weights={"k": np.ones((1, 1, 4, 2))}, **PLAIN), "the kernel does not fit"),
        (one("DepthwiseConv2dNative", "k", weights={"k": np.ones((1, 1, 2, 2))}, **PLAIN), "the kernel does not fit"),
        (one("Conv2D", "k", weights={"k": np.ones((3, 2))}, **PLAIN), "no weight of 4 dimensions"),
        (one("Conv2D", "x", **PLAIN), "no weight of 4 dimensions"),
        (one("Conv2D", **PLAIN), "input 1 is missing"),
        (one("_FusedConv2D", "k", "b", weights=KERNEL, fused_ops=texts("Elu"), **PLAIN), "Elu is not known"),
        (
            one(
                "_FusedConv2D",
                "k",
                "b",
                weights={**KERNEL, "b": np.ones(3)},
                fused_ops=texts("BiasAdd"),
                **PLAIN,
            ),
            "the bias does not fit",
        ),
        (one("Conv2D", "k", weights=KERNEL, **{**PLAIN, "padding": text("EXPLICIT")}), "padding is not known"),
        (one("Conv2D", "k", weights=KERNEL, **PLAIN, data_format=text("NCHW")), "only NHWC"),
        (one("Conv2D", "k", weights=KERNEL, **{**PLAIN, "strides": integers(1, 0, 0, 1)}), "strides is wrong"),
        (one("MaxPool", padding=text("VALID"), strides=integers(1, 1, 1, 1), ksize=integers(1, 9, 9, 1)), "window"),
        (one("Mean", "axes", weights={"axes": [3]}, keep_dims={"b": True}), "only the mean over height and width"),
        (one("ResizeBilinear", "s", weights={"s": [2, 2]}, align_corners={"b": True}), "without aligned corners"),
        (one("ResizeBilinear", "s", weights={"s": [0, 2]}), "only bilinear scaling"),
        (one("Reshape", "x"), "no constant of a few whole numbers"),
        (one("Reshape", "s", weights={"s": np.ones(2)}), "no constant of a few whole numbers"),
        (one("Add", "c", weights={"c": np.ones(4)}), "do not go together"),
        (one("Cast", DstT=kind("DT_STRING")), "this type is not known"),
        (one("FloorMod", "c", weights={"c": 2.0}, T=kind("DT_FLOAT")), "whole numbers only"),
        (one("GatherV2", "r", "r", weights={"r": 0}, batch_dims={"i": "1"}), "within a batch"),
        (one("StridedSlice", "r", "r", "r", weights={"r": [1]}, ellipsis_mask={"i": "1"}), "ellipsis"),
        (one("StridedSlice", "r", "r", "s", weights={"r": [1], "s": [-1]}), "bounds"),
    ],
    ids=range(22),
)
def test_what_is_not_known_is_told_with_the_node(graph: TfGraph, said: str) -> None:
    error = refused(graph)
    assert said in error.what
    assert "'y'" in error.what

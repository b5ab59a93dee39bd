"""Each operation against what TensorFlow documents of it, reckoned in numpy."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from assay.errors import InvalidInputError
from assay.models.tfjs import TfGraph, TfNode
from assay.models.tfjs_convert import Converter

Floats = NDArray[np.float32]
X: Floats = np.random.default_rng(1).standard_normal((1, 6, 5, 3)).astype(np.float32)


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def texts(*values: str) -> dict[str, Any]:
    return {"list": {"s": [base64.b64encode(value.encode()).decode() for value in values]}}


def integers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def kind(name: str) -> dict[str, str]:
    return {"type": name}


def graph_of(
    nodes: Sequence[tuple[str, str, Sequence[str], Mapping[str, Any]]],
    weights: Mapping[str, Any] | None = None,
    shape: tuple[int, ...] = X.shape,
) -> TfGraph:
    """A graph with the input ``x``; weights are constants."""
    made = {name: np.asarray(value) for name, value in (weights or {}).items()}
    made = {name: value.astype(np.int32 if value.dtype.kind == "i" else np.float32) for name, value in made.items()}
    all_nodes = {"x": TfNode("x", "Placeholder", (), {})}
    all_nodes |= {name: TfNode(name, "Const", (), {}) for name in made}
    all_nodes |= {name: TfNode(name, op, tuple(inputs), attributes) for name, op, inputs, attributes in nodes}
    return TfGraph(all_nodes, made, {"x": shape}, (nodes[-1][0],), Path("model.json"))


def run(graph: TfGraph, value: Floats = X, *, batch: str | None = None, rank: int = 4) -> NDArray[Any]:
    """What the converted graph gives."""
    converter = Converter(graph, "test", batch=batch)
    (output,) = graph.outputs
    converter.graph.named("Identity", [converter.plain(converter.convert(output))], ["result"])
    model = converter.graph.finish([helper.make_tensor_value_info("result", TensorProto.FLOAT, [None] * rank)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": value})[0])


def one(op: str, *others: str, weights: Mapping[str, Any] | None = None, **attributes: Any) -> TfGraph:
    """A graph of one operation on the input."""
    return graph_of([("y", op, ["x", *others], attributes)], weights)


def refused(graph: TfGraph) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        run(graph)
    return caught.value


def windows(value: Floats, size: tuple[int, int], step: int, fill: float, *, same: bool) -> Floats:
    """Windows of every place, ``(1, height, width, channels, *size)``."""
    widths = [(0, 0)] * 4
    for axis in (1, 2):
        out = -(-value.shape[axis] // step)
        total = max((out - 1) * step + size[axis - 1] - value.shape[axis], 0) if same else 0
        widths[axis] = (total // 2, total - total // 2)
    padded = np.pad(value, widths, constant_values=fill)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))[:, ::step, ::step])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("step", [1, 2])
def test_convolution(padding: str, step: int) -> None:
    random = np.random.default_rng(2)
    kernel, bias = random.standard_normal((3, 2, 3, 4)), random.standard_normal(4)
    graph = one(
        "_FusedConv2D",
        "k",
        "b",
        weights={"k": kernel, "b": bias},
        padding=text(padding),
        strides=integers(1, step, step, 1),
        fused_ops=texts("BiasAdd", "Relu6"),
        data_format=text("NHWC"),
    )
    seen = windows(X, (3, 2), step, 0, same=padding == "SAME")
    expected = np.clip(np.einsum("nhwcij,ijcf->nhwf", seen, kernel) + bias, 0, 6)
    assert np.allclose(run(graph), expected, atol=1e-5)


def test_depthwise_convolution_with_two_outputs_for_each_channel() -> None:
    kernel = np.random.default_rng(3).standard_normal((3, 3, 3, 2))
    graph = one("DepthwiseConv2dNative", "k", weights={"k": kernel}, padding=text("SAME"), strides=integers(1, 1, 1, 1))
    expected = np.einsum("nhwcij,ijcm->nhwcm", windows(X, (3, 3), 1, 0, same=True), kernel).reshape(1, 6, 5, 6)
    assert np.allclose(run(graph), expected, atol=1e-5)


def test_pooling_pads_with_nothing() -> None:
    graph = one("MaxPool", padding=text("SAME"), strides=integers(1, 2, 2, 1), ksize=integers(1, 3, 3, 1))
    below = X - 10
    expected = windows(below, (3, 3), 2, -np.inf, same=True).max(axis=(-1, -2))
    assert np.allclose(run(graph, below), expected)


def test_mean_over_height_and_width() -> None:
    graph = one("Mean", "axes", weights={"axes": [1, 2]}, keep_dims={"b": True})
    assert np.allclose(run(graph), X.mean(axis=(1, 2), keepdims=True), atol=1e-6)


def test_scaling_takes_places_from_the_corner() -> None:
    graph = one("ResizeBilinear", "size", weights={"size": [12, 10]})
    rows, columns = (np.minimum(np.arange(2 * size) / 2, size - 1) for size in X.shape[1:3])
    y, x = rows.astype(int), columns.astype(int)
    down, right = np.minimum(y + 1, 5), np.minimum(x + 1, 4)
    part = (rows - y)[:, None, None], (columns - x)[None, :, None]
    top = X[0][y][:, x] * (1 - part[1]) + X[0][y][:, right] * part[1]
    bottom = X[0][down][:, x] * (1 - part[1]) + X[0][down][:, right] * part[1]
    assert np.allclose(run(graph)[0], top * (1 - part[0]) + bottom * part[0], atol=1e-5)


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

"""The converter on a graph of deepbrain's form made small; the real one is in the journey tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import correlate

from assay.errors import InvalidInputError
from assay.models.deepbrain import build_deepbrain
from assay.models.slabs import in_slabs

from .slab_nets import answer
from .test_tensorflow_graph import attribute, graph, node, tensor, text, varint

RANDOM = np.random.default_rng(8)
FIRST = RANDOM.standard_normal((3, 3, 3, 1, 2)).astype(np.float32)
SECOND = RANDOM.standard_normal((3, 3, 3, 2, 2)).astype(np.float32)
UP = RANDOM.standard_normal((3, 3, 3, 1, 2)).astype(np.float32)
LAST = RANDOM.standard_normal((1, 1, 1, 3, 1)).astype(np.float32)
BIAS = np.array([0.25, -0.5], np.float32)


def constant(name: str, value: Any) -> bytes:
    array = np.asarray(value)
    kind = 1 if array.dtype == np.float32 else 3
    return node(name, "Const", attributes=attribute("value", tensor(kind, array.shape, text(4, array.tobytes()))))


def steps(padding: str, *strides: int) -> bytes:
    packed = text(1, text(3, b"".join(varint(step) for step in strides)))
    return attribute("padding", text(2, padding)) + attribute("strides", packed)


def pool(*strides: int) -> bytes:
    return steps("VALID", *strides) + attribute("ksize", text(1, text(3, b"".join(map(varint, (1, 2, 2, 2, 1))))))


def small(path: Path, *, merged: str = "Identity", stride: int = 1, last: str = "Sigmoid") -> Path:
    """Convolution, bias, ReLU, pooling, dropout that depends on training, transposed convolution, concatenation."""
    return graph(
        path,
        node("img", "PlaceholderWithDefault", "data"),
        node("training", "PlaceholderWithDefault", "yes"),
        constant("k1", FIRST),
        node("k1/read", "Identity", "k1"),
        constant("b1", BIAS),
        node("conv", "Conv3D", "img", "k1/read", attributes=steps("SAME", 1, stride, stride, stride, 1)),
        node("bias", "BiasAdd", "conv", "b1"),
        node("relu", "Relu", "bias"),
        node("pool", "MaxPool3D", "relu", attributes=pool(1, 2, 2, 2, 1)),
        node("switch", "Switch", "pool", "training"),
        node("dropped", "Mul", "switch:1", "noise"),
        node("kept", merged, "switch"),
        node("merge", "Merge", "dropped", "kept"),
        constant("k2", UP),
        constant("shape", np.array([0], np.int32)),
        node("up", "Conv3DBackpropInputV2", "shape", "k2", "merge", attributes=steps("SAME", 1, 2, 2, 2, 1)),
        constant("axis", np.array(-1, np.int32)),
        node("concat", "ConcatV2", "up", "relu", "axis"),
        constant("k3", LAST),
        node("out", "Conv3D", "concat", "k3", attributes=steps("SAME", 1, 1, 1, 1, 1)),
        node("prob", last, "out"),
    )


def by_hand(volume: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    relu = np.stack([correlate(volume, FIRST[..., 0, c], mode="constant") + BIAS[c] for c in range(2)])
    relu = np.maximum(relu, 0)
    pooled = relu.reshape(2, 4, 2, 4, 2, 4, 2).max(axis=(2, 4, 6))
    # The gradient of a SAME convolution of stride 2: each voxel spreads over three, the last of which falls off the end.
    up = np.zeros((9, 9, 9))
    for i, j, k in np.ndindex(4, 4, 4):
        spread = np.einsum("dhwc,c->dhw", UP[..., 0, :], pooled[:, i, j, k])
        up[2 * i : 2 * i + 3, 2 * j : 2 * j + 3, 2 * k : 2 * k + 3] += spread
    joined = np.concatenate([up[None, :8, :8, :8], relu])
    return np.asarray(1 / (1 + np.exp(-np.einsum("cdhw,c->dhw", joined, LAST[0, 0, 0, :, 0]))))


def test_every_operation_is_what_tensorflow_does(tmp_path: Path) -> None:
    model = build_deepbrain(small(tmp_path / "graph.pb"), size=8)
    volumes = np.random.default_rng(9).random((2, 8, 8, 8, 1), np.float32)
    found = answer(model, volumes)
    assert found.shape == volumes.shape
    for row in range(2):
        assert np.allclose(found[row, ..., 0], by_hand(volumes[row, ..., 0]), atol=1e-5)


def test_nothing_of_training_is_left(tmp_path: Path) -> None:
    model = build_deepbrain(small(tmp_path / "graph.pb"), size=8)
    assert {n.op_type for n in model.graph.node} == {
        "Transpose", "Conv", "Add", "Relu", "MaxPool", "ConvTranspose", "Concat", "Sigmoid",
    }  # fmt: skip
    assert [item.name for item in model.graph.input] == ["img"]


def test_in_slabs_the_answer_is_the_same(tmp_path: Path) -> None:
    path = small(tmp_path / "graph.pb")
    plain = build_deepbrain(path, size=8)
    cut = in_slabs(plain, 4096)
    assert len(cut.graph.node) > 2 * len(plain.graph.node)
    volumes = np.random.default_rng(9).random((2, 8, 8, 8, 1), np.float32)
    assert np.allclose(answer(cut, volumes), answer(plain, volumes), atol=1e-5)


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    path = small(tmp_path / "graph.pb")
    one, two = (build_deepbrain(path, size=8).SerializeToString(deterministic=True) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"merged": "Sqrt"}, "free of training"),
        ({"stride": 2}, "strides of node 'conv'"),
        ({"last": "Softplus"}, "Softplus"),
    ],
    ids=["merge", "stride", "operation"],
)
def test_another_graph_is_refused(tmp_path: Path, change: dict[str, Any], word: str) -> None:
    path = small(tmp_path / "graph.pb", **change)
    with pytest.raises(InvalidInputError, match=word) as caught:
        build_deepbrain(path, size=8)
    assert caught.value.where == str(path)


def test_a_graph_without_the_names_or_in_circles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no node 'img'"):
        build_deepbrain(graph(tmp_path / "a.pb", node("x", "Relu")), size=8)
    with pytest.raises(InvalidInputError, match="no input"):
        build_deepbrain(graph(tmp_path / "b.pb", node("img", "Const"), node("prob", "Sigmoid", "img")), size=8)
    circle = graph(tmp_path / "c.pb", node("img", "Placeholder"), node("prob", "Identity", "prob"))
    with pytest.raises(InvalidInputError, match="circles"):
        build_deepbrain(circle, size=8)
    knot = graph(tmp_path / "d.pb", node("img", "Placeholder"), node("prob", "Relu", "r"), node("r", "Relu", "prob"))
    with pytest.raises(InvalidInputError, match="circles"):
        build_deepbrain(knot, size=8)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from assay.errors import InvalidInputError
from assay.models.slabs import in_slabs
from assay.models.slabs_mark import holds_slabs
from assay.models.unet3d import build_unet3d
from assay.models.unet3d_graph import VolumeGraph

from .slab_nets import SIZE, answer, count, net

LAYER = 4 * SIZE**3
"""Bytes of one channel."""


@pytest.mark.parametrize("most", [3 * LAYER, 2 * LAYER, LAYER])
@pytest.mark.parametrize(("kernel", "ends"), [(3, 1), (2, 0)])
def test_the_answer_is_the_same(most: int, kernel: int, ends: int) -> None:
    model = net(kernel=kernel, ends=ends)
    cut = in_slabs(model, most)
    assert np.allclose(answer(cut), answer(model), atol=1e-5)
    assert count(cut, "ConvTranspose") > 1
    assert cut.graph.output == model.graph.output
    assert cut.graph.input == model.graph.input


@pytest.fixture(scope="module")
def unet() -> onnx.ModelProto:
    """MLPerf's 3D U-Net with few channels and three levels."""
    return build_unet3d(3, filters=(4, 8, 8), size=32)


@pytest.mark.parametrize("most", [2 << 20, 1 << 20, 300_000, 100_000])
def test_the_3d_unet_answers_the_same(unet: onnx.ModelProto, most: int) -> None:
    """To the rounding of fp32: as far from the plain graph as that is from itself in double precision."""
    volumes = np.random.default_rng(1).uniform(-2.3, 2.6, (2, 1, 32, 32, 32)).astype(np.float32)
    plain, found = answer(unet, volumes), answer(in_slabs(unet, most), volumes)
    assert np.abs(found - plain).max() <= 1e-5 * np.abs(plain).max()
    assert np.array_equal(found.argmax(axis=1), plain.argmax(axis=1))


def test_the_model_is_marked_and_the_engine_finds_the_mark(unet: onnx.ModelProto, tmp_path: Path) -> None:
    for name, model in (("plain", unet), ("cut", in_slabs(unet, 300_000))):
        onnx.save(model, tmp_path / name)
    assert holds_slabs(tmp_path / "cut")
    assert not holds_slabs(tmp_path / "plain")


def test_layers_that_keep_nothing_are_never_whole(unet: onnx.ModelProto) -> None:
    """No tensor of the highest level is put together but the answer, and each piece is as small as asked."""
    most = 300_000
    cut = in_slabs(unet, most)
    graph = onnx.shape_inference.infer_shapes(cut).graph
    sizes = {
        value.name: 4 * int(np.prod([axis.dim_value for axis in value.type.tensor_type.shape.dim][1:]))
        for value in graph.value_info
    }
    assert max(sizes.values()) <= most + 2 * 4 * 4 * 32 * 32 * 4, "a piece with the rows around it"
    assert count(cut, "InstanceNormalization") < count(unet, "InstanceNormalization")


def test_small_layers_stay_as_they_are(unet: onnx.ModelProto) -> None:
    cut = in_slabs(unet, 300_000)
    kept = [node for node in unet.graph.node if node in list(cut.graph.node)]
    assert any(node.op_type == "Concat" for node in kept)
    assert len(cut.graph.initializer) > len(unet.graph.initializer) - 24
    used = {name for node in cut.graph.node for name in node.input}
    assert all(item.name in used for item in cut.graph.initializer)


@pytest.mark.parametrize("opset", [13, 18])
def test_graphs_of_other_opsets(unet: onnx.ModelProto, opset: int) -> None:
    """The official file is of an older one; reductions take their axes in another way since 18."""
    model = onnx.ModelProto()
    model.CopyFrom(unet)
    model.opset_import[0].version = opset
    volumes = np.random.default_rng(2).random((1, 1, 32, 32, 32), np.float32)
    assert np.allclose(answer(in_slabs(model, 300_000), volumes), answer(unet, volumes), atol=1e-4)


def test_the_model_that_was_given_stays() -> None:
    model = net()
    before = model.SerializeToString(deterministic=True)
    first, second = (in_slabs(model, LAYER).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    assert model.SerializeToString(deterministic=True) == before


def flat(*nodes: Any, constants: dict[str, Any] | None = None) -> onnx.ModelProto:
    """Nodes from ``volume`` to ``answer`` of the same shape."""
    graph = VolumeGraph("flat", "volume", (1, SIZE, SIZE, SIZE))
    for name, value in (constants or {}).items():
        graph.constant(np.asarray(value), name)
    for operation, inputs, output, attributes in nodes:
        graph.node(operation, inputs, output, **attributes)
    return graph.model("answer", (1, SIZE, SIZE, SIZE))


CONV = {"kernel_shape": [3, 3, 3], "pads": [1] * 6}
KERNEL = {"kernel": np.random.default_rng(7).standard_normal((1, 1, 3, 3, 3))}


def test_without_large_layers_it_stays_as_it_is() -> None:
    model = net()
    assert in_slabs(model, 100 * LAYER) is model


def test_a_large_layer_in_an_unknown_operation_is_refused() -> None:
    model = flat(("Conv", ["volume", "kernel"], "x", CONV), ("Softplus", ["x"], "answer", {}), constants=KERNEL)
    with pytest.raises(InvalidInputError, match="takes a large layer") as caught:
        in_slabs(model, LAYER // 2)
    assert caught.value.found == "Softplus"


@pytest.mark.parametrize("constant", [2.5, [[2.5]], np.full((1, 1, 1, 1), 3.0)], ids=["number", "plane", "channel"])
def test_constants_that_are_the_same_for_all_rows(constant: Any) -> None:
    model = flat(
        ("Conv", ["volume", "kernel"], "x", CONV),
        ("Sub", ["factor", "x"], "y", {}),
        ("LeakyRelu", ["y"], "answer", {"alpha": 0.2}),
        constants={**KERNEL, "factor": constant},
    )
    cut = in_slabs(model, LAYER // 2)
    assert count(cut, "Sub") > 1
    assert np.allclose(answer(cut), answer(model), atol=1e-5)


def test_a_constant_that_differs_from_row_to_row_is_refused() -> None:
    model = flat(
        ("Conv", ["volume", "kernel"], "x", CONV),
        ("Add", ["x", "ramp"], "answer", {}),
        constants={**KERNEL, "ramp": np.arange(SIZE).reshape(SIZE, 1, 1)},
    )
    with pytest.raises(InvalidInputError, match="takes a large layer"):
        in_slabs(model, LAYER // 2)


def test_two_branches_are_added_row_by_row() -> None:
    model = flat(
        ("Conv", ["volume", "kernel"], "x", CONV),
        ("Add", ["x", "volume"], "y", {}),
        ("Mul", ["y", "x"], "answer", {}),
        constants=KERNEL,
    )
    assert np.allclose(answer(in_slabs(model, LAYER // 2)), answer(model), atol=1e-5)


def test_a_channel_by_channel_answer_is_put_together() -> None:
    graph = VolumeGraph("wide", "volume", (1, SIZE, SIZE, SIZE))
    one = graph.conv("volume", np.random.default_rng(1).standard_normal((1, 1, 3, 3, 3)))
    graph.node("Concat", ["volume", graph.node("Concat", [one, "volume"], axis=1)], "answer", axis=1)
    model = graph.model("answer", (3, SIZE, SIZE, SIZE))
    cut = in_slabs(model, LAYER // 2)
    assert np.allclose(answer(cut), answer(model), atol=1e-5)


def test_names_that_are_taken_are_left_alone() -> None:
    model = flat(
        ("Conv", ["volume", "kernel"], "x", CONV),
        ("Relu", ["x"], "x_row0", {}),
        ("Relu", ["x_row0"], "answer", {}),
        constants=KERNEL,
    )
    assert np.allclose(answer(in_slabs(model, LAYER // 2)), answer(model), atol=1e-5)


def test_branches_are_refused() -> None:
    inner = helper.make_graph(
        [helper.make_node("Identity", ["volume"], ["same"])],
        "inner",
        [],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, ["batch", 1, SIZE, SIZE, SIZE])],
    )
    both = {"then_branch": inner, "else_branch": inner}
    graph = VolumeGraph("branch", "volume", (1, SIZE, SIZE, SIZE))
    graph.node("If", [graph.node("Cast", [graph.constant(np.array(1.0))], to=TensorProto.BOOL)], "answer", **both)
    with pytest.raises(InvalidInputError, match="branches"):
        in_slabs(graph.model("answer", (1, SIZE, SIZE, SIZE)), 1)

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.slabs import in_slabs
from assay.models.unet3d_graph import VolumeGraph

SIZE = 8


def net(*, kernel: int = 3, ends: int = 1) -> onnx.ModelProto:
    """Down by pooling, up by a transposed convolution, beside what was there on the way down."""
    draw = np.random.default_rng(5).standard_normal
    graph = VolumeGraph("small", "volume", (1, SIZE, SIZE, SIZE))
    wide = graph.node("Relu", [graph.conv("volume", draw((2, 1, 3, 3, 3)))])
    low = graph.node("MaxPool", [wide], kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    up = graph.upconv(graph.conv(low, draw((3, 2, 3, 3, 3))), draw((3, 2, kernel, kernel, kernel)), None, ends=ends)
    both = graph.node("Concat", [up, wide], axis=1)
    added = graph.node("Add", [graph.conv(both, draw((2, 4, 3, 3, 3))), graph.constant(draw((2, 1, 1, 1)))])
    seen = graph.conv(graph.node("Relu", [added]), draw((2, 2, 5, 5, 5)), draw(2))
    last = graph.node("Sigmoid", [graph.conv(seen, draw((1, 2, 1, 1, 1)))])
    turned = graph.node("Transpose", [last], "answer", perm=[0, 2, 3, 4, 1])
    return graph.model(turned, (SIZE, SIZE, SIZE, 1))


def answer(model: onnx.ModelProto) -> NDArray[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    volumes = np.random.default_rng(6).random((2, 1, SIZE, SIZE, SIZE), np.float32)
    return np.asarray(session.run(["answer"], {"volume": volumes})[0])


@pytest.mark.parametrize("count", [1, 2, 3, SIZE, 2 * SIZE])
@pytest.mark.parametrize(("kernel", "ends"), [(3, 1), (2, 0)])
def test_the_answer_is_the_same(count: int, kernel: int, ends: int) -> None:
    model = net(kernel=kernel, ends=ends)
    cut = in_slabs(model, count)
    assert np.allclose(answer(cut), answer(model), atol=1e-5)
    assert sum(node.op_type == "ConvTranspose" for node in cut.graph.node) == min(count, SIZE)


def test_only_what_lies_behind_the_last_rise_is_cut() -> None:
    model = net()
    cut = in_slabs(model, 4)
    assert [node.name for node in cut.graph.node][:4] == [node.name for node in model.graph.node][:4]
    assert cut.graph.node[-1] == model.graph.node[-1]
    assert {node.op_type for node in cut.graph.node} == {node.op_type for node in model.graph.node} | {"Slice"}


def test_the_model_that_was_given_stays() -> None:
    model = net()
    before = model.SerializeToString(deterministic=True)
    in_slabs(model, 2)
    assert model.SerializeToString(deterministic=True) == before


def test_a_graph_that_does_not_rise_is_refused() -> None:
    graph = VolumeGraph("flat", "volume", (1, SIZE, SIZE, SIZE))
    graph.conv("volume", np.ones((1, 1, 3, 3, 3)), output="answer")
    with pytest.raises(InvalidInputError, match="no transposed convolution"):
        in_slabs(graph.model("answer", (1, SIZE, SIZE, SIZE)), 2)


def test_a_rise_with_rows_that_its_kernel_does_not_reach_is_refused() -> None:
    graph = VolumeGraph("gaps", "volume", (1, 4, 4, 4))
    kernel = graph.constant(np.ones((1, 1, 2, 2, 2)))
    shape = {"kernel_shape": [2, 2, 2], "strides": [4, 4, 4], "pads": [0] * 6}
    graph.node("Relu", [graph.node("ConvTranspose", ["volume", kernel], **shape)], "answer")
    with pytest.raises(InvalidInputError, match="cannot be computed in slabs"):
        in_slabs(graph.model("answer", (1, 14, 14, 14)), 7)

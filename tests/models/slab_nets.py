"""Small networks of the forms that are cut into slabs, and what they answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

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


def answer(model: onnx.ModelProto, volumes: NDArray[Any] | None = None) -> NDArray[Any]:
    """What a model gives for some volumes; for two of noise where none are given."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if volumes is None:
        volumes = np.random.default_rng(6).random((2, 1, SIZE, SIZE, SIZE), np.float32)
    return np.asarray(session.run(None, {model.graph.input[0].name: volumes})[0])


def count(model: onnx.ModelProto, operation: str) -> int:
    """How often an operation is in a graph."""
    return sum(node.op_type == operation for node in model.graph.node)

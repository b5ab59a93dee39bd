"""A classifier with next to nothing in it, to measure everything around a model."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper


def build_null_classifier(image: int = 224) -> onnx.ModelProto:
    """The graph: NCHW float32 ``input`` to a ``label``, the channel whose mean is largest."""
    source = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, image, image])
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["batch", 1])
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["means"], name="means"),
        helper.make_node("Flatten", ["means"], ["flat"], name="flat", axis=1),
        helper.make_node("ArgMax", ["flat"], ["label"], name="label", axis=1, keepdims=1),
    ]
    graph = helper.make_graph(nodes, "null-classifier", [source], [label])
    model = helper.make_model(graph, producer_name="assay", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model

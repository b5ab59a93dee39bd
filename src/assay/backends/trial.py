"""A model that does nothing, on which an engine's options are tried before anything is fetched."""

from __future__ import annotations


def trial_model() -> bytes:
    """An ONNX model that hands its input on."""
    # Costs a third of a second to import, and is wanted only where somebody gives engine options.
    from onnx import TensorProto, helper

    value, answer = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "trial", [value], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content

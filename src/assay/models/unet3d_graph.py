"""Building ONNX graphs of three-dimensional convolutions; batch, channel, depth, height and width inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.models.graph import IR_VERSION, OPSET

Shape = tuple[int, ...]


class VolumeGraph:
    """An ONNX graph under construction; one float32 input and one float32 output, both with a free batch dimension.

    Args:
        name: of the graph.
        input_name: of the input.
        shape: of one input, without the batch.
    """

    def __init__(self, name: str, input_name: str, shape: Shape) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._input = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["batch", *shape])

    def node(self, operation: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns the output's name, made up when none is given."""
        output = output or f"{operation.lower()}_{len(self._nodes) + 1}"
        self._nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def constant(self, value: NDArray[Any], name: str = "") -> str:
        """A constant as float32; returns its name."""
        name = name or f"weight_{len(self._constants) + 1}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def conv(
        self, x: str, kernel: NDArray[Any], bias: NDArray[Any] | None = None, *, stride: int = 1, output: str = ""
    ) -> str:
        """A convolution that keeps the edges (divided by ``stride``); the kernel is ``(out, in, k, k, k)``, k odd."""
        names = [x, self.constant(kernel)] + ([] if bias is None else [self.constant(bias)])
        edges = list(kernel.shape[2:])
        pads = [edge // 2 for edge in edges]
        return self.node("Conv", names, output, kernel_shape=edges, strides=[stride] * 3, pads=pads + pads)

    def upconv(self, x: str, kernel: NDArray[Any], bias: NDArray[Any] | None, *, ends: int) -> str:
        """A transposed convolution that doubles the edges; ``(in, out, k, k, k)``, ``ends`` voxels cut off at the end."""
        names = [x, self.constant(kernel)] + ([] if bias is None else [self.constant(bias)])
        edges = list(kernel.shape[2:])
        return self.node(
            "ConvTranspose", names, kernel_shape=edges, strides=[2, 2, 2], pads=[0, 0, 0, ends, ends, ends]
        )

    def model(self, output: str, shape: Shape) -> onnx.ModelProto:
        """The finished, checked model."""
        info = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", *shape])
        graph = helper.make_graph(self._nodes, self._name, [self._input], [info], self._constants)
        model = helper.make_model(
            graph,
            producer_name="assay",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model)
        return model

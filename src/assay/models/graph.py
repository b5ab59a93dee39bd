"""Building ONNX graphs layer by layer, with every weight accounted for.

Batch normalisation is folded into the convolution before it, in double precision. The same weights always give the same
bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.errors import InvalidInputError

OPSET = 17
IR_VERSION = 8
"""Old enough for every engine release that reads opset 17."""


class Weights:
    """The tensors of a checkpoint, handed out by name; at the end every one must have been taken."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], where: Path | str) -> None:
        self._left = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
        self._where = where

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """One tensor, in double precision.

        Raises:
            InvalidInputError: when it is missing or of another shape.
        """
        value = self._left.pop(name, None)
        if value is None:
            raise InvalidInputError(
                f"tensor {name!r} is missing",
                where=self._where,
                hint="these weights are of another architecture",
            )
        if value.shape != shape:
            raise InvalidInputError(
                f"tensor {name!r} has another shape",
                where=self._where,
                expected=str(shape),
                found=str(value.shape),
            )
        if not np.isfinite(value).all():
            raise InvalidInputError(f"tensor {name!r} holds values that are no numbers", where=self._where)
        return value.astype(np.float64)

    def finish(self) -> None:
        """Check that nothing is left over.

        Raises:
            InvalidInputError: naming tensors that the architecture does not have.
        """
        if self._left:
            names = ", ".join(sorted(self._left)[:4])
            raise InvalidInputError(
                f"{len(self._left)} tensors that this architecture does not have: {names}", where=self._where
            )


class Graph:
    """An ONNX graph under construction; the image input is NCHW float32 with a free batch dimension.

    Args:
        name: of the graph.
        image: height and width of the input.
        input_name: of the input.
        shape: of the input, where it is another one; a name stands for a free dimension.
    """

    def __init__(
        self, name: str, image: int, input_name: str = "input", shape: Sequence[int | str] | None = None
    ) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        dims: list[int | str | None] = ["batch", 3, image, image] if shape is None else list(shape)
        self._input = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, dims)
        self._count = 0

    def constant(self, value: NDArray[Any], name: str) -> str:
        """A constant as float32."""
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def integers(self, values: int | Sequence[int]) -> str:
        """A constant of 64-bit integers, for shapes, axes and indices."""
        value = np.array(values, np.int64)
        name = "int_" + "_".join(str(item) for item in value.reshape(-1)) + ("" if value.ndim else "_scalar")
        if all(item.name != name for item in self._constants):
            self._constants.append(numpy_helper.from_array(value, name))
        return name

    def number(self, value: float) -> str:
        """A constant of one float32."""
        name = f"float_{value:.9g}"
        if all(item.name != name for item in self._constants):
            self.constant(np.array(value), name)
        return name

    def named(self, operation: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Add a node whose outputs have names of their own."""
        self._nodes.append(helper.make_node(operation, inputs, outputs, name=outputs[0], **attributes))

    def node(self, operation: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self._count += 1
        output = f"{operation.lower()}_{self._count}"
        self._nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def conv(
        self,
        x: str,
        kernel: NDArray[np.float64],
        bias: NDArray[np.float64],
        *,
        stride: int,
        pads: tuple[int, int, int, int],
        groups: int = 1,
    ) -> str:
        """A convolution; ``pads`` are top, left, bottom, right."""
        number = self._count + 1
        names = [
            x,
            self.constant(kernel, f"conv_{number}.weight"),
            self.constant(bias, f"conv_{number}.bias"),
        ]
        size = list(kernel.shape[2:])
        return self.node("Conv", names, kernel_shape=size, strides=[stride, stride], pads=list(pads), group=groups)

    def relu6(self, x: str) -> str:
        """Clip to 0..6."""
        for name, value in (("zero", 0.0), ("six", 6.0)):
            if all(item.name != name for item in self._constants):
                self.constant(np.array(value), name)
        return self.node("Clip", [x, "zero", "six"])

    def relu(self, x: str) -> str:
        """Clip below at 0."""
        return self.node("Relu", [x])

    def add(self, a: str, b: str) -> str:
        """Sum of two tensors."""
        return self.node("Add", [a, b])

    def pool_and_classify(
        self, x: str, weight: NDArray[np.float64], bias: NDArray[np.float64], output: str = "logits"
    ) -> str:
        """Global average, then a linear layer named ``output``; weight is ``(classes, features)``."""
        flat = self.node("Flatten", [self.node("GlobalAveragePool", [x])], axis=1)
        names = [flat, self.constant(weight, "classifier.weight"), self.constant(bias, "classifier.bias")]
        self._nodes.append(helper.make_node("Gemm", names, [output], name=output, transB=1))
        return output

    def model(self, output: str, classes: int) -> onnx.ModelProto:
        """The finished, checked model."""
        return self.finish([helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", classes])])

    def finish(self, outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """The finished, checked model with any outputs."""
        graph = helper.make_graph(self._nodes, self._name, [self._input], list(outputs), self._constants)
        model = helper.make_model(
            graph,
            producer_name="assay",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model)
        return model


def fold_norm(
    kernel: NDArray[np.float64], weights: Weights, norm: str, epsilon: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fold a batch normalisation into the convolution before it: new kernel and bias."""
    channels = (kernel.shape[0],)
    gamma, beta = weights.take(f"{norm}.weight", channels), weights.take(f"{norm}.bias", channels)
    mean, variance = (
        weights.take(f"{norm}.running_mean", channels),
        weights.take(f"{norm}.running_var", channels),
    )
    factor = gamma / np.sqrt(variance + epsilon)
    return kernel * factor.reshape(-1, 1, 1, 1), beta - mean * factor


def same_pads(size: int, kernel: int, stride: int) -> tuple[int, int, int, int]:
    """TensorFlow's SAME padding of a square image: top, left, bottom, right, the odd one at the end."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total // 2, total - total // 2, total - total // 2

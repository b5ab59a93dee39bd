"""Values of a TensorFlow graph on their way to ONNX, and the layouts that images among them lie in.

TensorFlow keeps images NHWC, ONNX's convolutions want NCHW. A value is kept in the layout it was made in and transposed
when another is asked for, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.tfjs import TfGraph, TfNode

Shape = tuple[int, ...]
"""As TensorFlow has it; -1 is a free dimension."""

_TO_PLANAR, _FROM_PLANAR = [0, 3, 1, 2], [0, 2, 3, 1]


@dataclass(slots=True)
class Value:
    """What a node gives.

    Attributes:
        plain: ONNX name in TensorFlow's layout; empty until somebody asks for it.
        planar: ONNX name as NCHW; empty where it is no image or nobody asked.
        shape: None where it depends on more than the graph says.
        constant: the value, where it is known.
    """

    plain: str = ""
    planar: str = ""
    shape: Shape | None = None
    constant: NDArray[Any] | None = None


class Values:
    """What was converted so far, by TensorFlow's names.

    Args:
        source: the TensorFlow.js graph.
        graph: the ONNX graph that grows.
        known: values that are there before anything is converted.
    """

    def __init__(self, source: TfGraph, graph: Graph, known: dict[str, Value]) -> None:
        self._source = source
        self.graph = graph
        self._values = known
        self._count = 0

    def plain(self, value: Value) -> str:
        """ONNX name of a value in TensorFlow's layout."""
        if not value.plain:
            if value.constant is not None:
                whole = value.constant.dtype.kind in "iu"
                value.plain = self.graph.integers(value.constant.tolist()) if whole else self._constant(value.constant)
            else:
                value.plain = self.graph.node("Transpose", [value.planar], perm=_FROM_PLANAR)
        return value.plain

    def planar(self, value: Value) -> str:
        """ONNX name of an image as NCHW."""
        if not value.planar:
            if value.constant is not None:
                value.planar = self._constant(_planar_constant(value.constant))
            else:
                value.planar = self.graph.node("Transpose", [value.plain], perm=_TO_PLANAR)
        return value.planar

    def _input(self, node: TfNode, number: int) -> Value:
        if number >= len(node.inputs):
            raise self._bad(node, f"input {number} is missing")
        return self._values[node.inputs[number]]

    def _image(self, node: TfNode) -> Value:
        value = self._input(node, 0)
        self._shape(node, value)
        return value

    def _shape(self, node: TfNode, value: Value) -> Shape:
        """The shape of an image, known but for the batch."""
        shape = value.shape
        if shape is None or len(shape) != 4 or min(shape[1:]) < 1:
            raise self._bad(node, "an image is needed", found=f"shape {shape}")
        return shape

    def _weight(self, node: TfNode, number: int, *, rank: int) -> NDArray[Any]:
        constant = self._input(node, number).constant
        if constant is None or constant.ndim != rank or not constant.size:
            found = "no constant" if constant is None else f"shape {constant.shape}"
            raise self._bad(node, f"input {number} is no weight of {rank} dimensions", found=found)
        return constant

    def _numbers(self, node: TfNode, number: int) -> list[int]:
        """A constant of a few whole numbers."""
        constant = self._input(node, number).constant
        if constant is None or constant.dtype.kind not in "iu" or constant.size > 16 or not constant.size:
            raise self._bad(node, f"input {number} is no constant of a few whole numbers")
        return [int(item) for item in constant.reshape(-1)]

    def _constant(self, value: NDArray[Any]) -> str:
        self._count += 1
        return self.graph.constant(value, f"constant_{self._count}")

    def _bad(self, node: TfNode, what: str, *, found: str | None = None) -> InvalidInputError:
        return InvalidInputError(f"{what}: node {node.name!r}, {node.op}", where=self._source.where, found=found)


def _planar_constant(value: NDArray[Any]) -> NDArray[Any]:
    """A constant that goes with an image, moved with it: a number, one for each channel, or an image itself."""
    if value.ndim == 4:
        return value.transpose(_TO_PLANAR)
    return value if value.ndim == 0 else value.reshape(-1, 1, 1)

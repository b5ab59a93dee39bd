"""From a TensorFlow.js graph to ONNX, operation by operation.

TensorFlow keeps images NHWC, ONNX's convolutions want NCHW. A value is kept in the layout it was made in and transposed
when another is asked for, once; element-wise operations stay in the layout of their images, so that a network of
convolutions comes out with a transposition at its input and at its end only. Whole numbers become 64 bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.tfjs import TfGraph, TfNode

Shape = tuple[int, ...]
"""As TensorFlow has it; -1 is a free dimension."""

_UNARY = {"Relu": "Relu", "Sigmoid": "Sigmoid", "Identity": "Identity"}
_BINARY = {"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "Equal": "Equal"}
_CASTS = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT64, "DT_BOOL": TensorProto.BOOL}
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


class Converter:
    """Converts what some outputs need.

    Args:
        source: the TensorFlow.js graph.
        name: of the ONNX graph.
        batch: name of the free batch dimension, in the place of the graph's own; only for parts of a graph that do not
            count on it.

    Raises:
        InvalidInputError: when the graph has another number of inputs than one.
    """

    def __init__(self, source: TfGraph, name: str, *, batch: str | None = None) -> None:
        if len(source.inputs) != 1:
            raise InvalidInputError(
                "only graphs with one input are converted", where=source.where, found=", ".join(source.inputs)
            )
        self._source = source
        self._count = 0
        ((feed, shape),) = source.inputs.items()
        dims: list[int | str] = [batch if batch and axis == 0 else size for axis, size in enumerate(shape)]
        self.graph = Graph(name, 0, feed, dims)
        self._values = {feed: Value(plain=feed, shape=(-1, *shape[1:]) if batch else shape)}
        self._emitters: dict[str, Callable[[TfNode], list[Value]]] = {
            **dict.fromkeys(_UNARY, self._unary),
            **dict.fromkeys(_BINARY, self._binary),
            **dict.fromkeys(("Conv2D", "_FusedConv2D"), self._conv),
            **dict.fromkeys(("DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"), self._depthwise),
            "Relu6": self._relu6,
            "MaxPool": self._max_pool,
            "Mean": self._mean,
            "ResizeBilinear": self._resize,
            "ConcatV2": self._concat,
            "Reshape": self._reshape,
            "ExpandDims": self._expand,
            "StridedSlice": self._slice,
            "GatherV2": self._gather,
            "TopKV2": self._top,
            "Cast": self._cast,
            "FloorDiv": self._floor_div,
            "FloorMod": self._floor_mod,
        }

    def convert(self, output: str) -> Value:
        """The value of a node, after converting what it needs.

        Raises:
            InvalidInputError: for a node that is not there, needs itself, or has an operation or shape that is not
                known here.
        """
        waiting, begun = [output], set[str]()
        while waiting:
            name = waiting[-1]
            if name in self._values:
                waiting.pop()
                continue
            node = self._node(name)
            needed = [item for item in node.inputs if item not in self._values]
            if needed and name in begun:
                raise self._bad(node, "the graph goes in a circle")
            begun.add(name)
            if needed:
                waiting += needed
                continue
            values = self._emit(node)
            for number, value in enumerate(values):
                self._values[f"{node.name}:{number}"] = value
            self._values[node.name] = values[0]
            if name not in self._values:
                raise self._bad(node, f"there is no output {name!r}")
        return self._values[output]

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

    def _node(self, name: str) -> TfNode:
        node = self._source.nodes.get(name) or self._source.nodes.get(name.partition(":")[0])
        if node is None:
            raise InvalidInputError(f"the graph has no node {name!r}", where=self._source.where)
        return node

    def _emit(self, node: TfNode) -> list[Value]:
        if node.op == "Const":
            weight = self._source.weights[node.name]
            return [Value(shape=weight.shape, constant=weight)]
        emit = self._emitters.get(node.op)
        if emit is None:
            raise InvalidInputError(
                f"the operation {node.op} of node {node.name!r} is not known",
                where=self._source.where,
                expected=", ".join(sorted(self._emitters)),
            )
        return emit(node)

    # ---- images

    def _conv(self, node: TfNode) -> list[Value]:
        image, kernel = self._image(node), self._weight(node, 1, rank=4)
        if kernel.shape[2] != self._shape(node, image)[3]:
            raise self._bad(node, "the kernel does not fit", found=f"{kernel.shape} on {image.shape}")
        return self._convolved(node, image, kernel, kernel.transpose(3, 2, 0, 1), groups=1)

    def _depthwise(self, node: TfNode) -> list[Value]:
        image, kernel = self._image(node), self._weight(node, 1, rank=4)
        height, width, channels, times = kernel.shape
        if channels != self._shape(node, image)[3]:
            raise self._bad(node, "the kernel does not fit", found=f"{kernel.shape} on {image.shape}")
        weight = kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, height, width)
        return self._convolved(node, image, kernel, weight, groups=channels)

    def _convolved(
        self, node: TfNode, image: Value, kernel: NDArray[Any], weight: NDArray[Any], *, groups: int
    ) -> list[Value]:
        fused = node.texts("fused_ops")
        steps = self._window(node, "strides")
        spread = self._window(node, "dilations") if node.integers("dilations") else (1, 1)
        size = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], spread, strict=True)]
        pads, (height, width) = self._pads(node, image, size, steps)
        inputs = [self.planar(image), self._constant(weight)]
        if "BiasAdd" in fused:
            bias = self._weight(node, 2, rank=1)
            if bias.shape != weight.shape[:1]:
                raise self._bad(node, "the bias does not fit", found=f"{bias.shape} for {weight.shape[0]} channels")
            inputs.append(self._constant(bias))
        made = self.graph.node(
            "Conv",
            inputs,
            kernel_shape=list(weight.shape[2:]),
            strides=list(steps),
            dilations=list(spread),
            pads=pads,
            group=groups,
        )
        for operation in fused:
            if operation not in ("BiasAdd", "Relu", "Relu6"):
                raise self._bad(node, f"the fused operation {operation} is not known")
            if operation != "BiasAdd":
                made = self.graph.relu6(made) if operation == "Relu6" else self.graph.relu(made)
        assert image.shape is not None
        return [Value(planar=made, shape=(image.shape[0], height, width, weight.shape[0]))]

    def _max_pool(self, node: TfNode) -> list[Value]:
        image = self._image(node)
        size, steps = self._window(node, "ksize"), self._window(node, "strides")
        pads, (height, width) = self._pads(node, image, size, steps)
        made = self.graph.node("MaxPool", [self.planar(image)], kernel_shape=list(size), strides=list(steps), pads=pads)
        assert image.shape is not None
        return [Value(planar=made, shape=(image.shape[0], height, width, image.shape[3]))]

    def _resize(self, node: TfNode) -> list[Value]:
        image, target = self._image(node), self._numbers(node, 1)
        shape = self._shape(node, image)
        if node.flag("align_corners") or len(target) != 2 or min(target) < 1:
            raise self._bad(node, "only bilinear scaling to a fixed size without aligned corners is known")
        scales = np.array([1, 1, target[0] / shape[1], target[1] / shape[2]])
        form = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
        made = self.graph.node(
            "Resize",
            [self.planar(image), "", self._constant(scales)],
            mode="linear",
            coordinate_transformation_mode=form,
        )
        return [Value(planar=made, shape=(shape[0], target[0], target[1], shape[3]))]

    def _mean(self, node: TfNode) -> list[Value]:
        image, axes = self._image(node), sorted(self._numbers(node, 1))
        shape = self._shape(node, image)
        if axes != [1, 2] or not node.flag("keep_dims"):
            raise self._bad(node, "only the mean over height and width is known", found=f"axes {axes}")
        return [
            Value(planar=self.graph.node("GlobalAveragePool", [self.planar(image)]), shape=(shape[0], 1, 1, shape[3]))
        ]

    def _window(self, node: TfNode, key: str) -> tuple[int, int]:
        """Height and width of four numbers in the order NHWC."""
        values = node.integers(key)
        if node.text("data_format", "TkhXQw==") != "NHWC":
            raise self._bad(node, "only NHWC is known")
        if len(values) != 4 or values[0] != 1 or values[3] != 1 or not 0 < min(values) <= max(values) < 4096:
            raise self._bad(node, f"{key} is wrong", found=str(values))
        return values[1], values[2]

    def _pads(
        self, node: TfNode, image: Value, size: Sequence[int], steps: Sequence[int]
    ) -> tuple[list[int], tuple[int, int]]:
        """Padding (top, left, bottom, right) and the size of the outcome; of an odd SAME padding more is at the end."""
        padding, before, after, made = node.text("padding"), [], [], []
        for have, want, step in zip(self._shape(node, image)[1:3], size, steps, strict=True):
            if padding == "SAME":
                out = -(-have // step)
                total = max((out - 1) * step + want - have, 0)
            elif padding == "VALID" and have >= want:
                out, total = (have - want) // step + 1, 0
            else:
                raise self._bad(node, "the window does not fit, or its padding is not known", found=padding)
            before.append(total // 2)
            after.append(total - total // 2)
            made.append(out)
        return [*before, *after], (made[0], made[1])

    # ---- element by element

    def _unary(self, node: TfNode) -> list[Value]:
        return [self._mapped(self._input(node, 0), lambda name: self.graph.node(_UNARY[node.op], [name]))]

    def _relu6(self, node: TfNode) -> list[Value]:
        return [self._mapped(self._input(node, 0), self.graph.relu6)]

    def _cast(self, node: TfNode) -> list[Value]:
        target = _CASTS.get(node.kind("DstT"))
        if target is None:
            raise self._bad(node, "this type is not known", found=node.kind("DstT"))
        return [self._mapped(self._input(node, 0), lambda name: self.graph.node("Cast", [name], to=target))]

    def _mapped(self, value: Value, operation: Callable[[str], str]) -> Value:
        if value.planar and not value.plain:
            return Value(planar=operation(value.planar), shape=value.shape)
        return Value(plain=operation(self.plain(value)), shape=value.shape)

    def _binary(self, node: TfNode) -> list[Value]:
        one, other = self._input(node, 0), self._input(node, 1)
        shape = self._together(node, one, other)
        operation = _BINARY[node.op]
        images = (one.planar and not one.plain) or (other.planar and not other.plain)
        if images and all(item.constant is not None or len(item.shape or ()) == 4 for item in (one, other)):
            return [Value(planar=self.graph.node(operation, [self.planar(one), self.planar(other)]), shape=shape)]
        return [Value(plain=self.graph.node(operation, [self.plain(one), self.plain(other)]), shape=shape)]

    def _floor_div(self, node: TfNode) -> list[Value]:
        one, other = self._input(node, 0), self._input(node, 1)
        a, b = self.plain(one), self.plain(other)
        if node.kind("T") == "DT_INT32":
            # ONNX cuts the quotient off; without the remainder there is nothing to cut.
            made = self.graph.node("Div", [self.graph.node("Sub", [a, self.graph.node("Mod", [a, b])]), b])
        else:
            made = self.graph.node("Floor", [self.graph.node("Div", [a, b])])
        return [Value(plain=made, shape=self._together(node, one, other))]

    def _floor_mod(self, node: TfNode) -> list[Value]:
        one, other = self._input(node, 0), self._input(node, 1)
        if node.kind("T") != "DT_INT32":
            raise self._bad(node, "the remainder of whole numbers only is known", found=node.kind("T"))
        made = self.graph.node("Mod", [self.plain(one), self.plain(other)])
        return [Value(plain=made, shape=self._together(node, one, other))]

    def _together(self, node: TfNode, one: Value, other: Value) -> Shape | None:
        if one.shape is None or other.shape is None:
            return None
        # A free batch goes with itself and with 1.
        free = -1 in one.shape[:1] + other.shape[:1]
        try:
            shape = np.broadcast_shapes(*(tuple(abs(size) for size in item) for item in (one.shape, other.shape)))
        except ValueError as error:
            raise self._bad(node, "the shapes do not go together", found=f"{one.shape}, {other.shape}") from error
        return (-1, *shape[1:]) if free else shape

    # ---- everything else

    def _concat(self, node: TfNode) -> list[Value]:
        values = [self._input(node, number) for number in range(len(node.inputs) - 1)]
        (axis,) = self._numbers(node, len(node.inputs) - 1)
        if all(value.planar and not value.plain for value in values) and axis in (3, -1):
            shapes = [self._shape(node, value) for value in values]
            if len({shape[:3] for shape in shapes}) != 1:
                raise self._bad(node, "the shapes do not go together", found=", ".join(map(str, shapes)))
            made = self.graph.node("Concat", [value.planar for value in values], axis=1)
            return [Value(planar=made, shape=(*shapes[0][:3], sum(shape[3] for shape in shapes)))]
        return [Value(plain=self.graph.node("Concat", [self.plain(value) for value in values], axis=axis))]

    def _reshape(self, node: TfNode) -> list[Value]:
        shape = self._numbers(node, 1)
        made = self.graph.node("Reshape", [self.plain(self._input(node, 0)), self.graph.integers(shape)])
        return [Value(plain=made, shape=None if -1 in shape else tuple(shape))]

    def _expand(self, node: TfNode) -> list[Value]:
        axes = self.graph.integers(self._numbers(node, 1))
        return [Value(plain=self.graph.node("Unsqueeze", [self.plain(self._input(node, 0)), axes]))]

    def _slice(self, node: TfNode) -> list[Value]:
        """A slice with fixed bounds; a masked bound is the end of its axis."""
        if node.integer("ellipsis_mask") or node.integer("new_axis_mask"):
            raise self._bad(node, "slices with an ellipsis or a new axis are not known")
        begins, ends, steps = (self._numbers(node, number) for number in (1, 2, 3))
        shrink = node.integer("shrink_axis_mask")
        if not len(begins) == len(ends) == len(steps) or any(step < 1 for step in steps):
            raise self._bad(node, "the bounds of the slice are wrong")
        axes = range(len(begins))
        first = [0 if node.integer("begin_mask") >> axis & 1 else begins[axis] for axis in axes]
        last = [(1 << 31) - 1 if node.integer("end_mask") >> axis & 1 else ends[axis] for axis in axes]
        dropped = [axis for axis in axes if shrink >> axis & 1]
        for axis in dropped:
            last[axis] = first[axis] + 1 if first[axis] != -1 else (1 << 31) - 1
        bounds = [self.graph.integers(list(item)) for item in (first, last, axes, steps)]
        made = self.graph.node("Slice", [self.plain(self._input(node, 0)), *bounds])
        if dropped:
            made = self.graph.node("Squeeze", [made, self.graph.integers(dropped)])
        return [Value(plain=made)]

    def _gather(self, node: TfNode) -> list[Value]:
        (axis,) = self._numbers(node, 2)
        if node.integer("batch_dims"):
            raise self._bad(node, "gathering within a batch is not known")
        names = [self.plain(self._input(node, number)) for number in (0, 1)]
        return [Value(plain=self.graph.node("Gather", names, axis=axis))]

    def _top(self, node: TfNode) -> list[Value]:
        count = self._numbers(node, 1)
        names = [f"{node.name}/values", f"{node.name}/indices"]
        self.graph.named("TopK", [self.plain(self._input(node, 0)), self.graph.integers(count)], names)
        return [Value(plain=name) for name in names]

    # ---- inputs of a node

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

"""From a TensorFlow.js graph to ONNX, operation by operation.

Element-wise operations stay in the layout of their images, so that a network of convolutions comes out with a
transposition at its input and at its end only. Whole numbers become 64 bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.tfjs import TfGraph, TfNode
from assay.models.tfjs_images import Images
from assay.models.tfjs_values import Shape, Value

_UNARY = {"Relu": "Relu", "Sigmoid": "Sigmoid", "Identity": "Identity"}
_BINARY = {"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "Equal": "Equal"}
_CASTS = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT64, "DT_BOOL": TensorProto.BOOL}


class Converter(Images):
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
        ((feed, shape),) = source.inputs.items()
        dims: list[int | str] = [batch if batch and axis == 0 else size for axis, size in enumerate(shape)]
        known = {feed: Value(plain=feed, shape=(-1, *shape[1:]) if batch else shape)}
        super().__init__(source, Graph(name, 0, feed, dims), known)
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
        if images and all(_goes_with_images(item) for item in (one, other)):
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


def _goes_with_images(value: Value) -> bool:
    """Whether it is an image, or a constant that can be moved with one: a number, or one for each channel."""
    rank = len(value.shape or ()) if value.constant is None else value.constant.ndim
    return rank == 4 or (value.constant is not None and rank < 2)

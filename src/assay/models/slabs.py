"""A network of three-dimensional convolutions computed slab by slab, so that little of it is in memory at once.

The layers of the highest resolution are the largest. They are written into the graph in pieces of a few rows of the depth.
An engine frees a piece when nothing looks at it any more; so the pieces of a layer take the place of those of the layer
before, and of the two only one is held, and of what lies between layers that keep nothing only a piece. A convolution gets
the rows above and below that its kernel looks at. The numbers are the same but for rounding, and nothing is computed twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import onnx
from onnx import AttributeProto, TensorProto, shape_inference

from assay.errors import InvalidInputError
from assay.models.slabs_graph import DEPTH, Piece, SlabGraph, Volume
from assay.models.slabs_norm import instance_norm
from assay.models.slabs_reach import Reach, attributes_of, conv_reach, rise_reach

SLABS_VERSION = "1"
"""Raised when what is made of a graph changes."""
_PLAIN = frozenset({"Add", "Identity", "LeakyRelu", "Mul", "Relu", "Sigmoid", "Sub"})
_SEEING = frozenset({"Conv", "ConvTranspose", "MaxPool"})
_MOST_PIECES = 256
_MOST_JOINED = 64


def in_slabs(model: onnx.ModelProto, most: int) -> onnx.ModelProto:
    """The model with its large layers in slabs, which takes and gives the same; itself where no layer is larger.

    Args:
        model: float32, batch, channel, depth, height and width inside.
        most: bytes that a piece of a layer takes, with what it is made of; layers of less stay as they are.

    Raises:
        InvalidInputError: when a large layer goes into an operation that is not known here, or the graph has branches.
    """
    return _Cutter(model, most).write()


class _Cutter:
    def __init__(self, model: onnx.ModelProto, most: int) -> None:
        self._model = model
        self._most = most
        self._volumes = _volumes_of(model)
        self._constants = {item.name: tuple(item.dims) for item in model.graph.initializer}
        self._made = SlabGraph(model, self._volumes)

    def write(self) -> onnx.ModelProto:
        inner = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
        if any(item.type in inner for node in self._model.graph.node for item in node.attribute):
            raise InvalidInputError("a graph with branches or loops cannot be computed in slabs")
        for node in self._model.graph.node:
            if not self._cut(node):
                self._whole(node)
        if not self._made.pieces and not self._made.beside:
            return self._model
        for output in self._model.graph.output:
            self._made.joined(output.name)
        return self._made.model()

    def _cut(self, node: onnx.NodeProto) -> bool:
        """Write a node in pieces; false where it is small, or cannot be."""
        if node.domain or len(node.output) != 1 or node.output[0] not in self._volumes:
            return False
        if node.op_type in _SEEING:
            return self._seeing(node)
        if node.op_type == "Concat":
            return self._side_by_side(node)
        if node.op_type == "InstanceNormalization":
            pieces = self._made.pieces.get(node.input[0])
            return pieces is not None and instance_norm(self._made, node, pieces)
        return node.op_type in _PLAIN and self._plain(node)

    def _whole(self, node: onnx.NodeProto) -> None:
        for name in dict.fromkeys(node.input):
            if self._made.is_cut(name):
                volume = self._volumes[name]
                if volume.row_bytes * volume.depth > self._most:
                    raise InvalidInputError(
                        f"node {node.name or node.output[0]!r} takes a large layer and cannot be computed in slabs",
                        found=node.op_type,
                    )
                self._made.joined(name)
        self._made.keep(node)

    def _seeing(self, node: onnx.NodeProto) -> bool:
        """A convolution, a transposed one, or pooling."""
        taken, given = self._volumes.get(node.input[0]), self._volumes[node.output[0]]
        if taken is None or any(self._made.is_cut(name) for name in node.input[1:]):
            return False
        rises = node.op_type == "ConvTranspose"
        reach = (rise_reach if rises else conv_reach)(node, self._constants, taken.depth)
        if reach is None:
            return False
        # A transposed convolution is computed by way of a table as large as its answer.
        beside = given.row_bytes if rises else 0
        rows = self._rows(given, beside + taken.row_bytes * taken.depth // given.depth)
        if rows >= given.depth:
            return False
        self._write_seeing(node, reach, _edges(given.depth, rows))
        return True

    def _write_seeing(self, node: onnx.NodeProto, reach: Reach, edges: Sequence[tuple[int, int]]) -> None:
        pieces = []
        for start, stop in edges:
            first, end, pads = reach(start, stop)
            source = self._made.rows(node.input[0], first, end)
            name = self._made.copy(node, [source, *node.input[1:]], start, pads=pads)
            pieces.append(Piece(start, stop, name))
        self._made.pieces[node.output[0]] = pieces

    def _side_by_side(self, node: onnx.NodeProto) -> bool:
        """Channels of several tensors; they are put together for those who look, a few rows at a time."""
        if attributes_of(node).get("axis") not in (1, -4) or any(name not in self._volumes for name in node.input):
            return False
        if not any(self._made.is_cut(name) for name in node.input):
            return False
        parts = list(itertools.chain.from_iterable(self._made.beside.get(name, [name]) for name in node.input))
        if len(parts) > _MOST_JOINED:
            return False
        self._made.beside[node.output[0]] = parts
        return True

    def _plain(self, node: onnx.NodeProto) -> bool:
        """An operation on each number by itself, or with constants that are the same for all rows."""
        given = self._volumes[node.output[0]]
        cut = next((name for name in node.input if self._made.is_cut(name)), None)
        if cut is None or not all(self._fits(name, given) for name in node.input):
            return False
        pieces = self._made.pieces.get(cut)
        edges = [(each.start, each.stop) for each in pieces] if pieces else _edges(given.depth, self._rows(given, 0))
        made = []
        for start, stop in edges:
            inputs = [self._made.rows(n, start, stop) if self._deep(n) else n for n in node.input]
            made.append(Piece(start, stop, self._made.copy(node, inputs, start)))
        self._made.pieces[node.output[0]] = made
        return True

    def _deep(self, name: str) -> bool:
        return name in self._volumes and self._volumes[name].depth > 1

    def _fits(self, name: str, given: Volume) -> bool:
        """Whether an input of a plain operation has all rows, or is the same for all."""
        if name in self._volumes:
            return self._volumes[name].depth in (1, given.depth)
        shape = self._constants.get(name)
        return shape is not None and (len(shape) < 3 or shape[-3] == 1)

    def _rows(self, given: Volume, beside: int) -> int:
        """Rows of a piece: as many as may be, a divisor of the depth where one is near."""
        most = max(1, self._most // max(1, given.row_bytes + beside), -(-given.depth // _MOST_PIECES))
        if most >= given.depth:
            return given.depth
        return next((rows for rows in range(most, most // 2, -1) if given.depth % rows == 0), most)


def _edges(depth: int, rows: int) -> list[tuple[int, int]]:
    return [(start, min(depth, start + rows)) for start in range(0, depth, rows)]


def _volumes_of(model: onnx.ModelProto) -> dict[str, Volume]:
    """Tensors of five axes, of which all but the batch are known, by name."""
    graph = shape_inference.infer_shapes(model).graph
    found = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        sizes = [axis.dim_value for axis in tensor.shape.dim]
        if len(sizes) == DEPTH + 3 and min(sizes[1:]) > 0 and tensor.elem_type == TensorProto.FLOAT:
            found[value.name] = Volume(*sizes[1:])
    return found

"""The last level of a 3D U-Net computed slab by slab, so that little of it is in memory at once.

On the way up the layers of the last level are the largest of the network, and of the answer only one channel is kept. What
lies behind the last transposed convolution is therefore written into the graph several times, for a slab of the depth each,
with the rows above and below that its convolutions look at. The numbers are the same; a row at the border of two slabs is
computed twice.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from assay.errors import InvalidInputError

_DEPTH = 2
"""Axis of the depth: batch, channel, depth, height, width."""
_PLAIN = frozenset({"Add", "Relu", "Sigmoid"})
_LOCAL = _PLAIN | {"Conv", "Concat"}


def in_slabs(model: onnx.ModelProto, count: int) -> onnx.ModelProto:
    """The model with its last level in slabs.

    Args:
        model: of three-dimensional convolutions in :class:`~assay.models.unet3d_graph.VolumeGraph`'s form.
        count: slabs; as many as there are rows, where these are fewer.

    Raises:
        InvalidInputError: when it has no transposed convolution, or one whose padding does not allow it.
    """
    return _Slabs(model).write(count)


class _Slabs:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        graph = shape_inference.infer_shapes(model).graph
        self._depths = {
            value.name: value.type.tensor_type.shape.dim[_DEPTH].dim_value
            for value in (*graph.input, *graph.value_info, *graph.output)
            if len(value.type.tensor_type.shape.dim) > _DEPTH
        }
        self._section = _last_level(model.graph)
        self._nodes: list[onnx.NodeProto] = []
        self._integers: dict[int, str] = {}

    def write(self, count: int) -> onnx.ModelProto:
        last = list(self._section)[-1]
        depth = self._depths[last]
        count = min(count, depth)
        edges = [depth * number // count for number in range(count + 1)]
        pieces = [
            self._piece(last, start, stop, f"slab{number}")
            for number, (start, stop) in enumerate(itertools.pairwise(edges))
        ]
        self._nodes.append(helper.make_node("Concat", pieces, [last], name=last, axis=_DEPTH))
        return self._finished(last)

    def _finished(self, last: str) -> onnx.ModelProto:
        """A model in which the section's nodes are replaced."""
        made = onnx.ModelProto()
        made.CopyFrom(self._model)
        kept = list(made.graph.node)
        place = next(number for number, node in enumerate(kept) if last in node.output)
        before = [node for node in kept[:place] if node.output[0] not in self._section]
        del made.graph.node[:]
        made.graph.node.extend([*before, *self._nodes, *kept[place + 1 :]])
        constants = [
            numpy_helper.from_array(np.array([value], np.int64), name) for value, name in self._integers.items()
        ]
        made.graph.initializer.extend(constants)
        onnx.checker.check_model(made)
        return made

    def _piece(self, name: str, start: int, stop: int, mark: str) -> str:
        """The tensor that holds some rows of a tensor, after adding what computes it."""
        node = self._section.get(name)
        if node is None:
            return self._cut(name, start, stop, mark)
        if node.op_type == "Conv":
            return self._conv(node, start, stop, mark)
        if node.op_type == "ConvTranspose":
            return self._upconv(node, start, stop, mark)
        inputs = [self._piece(each, start, stop, mark) if each in self._depths else each for each in node.input]
        return self._copy(node, inputs, mark)

    def _cut(self, name: str, start: int, stop: int, mark: str) -> str:
        if (start, stop) == (0, self._depths[name]):
            return name
        made = f"{name}_{mark}"
        bounds = [self._integer(value) for value in (start, stop, _DEPTH)]
        self._nodes.append(helper.make_node("Slice", [name, *bounds], [made], name=made))
        return made

    def _conv(self, node: onnx.NodeProto, start: int, stop: int, mark: str) -> str:
        """Rows ``[start, stop)`` need those of the kernel's reach around them; beyond the volume it is padded as before."""
        attributes = _attributes(node)
        kernel, pads = attributes["kernel_shape"][0], list(attributes["pads"])
        first, end = start - pads[0], stop - pads[0] + kernel - 1
        depth = self._depths[node.input[0]]
        pads[0], pads[3] = max(0, -first), max(0, end - depth)
        return self._copy(node, [self._piece(node.input[0], max(0, first), min(depth, end), mark)], mark, pads=pads)

    def _upconv(self, node: onnx.NodeProto, start: int, stop: int, mark: str) -> str:
        """Row ``o`` is made of the rows ``i`` of which the kernel reaches it: ``0 <= o + padding - i * stride < kernel``."""
        attributes = _attributes(node)
        kernel, stride, pads = attributes["kernel_shape"][0], attributes["strides"][0], list(attributes["pads"])
        moved = start + pads[0]
        first = max(0, -((kernel - 1 - moved) // stride))
        last = min(self._depths[node.input[0]] - 1, (stop - 1 + pads[0]) // stride)
        pads[0] = moved - first * stride
        pads[3] = (last - first) * stride + kernel - pads[0] - (stop - start)
        if min(pads) < 0:
            raise InvalidInputError(f"node {node.name!r} cannot be computed in slabs", found=f"padding {pads}")
        return self._copy(node, [self._piece(node.input[0], first, last + 1, mark)], mark, pads=pads)

    def _copy(self, node: onnx.NodeProto, inputs: list[str], mark: str, **changed: list[int]) -> str:
        made = f"{node.output[0]}_{mark}"
        attributes: dict[str, Any] = {**_attributes(node), **changed}
        inputs = [*inputs, *node.input[len(inputs) :]]
        self._nodes.append(helper.make_node(node.op_type, inputs, [made], name=made, **attributes))
        return made

    def _integer(self, value: int) -> str:
        return self._integers.setdefault(value, f"row_{value}")


def _last_level(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Nodes behind the last transposed convolution that look no farther than their kernel, by their output, in order."""
    rises = [number for number, node in enumerate(graph.node) if node.op_type == "ConvTranspose"]
    if not rises:
        raise InvalidInputError("the graph has no transposed convolution, so there is no last level")
    section = {graph.node[rises[-1]].output[0]: graph.node[rises[-1]]}
    for node in graph.node[rises[-1] + 1 :]:
        if node.op_type in _LOCAL and any(name in section for name in node.input):
            section[node.output[0]] = node
        else:
            break
    return section


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}

"""Which rows of its input a piece of a convolution, a transposed one or pooling looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import onnx
from onnx import helper

Reach = Callable[[int, int], tuple[int, int, list[int]]]
"""From rows ``[start, stop)`` of the output to the first row of the input, the one behind the last, and the padding."""
Shapes = Mapping[str, tuple[int, ...]]
_AXES = 3


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def conv_reach(node: onnx.NodeProto, constants: Shapes, depth: int) -> Reach | None:
    """Of a convolution or a pooling; None for one that is not cut.

    Args:
        node: the operation.
        constants: shapes of the graph's constants.
        depth: rows of its input.
    """
    found = attributes_of(node)
    edges = _kernel(node, found, constants)
    pads = list(found.get("pads", [0] * 2 * _AXES))
    if edges is None or found.get("ceil_mode", 0) or len(pads) != 2 * _AXES:
        return None
    stride = found.get("strides", [1] * _AXES)[0]
    kernel = (edges[0] - 1) * found.get("dilations", [1] * _AXES)[0] + 1
    before, behind = pads[0], pads[_AXES]
    # A window that lay wholly in the padding would have no row to look at.
    if stride < 1 or not (0 <= before < kernel and 0 <= behind < kernel):
        return None

    def reach(start: int, stop: int) -> tuple[int, int, list[int]]:
        first, end = start * stride - before, (stop - 1) * stride - before + kernel
        padded = [max(0, -first), *pads[1:_AXES], max(0, end - depth), *pads[_AXES + 1 :]]
        return max(0, first), min(depth, end), padded

    return reach


def rise_reach(node: onnx.NodeProto, constants: Shapes, depth: int) -> Reach | None:
    """Of a transposed convolution: row ``o`` is made of the rows ``i`` with ``0 <= o + padding - i * stride < kernel``."""
    found = attributes_of(node)
    edges = _kernel(node, found, constants)
    pads = list(found.get("pads", [0] * 2 * _AXES))
    stride = found.get("strides", [1] * _AXES)[0]
    special = any(found.get("output_padding", ())) or "output_shape" in found or set(found.get("dilations", [1])) != {1}
    # With a kernel that is shorter than the stride there are rows that are made of none.
    if edges is None or special or len(pads) != 2 * _AXES or not 1 <= stride <= edges[0]:
        return None
    kernel = edges[0]

    def reach(start: int, stop: int) -> tuple[int, int, list[int]]:
        moved = start + pads[0]
        first = max(0, -((kernel - 1 - moved) // stride))
        last = min(depth - 1, (stop - 1 + pads[0]) // stride)
        before = moved - first * stride
        behind = (last - first) * stride + kernel - before - (stop - start)
        return first, last + 1, [before, *pads[1:_AXES], behind, *pads[_AXES + 1 :]]

    return reach


def _kernel(node: onnx.NodeProto, found: Mapping[str, Any], constants: Shapes) -> tuple[int, ...] | None:
    """Edges of the kernel; None where they are not known, or an engine is to find the padding by itself."""
    if found.get("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    edges = tuple(found.get("kernel_shape", ()))
    if not edges and len(node.input) > 1:
        edges = constants.get(node.input[1], ())[2:]
    return edges if len(edges) == _AXES else None

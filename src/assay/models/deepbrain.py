"""deepbrain's frozen TensorFlow graph as ONNX: a 3D U-Net that finds the brain in an MRI.

Nodes are walked from the probability back to the image. What depends on ``training`` is decided here (false: dropout
falls away), shapes that the graph works out while it runs are known, and axes are brought into ONNX's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.tensorflow_graph import Node, read_graph
from assay.models.unet3d_graph import VolumeGraph

_IMAGE, _PROBABILITY = "img", "prob"
_SIZE = 128
_TO_CHANNEL_FIRST, _TO_CHANNEL_LAST = [0, 4, 1, 2, 3], [0, 2, 3, 4, 1]
# TensorFlow: depth, height, width, in, out (transposed convolutions: out, in); ONNX: out, in (in, out), then the edges.
_KERNEL = (4, 3, 0, 1, 2)
_MOST_STEPS = 10_000


def build_deepbrain(path: Path, *, size: int = _SIZE) -> onnx.ModelProto:
    """The graph: ``img`` ``(batch, size, size, size, 1)`` to ``prob`` of the same shape.

    Args:
        path: ``graph.pb``.
        size: edge of the volume, a multiple of 8.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no frozen graph, or one of other operations.
    """
    return _Converter(read_graph(path), path, size).convert()


class _Converter:
    def __init__(self, nodes: Mapping[str, Node], path: Path, size: int) -> None:
        self._nodes = nodes
        self._path = path
        self._shape = (size, size, size, 1)
        self._graph = VolumeGraph("deepbrain", _IMAGE, self._shape)
        self._made: dict[str, str] = {}

    def convert(self) -> onnx.ModelProto:
        if self._node(_IMAGE).operation not in ("PlaceholderWithDefault", "Placeholder"):
            raise self._bad(f"node {_IMAGE!r} is no input")
        self._made[_IMAGE] = self._graph.node("Transpose", [_IMAGE], perm=_TO_CHANNEL_FIRST)
        for name in self._order(_PROBABILITY):
            self._made[name] = self._translate(self._node(name))
        last = self._graph.node("Transpose", [self._computed(_PROBABILITY)], _PROBABILITY, perm=_TO_CHANNEL_LAST)
        return self._graph.model(last, self._shape)

    def _order(self, name: str) -> list[str]:
        """The nodes that the output needs, each behind what it takes; no recursion, a stranger's graph may be deep."""
        order: list[str] = []
        stack = [(self._resolve(name), False)]
        seen = {_IMAGE}
        while stack:
            current, ready = stack.pop()
            if ready:
                order.append(current)
            elif current not in seen:
                seen.add(current)
                stack.append((current, True))
                stack += [(self._resolve(item), False) for item in self._tensors(self._node(current))]
        return order

    def _tensors(self, node: Node) -> tuple[str, ...]:
        """Inputs that are computed; the others are constants and shapes."""
        if node.operation == "ConcatV2":
            return node.inputs[:-1]
        if node.operation == "Conv3DBackpropInputV2":
            return node.inputs[2:]
        if node.operation in ("Conv3D", "BiasAdd", "Relu", "MaxPool3D", "Sigmoid"):
            return node.inputs[:1]
        raise self._bad(f"node {node.name!r} is a {node.operation}, which is not known here")

    def _resolve(self, name: str) -> str:
        """The node behind identities and behind switches on ``training``, which is false."""
        for _ in range(_MOST_STEPS):
            node = self._node(name.partition(":")[0])
            if node.operation == "Identity" or (node.operation == "Switch" and name.partition(":")[2] in ("", "0")):
                name = node.inputs[0]
            elif node.operation == "Merge":
                name = self._living(node)
            else:
                return node.name
        raise self._bad("the graph goes in circles")

    def _living(self, merge: Node) -> str:
        """The input of a merge that comes from the false side of its switch."""
        for name in merge.inputs:
            inner = name
            for _ in range(_MOST_STEPS):
                node = self._node(inner.partition(":")[0])
                if node.operation == "Switch" and inner.partition(":")[2] in ("", "0"):
                    return node.inputs[0]
                if node.operation != "Identity":
                    break
                inner = node.inputs[0]
        raise self._bad(f"merge {merge.name!r} has no side that is free of training")

    def _translate(self, node: Node) -> str:
        graph = self._graph
        inputs = [self._computed(name) for name in self._tensors(node)]
        if node.operation == "Conv3D":
            self._need(node, padding=b"SAME", strides=(1, 1, 1, 1, 1))
            return graph.conv(inputs[0], self._kernel(node, 1))
        if node.operation == "Conv3DBackpropInputV2":
            self._need(node, padding=b"SAME", strides=(1, 2, 2, 2, 1))
            kernel = self._kernel(node, 1)
            # SAME of the convolution that it turns around: what is left over is padded at the end.
            return graph.upconv(inputs[0], kernel, None, ends=kernel.shape[2] - 2)
        if node.operation == "BiasAdd":
            bias = self._constant(node.inputs[1])
            return graph.node("Add", [inputs[0], graph.constant(bias.reshape(-1, 1, 1, 1))])
        if node.operation == "MaxPool3D":
            self._need(node, padding=b"VALID", strides=(1, 2, 2, 2, 1), ksize=(1, 2, 2, 2, 1))
            return graph.node("MaxPool", inputs, kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        if node.operation == "ConcatV2":
            if int(self._constant(node.inputs[-1]).reshape(-1)[0]) not in (-1, 4):
                raise self._bad(f"node {node.name!r} joins along another axis than the channels")
            return graph.node("Concat", inputs, axis=1)
        return graph.node(node.operation, inputs)

    def _computed(self, name: str) -> str:
        node = self._resolve(name)
        if node not in self._made:
            raise self._bad("the graph goes in circles")
        return self._made[node]

    def _kernel(self, node: Node, place: int) -> NDArray[Any]:
        kernel = self._constant(node.inputs[place])
        if kernel.ndim != 5 or not np.isfinite(kernel).all():
            raise self._bad(f"the kernel of {node.name!r} is no kernel", found=str(kernel.shape))
        return kernel.transpose(_KERNEL)

    def _constant(self, name: str) -> NDArray[Any]:
        value = self._node(self._resolve(name)).attributes.get("value")
        if not isinstance(value, np.ndarray) or not value.size:
            raise self._bad(f"{name!r} is no constant")
        return value

    def _need(self, node: Node, **attributes: Any) -> None:
        for key, wanted in attributes.items():
            if node.attributes.get(key) != wanted:
                raise self._bad(f"{key} of node {node.name!r} is not known here", found=str(node.attributes.get(key)))

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            raise self._bad(f"the graph has no node {name!r}")
        return self._nodes[name]

    def _bad(self, what: str, found: str | None = None) -> InvalidInputError:
        return InvalidInputError(what, where=self._path, expected="the frozen graph of deepbrain 0.1", found=found)

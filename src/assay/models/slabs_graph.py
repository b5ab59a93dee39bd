"""The graph that is written while a model is cut into slabs: which tensors are in pieces, and any rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from assay.errors import InvalidInputError
from assay.models.slabs_mark import MARK
from assay.models.slabs_reach import attributes_of

DEPTH = 2
"""Axis of the depth: batch, channel, depth, height, width."""
_FLOAT = 4
_MOST_NODES = 100_000
# Reductions take their axes as an attribute before this version of the operations, and as an input from then on.
_AXES_AS_INPUT = 18


@dataclass(frozen=True, slots=True)
class Volume:
    """Shape of a tensor, without the batch."""

    channels: int
    depth: int
    height: int
    width: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of the depth in all channels."""
        return self.channels * self.height * self.width * _FLOAT


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows ``[start, stop)`` of a tensor, and the tensor that holds them."""

    start: int
    stop: int
    name: str


class SlabGraph:
    """A graph under construction.

    Args:
        model: that it replaces.
        volumes: its large tensors.

    Attributes:
        pieces: of each tensor that is cut, in order.
        beside: tensors of which another is put together, channel by channel; that one is never held.
    """

    def __init__(self, model: onnx.ModelProto, volumes: Mapping[str, Volume]) -> None:
        self._model = model
        self._volumes = volumes
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[int, ...], str] = {}
        self._taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
        self._taken |= {item.name for item in (*model.graph.input, *model.graph.initializer)}
        self._opset = next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 1)
        self._whole: set[str] = set()
        self.pieces: dict[str, list[Piece]] = {}
        self.beside: dict[str, list[str]] = {}

    def area(self, name: str) -> int:
        """Voxels of one row of a tensor."""
        return self._volumes[name].height * self._volumes[name].width

    def is_cut(self, name: str) -> bool:
        """Whether a tensor is not there as a whole."""
        return (name in self.pieces or name in self.beside) and name not in self._whole

    def joined(self, name: str) -> None:
        """Put a tensor that is cut together again, under its own name."""
        if self.is_cut(name):
            depth = self._volumes[name].depth
            inputs = self._parts(name, 0, depth)
            self._add("Concat", inputs, name, axis=1 if name in self.beside else DEPTH)
            self._whole.add(name)

    def rows(self, name: str, start: int, stop: int) -> str:
        """The tensor that holds some rows of a tensor."""
        if not self.is_cut(name):
            return self._sliced(name, start, stop, self._volumes[name].depth)
        if name in self.beside:
            return self.node("Concat", self._parts(name, start, stop), f"{name}_rows{start}", axis=1)
        parts = self._parts(name, start, stop)
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, f"{name}_rows{start}", axis=DEPTH)

    def _parts(self, name: str, start: int, stop: int) -> list[str]:
        if name in self.beside:
            return [self.rows(each, start, stop) for each in self.beside[name]]
        parts = []
        for each in self.pieces[name]:
            first, end, depth = max(start - each.start, 0), min(stop, each.stop) - each.start, each.stop - each.start
            if first < end and end > 0:
                parts.append(self._sliced(each.name, first, end, depth))
        return parts

    def _sliced(self, name: str, start: int, stop: int, depth: int) -> str:
        if (start, stop) == (0, depth):
            return name
        bounds = [self._integers((value,)) for value in (start, stop, DEPTH)]
        return self.node("Slice", [name, *bounds], f"{name}_cut{start}")

    def copy(self, node: onnx.NodeProto, inputs: Sequence[str], start: int, **changed: list[int]) -> str:
        """Add a node's likeness for a piece that begins at a row; returns its output."""
        attributes = {**attributes_of(node), **changed}
        return self.node(node.op_type, inputs, f"{node.output[0]}_row{start}", **attributes)

    def keep(self, node: onnx.NodeProto) -> None:
        """Add a node as it is."""
        self._nodes.append(node)

    def node(self, operation: str, inputs: Sequence[str], hint: str, **attributes: Any) -> str:
        """Add a node; returns its output, which has a name like the hint."""
        return self._add(operation, inputs, self._free(hint), **attributes)

    def reduce(self, operation: str, x: str, axes: Sequence[int], hint: str) -> str:
        """Add a reduction that keeps the axes; returns its output."""
        if self._opset < _AXES_AS_INPUT:
            return self.node(operation, [x], hint, axes=list(axes), keepdims=1)
        return self.node(operation, [x, self._integers(tuple(axes))], hint, keepdims=1)

    def constant(self, value: NDArray[Any], hint: str) -> str:
        """A constant as float32; returns its name."""
        name = self._free(hint)
        self._constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def value_of(self, name: str) -> NDArray[Any] | None:
        """A constant of the model; None when there is none of that name."""
        found = next((item for item in self._model.graph.initializer if item.name == name), None)
        return None if found is None else numpy_helper.to_array(found)

    def model(self) -> onnx.ModelProto:
        """The finished, checked model."""
        made = onnx.ModelProto()
        made.CopyFrom(self._model)
        del made.graph.node[:]
        # What was known of tensors that are no more would be wrong.
        del made.graph.value_info[:]
        made.graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input} | {item.name for item in made.graph.output}
        kept = [item for item in made.graph.initializer if item.name in used]
        del made.graph.initializer[:]
        made.graph.initializer.extend([*kept, *self._constants])
        onnx.helper.set_model_props(made, {**{item.key: item.value for item in made.metadata_props}, MARK: "yes"})
        try:
            onnx.checker.check_model(made)
        except onnx.checker.ValidationError as error:
            raise InvalidInputError(f"the graph cannot be cut: {str(error).strip().splitlines()[0]}") from error
        return made

    def _add(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        if len(self._nodes) >= _MOST_NODES:
            raise InvalidInputError("the graph is too large to be computed in slabs", expected=f"{_MOST_NODES:,} nodes")
        self._nodes.append(helper.make_node(operation, list(inputs), [output], name=output, **attributes))
        return output

    def _integers(self, values: tuple[int, ...]) -> str:
        """A constant of integers, made once."""
        if values not in self._known:
            name = self._known[values] = self._free(f"slab_{'_'.join(map(str, values))}")
            self._constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return self._known[values]

    def _free(self, hint: str) -> str:
        name, number = hint, 1
        while name in self._taken:
            number += 1
            name = f"{hint}_{number}"
        self._taken.add(name)
        return name

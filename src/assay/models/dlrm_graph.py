"""DLRM and DLRM-DCN as ONNX graphs with a free number of pairs.

Inputs are ``dense``, ``(pairs, dense)`` float32, and ``ids``, ``(pairs, ids)`` int32: the ids of all tables side by side,
as many for each table as its *hots*; the rows that a table is asked for are added up. The output is ``probability``,
``(pairs, 1)``.

Sources: Naumov et al. 2019 (dot products), Wang et al. 2021 (DCN V2, low-rank cross layers), and the reference's settings
in mlcommons/inference v3.1, recommendation/dlrm and dlrm_v2, backend_pytorch_native.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.models.dlrm_network import below_diagonal, table_name
from assay.models.graph import IR_VERSION, OPSET


@dataclass(frozen=True, slots=True)
class External:
    """A tensor of float32 in a file beside the model's.

    Attributes:
        location: the file's name.
        offset: of its first value.
        nbytes: its size.
    """

    shape: tuple[int, ...]
    location: str
    offset: int
    nbytes: int


Tensor = NDArray[Any] | External
Tensors = Mapping[str, Tensor]


class DlrmGraph:
    """A graph under construction.

    Args:
        name: of the graph.
        tensors: its weights: ``table.N``, ``bottom.N.weight`` and ``.bias``, ``top.N...``, ``cross.N.v``, ``.w`` and
            ``.bias``; weights are ``(outputs, inputs)``.
    """

    def __init__(self, name: str, tensors: Tensors) -> None:
        self._name = name
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._whole_file = True

    def weight(self, name: str) -> str:
        """One of the weights as a constant of float32."""
        value = self._tensors[name]
        if isinstance(value, External):
            self._constants.append(_external(value, name))
            self._whole_file = False
        else:
            self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def whole(self, values: Iterable[int] | int, name: str) -> str:
        """A constant of whole numbers."""
        array = np.asarray(values if isinstance(values, int) else list(values), np.int64)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operation: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A node with one output."""
        self._nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def layers(self, part: str, x: str, count: int, *, last_relu: bool) -> str:
        """Linear layers with ReLU between them."""
        for layer in range(count):
            name = f"{part}.{layer}"
            x = self.node("Gemm", [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], name, transB=1)
            if layer < count - 1 or last_relu:
                x = self.node("Relu", [x], f"{name}.relu")
        return x

    def look_up(self, number: int, column: int, hots: int) -> str:
        """Rows of a table, added up: ``(pairs, width)``."""
        table, name = self.weight(table_name(number)), f"embedding.{number}"
        if hots == 1:
            ids = self.node("Gather", ["ids", self.whole(column, f"{name}.column")], f"{name}.ids", axis=1)
            return self.node("Gather", [table, ids], name, axis=0)
        bounds = [self.whole([value], f"{name}.{word}") for word, value in (("begin", column), ("end", column + hots))]
        ids = self.node("Slice", ["ids", *bounds, "one"], f"{name}.ids")
        rows = self.node("Gather", [table, ids], f"{name}.rows", axis=0)
        return self.node("ReduceSum", [rows, "one"], name, keepdims=0)

    def products(self, vectors: str, count: int, width: int) -> str:
        """Dot products of all pairs of vectors, ``(pairs, count * (count - 1) / 2)``."""
        stacked = self.node("Reshape", [vectors, self.whole([-1, count, width], "vectors.shape")], "vectors")
        turned = self.node("Transpose", [stacked], "vectors.turned", perm=[0, 2, 1])
        square = self.node("MatMul", [stacked, turned], "products.square")
        flat = self.node("Reshape", [square, self.whole([-1, count * count], "products.shape")], "products.flat")
        rows, columns = below_diagonal(count)
        chosen = self.whole((rows * count + columns).tolist(), "products.below")
        return self.node("Gather", [flat, chosen], "products", axis=1)

    def cross(self, x0: str, layers: int) -> str:
        """Low-rank cross layers: ``x0 * (W (V x) + b) + x``."""
        x = x0
        for layer in range(layers):
            name = f"cross.{layer}"
            low = self.node("Gemm", [x, self.weight(f"{name}.v")], f"{name}.low", transB=1)
            high = self.node(
                "Gemm", [low, self.weight(f"{name}.w"), self.weight(f"{name}.bias")], f"{name}.high", transB=1
            )
            x = self.node("Add", [self.node("Mul", [x0, high], f"{name}.times"), x], name)
        return x

    def model(self, dense: int, ids: int, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """The finished model, checked where all of it is in the one file."""
        inputs = [
            helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["pairs", dense]),
            helper.make_tensor_value_info("ids", TensorProto.INT32, ["pairs", ids]),
        ]
        output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["pairs", 1])
        graph = helper.make_graph(self._nodes, self._name, inputs, [output], self._constants)
        model = helper.make_model(
            graph, producer_name="assay", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, dict(sorted(metadata.items())))
        if self._whole_file:
            onnx.checker.check_model(model)
        return model


def _external(value: External, name: str) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, content in (("location", value.location), ("offset", value.offset), ("length", value.nbytes)):
        tensor.external_data.add(key=key, value=str(content))
    return tensor


def dlrm_graph(
    name: str,
    tensors: Tensors,
    *,
    hots: tuple[int, ...],
    bottom: int,
    top: int,
    cross: int = 0,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """A DLRM, or with cross layers a DLRM-DCN.

    Args:
        name: of the graph.
        tensors: weights as in :class:`DlrmGraph`; sizes are theirs.
        hots: ids asked of each table.
        bottom: bottom layers.
        top: top layers; the last has no ReLU but the sigmoid.
        cross: cross layers; 0 for dot products.
        metadata: kept in the file.
    """
    graph = DlrmGraph(name, tensors)
    if any(count > 1 for count in hots):
        graph.whole([1], "one")
    below = graph.layers("bottom", "dense", bottom, last_relu=True)
    columns = np.cumsum([0, *hots])
    embeddings = [graph.look_up(number, int(columns[number]), count) for number, count in enumerate(hots)]
    joined = graph.node("Concat", [below, *embeddings], "joined", axis=1)
    if cross:
        crossed = graph.cross(joined, cross)
    else:
        width = tensors[table_name(0)].shape[1]
        products = graph.products(joined, len(hots) + 1, width)
        crossed = graph.node("Concat", [below, products], "interaction", axis=1)
    logit = graph.layers("top", crossed, top, last_relu=False)
    graph.node("Sigmoid", [logit], "probability")
    return graph.model(tensors["bottom.0.weight"].shape[1], sum(hots), metadata or {})

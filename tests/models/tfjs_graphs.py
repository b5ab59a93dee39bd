"""Small TensorFlow graphs, converted and run."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from assay.errors import InvalidInputError
from assay.models.tfjs import TfGraph, TfNode
from assay.models.tfjs_convert import Converter

Floats = NDArray[np.float32]
X: Floats = np.random.default_rng(1).standard_normal((1, 6, 5, 3)).astype(np.float32)


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def texts(*values: str) -> dict[str, Any]:
    return {"list": {"s": [base64.b64encode(value.encode()).decode() for value in values]}}


def integers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def kind(name: str) -> dict[str, str]:
    return {"type": name}


def graph_of(
    nodes: Sequence[tuple[str, str, Sequence[str], Mapping[str, Any]]],
    weights: Mapping[str, Any] | None = None,
    shape: tuple[int, ...] = X.shape,
) -> TfGraph:
    """A graph with the input ``x``; weights are constants."""
    made = {name: np.asarray(value) for name, value in (weights or {}).items()}
    made = {name: value.astype(np.int32 if value.dtype.kind == "i" else np.float32) for name, value in made.items()}
    all_nodes = {"x": TfNode("x", "Placeholder", (), {})}
    all_nodes |= {name: TfNode(name, "Const", (), {}) for name in made}
    all_nodes |= {name: TfNode(name, op, tuple(inputs), attributes) for name, op, inputs, attributes in nodes}
    return TfGraph(all_nodes, made, {"x": shape}, (nodes[-1][0],), Path("model.json"))


def run(graph: TfGraph, value: Floats = X, *, batch: str | None = None, rank: int = 4) -> NDArray[Any]:
    """What the converted graph gives."""
    converter = Converter(graph, "test", batch=batch)
    (output,) = graph.outputs
    converter.graph.named("Identity", [converter.plain(converter.convert(output))], ["result"])
    model = converter.graph.finish([helper.make_tensor_value_info("result", TensorProto.FLOAT, [None] * rank)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": value})[0])


def one(op: str, *others: str, weights: Mapping[str, Any] | None = None, **attributes: Any) -> TfGraph:
    """A graph of one operation on the input."""
    return graph_of([("y", op, ["x", *others], attributes)], weights)


def refused(graph: TfGraph) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        run(graph)
    return caught.value


POOL: dict[str, Any] = {"padding": text("SAME"), "strides": integers(1, 1, 1, 1), "ksize": integers(1, 1, 1, 1)}
"""Attributes of a pooling that changes nothing but the layout."""

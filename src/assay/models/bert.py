"""BERT (Devlin et al. 2019) as ONNX: any number of layers, any batch, any length, padding masked out.

Inputs are int64 ``(batch, length)`` under the names of MLPerf's model: ``input_ids``, ``input_mask`` (1 where there is a
token) and ``segment_ids``. Tensor names are those of PyTorch checkpoints. Nodes are laid out as PyTorch exports them,
which is the form that engines know to fuse.

A model is given in pieces: the graph, then one tensor after the other, so that a gigabyte of weights is never in memory
twice. Pieces of a protobuf message written one behind the other are that message (protobuf's encoding, "Last One Wins":
embedded messages are merged, repeated fields are concatenated).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.models.graph import IR_VERSION, OPSET

Take = Callable[[str, tuple[int, ...]], NDArray[Any]]
"""From name and shape to a tensor."""

INPUTS = ("input_ids", "input_mask", "segment_ids")
START, END, EMBEDDING = "output_start_logits", "output_end_logits", "embedding"
_MASKED = -10_000.0
_DEVIATION = 0.02


@dataclass(frozen=True, slots=True)
class BertShape:
    """How large a BERT is.

    Attributes:
        inner: width of the layer between.
        pieces: size of the vocabulary.
        positions: longest input.
    """

    layers: int
    hidden: int
    heads: int
    inner: int
    pieces: int = 30_522
    positions: int = 512
    segments: int = 2
    epsilon: float = 1e-12


BERT_LARGE = BertShape(layers=24, hidden=1024, heads=16, inner=4096)
BERT_TINY = BertShape(layers=2, hidden=128, heads=2, inner=512)
"""Turc et al. 2019: small enough for tests, and built in a moment."""


class BertGraph:
    """The graph under construction; tensors are named here and taken when the model is written.

    Args:
        name: of the graph.
        shape: of the model.
        prefix: of the tensors' names in the checkpoint.
    """

    def __init__(self, name: str, shape: BertShape, prefix: str = "") -> None:
        self._name = name
        self._shape = shape
        self._prefix = prefix
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._weights: list[tuple[str, tuple[int, ...], bool]] = []
        self._count = 0

    def node(self, operation: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self._count += 1
        output = output or f"{operation.lower()}_{self._count}"
        self._nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def constant(self, value: float | list[int], name: str) -> str:
        """A constant: a number as float32, a list as int64."""
        if all(item.name != name for item in self._constants):
            array = np.array(value, np.int64 if isinstance(value, list) else np.float32)
            self._constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, shape: tuple[int, ...], *, transposed: bool = False) -> str:
        """A tensor of the checkpoint, as it is there or with its two dimensions exchanged."""
        name = self._prefix + name
        self._weights.append((name, shape, transposed))
        return name

    def dense(self, x: str, name: str, size: int, to: int) -> str:
        """A linear layer; its weight is ``(to, size)`` in the checkpoint."""
        product = self.node("MatMul", [x, self.weight(f"{name}.weight", (to, size), transposed=True)])
        return self.node("Add", [product, self.weight(f"{name}.bias", (to,))])

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation over the last dimension."""
        size = (self._shape.hidden,)
        inputs = [x, self.weight(f"{name}.weight", size), self.weight(f"{name}.bias", size)]
        return self.node("LayerNormalization", inputs, axis=-1, epsilon=self._shape.epsilon)

    def encoder(self) -> str:
        """Embeddings and all layers; the output is ``(batch, length, hidden)``."""
        x, mask = self._embeddings(), self._mask()
        for number in range(self._shape.layers):
            x = self._layer(x, mask, f"encoder.layer.{number}")
        return x

    def spans(self, x: str, name: str = "qa_outputs") -> list[onnx.ValueInfoProto]:
        """Start and end logits of every token, from a linear layer of two outputs."""
        logits = self.dense(x, name, self._shape.hidden, 2)
        axis = self.constant([2], "axis_last")
        for output, place in ((START, 0), (END, 1)):
            ends = [self.constant([place + i], f"index_{place + i}") for i in (0, 1)]
            column = self.node("Slice", [logits, *ends, axis])
            self.node("Squeeze", [column, axis], output=output)
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length"]) for name in (START, END)]

    def mean(self, x: str) -> list[onnx.ValueInfoProto]:
        """The mean vector of a text's tokens, padding left out, scaled to length 1 (Reimers and Gurevych 2019)."""
        one, last = self.constant([1], "axis_one"), self.constant([2], "axis_last")
        mask = self.node("Unsqueeze", [self.node("Cast", ["input_mask"], to=TensorProto.FLOAT), last])
        total = self.node("ReduceSum", [self.node("Mul", [x, mask]), one], keepdims=0)
        mean = self.node("Div", [total, self.node("ReduceSum", [mask, one], keepdims=0)])
        self.node("LpNormalization", [mean], output=EMBEDDING, axis=1, p=2)
        return [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["batch", self._shape.hidden])]

    def pieces(self, outputs: list[onnx.ValueInfoProto], take: Take, facts: dict[str, str]) -> Iterator[bytes]:
        """The model as bytes to be written one behind the other.

        Args:
            outputs: of the model.
            take: gives the tensors; asked in the order the layers have.
            facts: kept in the model as metadata.

        Raises:
            InvalidInputError: by ``take``, when a tensor is missing or of another shape.
        """
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in INPUTS]
        graph = helper.make_graph(self._nodes, self._name, inputs, outputs, self._constants)
        model = helper.make_model(
            graph, producer_name="assay", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, facts)
        yield model.SerializeToString(deterministic=True)
        for name, shape, transposed in self._weights:
            value = take(name, shape)
            array = np.ascontiguousarray(value.T if transposed else value, np.float32)
            part = onnx.ModelProto(graph=onnx.GraphProto(initializer=[numpy_helper.from_array(array, name)]))
            yield part.SerializeToString(deterministic=True)

    def _embeddings(self) -> str:
        shape, name = self._shape, "embeddings"
        words = self.weight(f"{name}.word_embeddings.weight", (shape.pieces, shape.hidden))
        places = self.weight(f"{name}.position_embeddings.weight", (shape.positions, shape.hidden))
        kinds = self.weight(f"{name}.token_type_embeddings.weight", (shape.segments, shape.hidden))
        length = self.node("Gather", [self.node("Shape", ["input_ids"]), self.constant([1], "axis_one")], axis=0)
        start, axis = self.constant([0], "index_0"), self.constant([0], "axis_zero")
        place = self.node("Unsqueeze", [self.node("Slice", [places, start, length, axis]), axis])
        word, kind = self.node("Gather", [words, "input_ids"]), self.node("Gather", [kinds, "segment_ids"])
        return self.norm(self.node("Add", [self.node("Add", [word, place]), kind]), f"{name}.LayerNorm")

    def _mask(self) -> str:
        """What is added to attention: 0 for tokens, a large negative number for padding; ``(batch, 1, 1, length)``."""
        axes = self.constant([1], "axis_one"), self.constant([2], "axis_last")
        wide = self.node("Unsqueeze", [self.node("Unsqueeze", ["input_mask", axes[0]]), axes[1]])
        present = self.node("Cast", [wide], to=TensorProto.FLOAT)
        absent = self.node("Sub", [self.constant(1.0, "one"), present])
        return self.node("Mul", [absent, self.constant(_MASKED, "masked")])

    def _layer(self, x: str, mask: str, name: str) -> str:
        hidden, inner = self._shape.hidden, self._shape.inner
        attended = self.dense(
            self._attention(x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense", hidden, hidden
        )
        x = self.norm(self.node("Add", [attended, x]), f"{name}.attention.output.LayerNorm")
        y = self._gelu(self.dense(x, f"{name}.intermediate.dense", hidden, inner))
        y = self.dense(y, f"{name}.output.dense", inner, hidden)
        return self.norm(self.node("Add", [y, x]), f"{name}.output.LayerNorm")

    def _attention(self, x: str, mask: str, name: str) -> str:
        hidden, heads = self._shape.hidden, self._shape.heads
        split = self.constant([0, 0, heads, hidden // heads], "split_heads")
        query, key, value = (
            self.node(
                "Transpose",
                [self.node("Reshape", [self.dense(x, f"{name}.{part}", hidden, hidden), split])],
                perm=order,
            )
            for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scale = self.constant(float(np.sqrt(hidden // heads)), "scale")
        scores = self.node("Add", [self.node("Div", [self.node("MatMul", [query, key]), scale]), mask])
        context = self.node("MatMul", [self.node("Softmax", [scores], axis=-1), value])
        together = self.constant([0, 0, hidden], "join_heads")
        return self.node("Reshape", [self.node("Transpose", [context], perm=[0, 2, 1, 3]), together])

    def _gelu(self, x: str) -> str:
        error = self.node("Erf", [self.node("Div", [x, self.constant(float(np.sqrt(2.0)), "root_two")])])
        product = self.node("Mul", [x, self.node("Add", [error, self.constant(1.0, "one")])])
        return self.node("Mul", [product, self.constant(0.5, "half")])


def seeded(seed: int) -> Take:
    """Weights as at the start of training: normal with deviation 0.02, no bias, normalisation that changes nothing."""
    random = np.random.default_rng(seed)

    def take(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        if name.endswith("LayerNorm.weight"):
            return np.ones(shape, np.float32)
        if len(shape) == 1:
            return np.zeros(shape, np.float32)
        return random.standard_normal(shape, np.float32) * np.float32(_DEVIATION)

    return take


def build_bert(seed: int, shape: BertShape = BERT_LARGE, name: str = "bert-large") -> Iterator[bytes]:
    """A question-answering BERT with seeded weights, in pieces; the same seed gives the same bytes."""
    graph = BertGraph(name, shape)
    outputs = graph.spans(graph.encoder())
    return graph.pieces(outputs, seeded(seed), {"weights": f"random, seed {seed}"})


def write_pieces(pieces: Iterable[bytes], target: Path) -> None:
    """Write a model that comes in pieces."""
    with target.open("wb") as stream:
        for piece in pieces:
            stream.write(piece)

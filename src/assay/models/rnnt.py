"""RNN-T of MLPerf's speech benchmark as three ONNX graphs: encoder, prediction network, joint network.

Source: mlcommons/inference v3.1, speech_recognition/rnnt/pytorch/model_separable_rnnt.py with configs/rnnt.toml;
harness-spec, section 5. The encoder has five LSTM layers of 1,024, two before every two frames are put into one and three
after; the prediction network embeds a character and has two layers of 320; the joint network has one hidden layer of 512
and scores 28 characters and the blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.base.files import machine_errors
from assay.models.graph import IR_VERSION, OPSET, Weights

FEATURES, STACKED, LABELS = 240, 2, 29
ENCODER, PREDICTION, JOINT = "encoder.onnx", "prediction.onnx", "joint.onnx"

_FLOAT, _INT32, _INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
_GATES = (0, 3, 1, 2)
"""PyTorch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the networks are; the benchmark's unless given.

    Attributes:
        hidden: width of the encoder's layers.
        before: layers before two frames are put into one.
        after: layers after that.
        embedded: width of the prediction network.
        layers: of the prediction network.
        joined: width of the joint network's hidden layer.
    """

    hidden: int = 1_024
    before: int = 2
    after: int = 3
    embedded: int = 320
    layers: int = 2
    joined: int = 512


OFFICIAL = Sizes()


def build_rnnt(weights: Weights, folder: Path, sizes: Sizes = OFFICIAL) -> None:
    """Write the three graphs into a folder, which is made.

    * ``encoder.onnx``: ``features`` (batch, time, 240) and ``frames`` of each, int32, to ``encoded`` (batch, time/2, 1024);
    * ``prediction.onnx``: ``label`` int64 (batch,), ``hidden`` and ``cell`` (batch, 2, 320) to ``output`` (batch, 320) and
      the next ``hidden`` and ``cell``; label 28 stands for the beginning;
    * ``joint.onnx``: ``encoded`` (batch, 1024) and ``output`` (batch, 320) to ``scores`` (batch, 29).

    Raises:
        InvalidInputError: when the weights are of another architecture.
        MachineError: when the disk is full.
    """
    parts = {ENCODER: _encoder, PREDICTION: _prediction, JOINT: _joint}
    models = {name: make(weights, sizes) for name, make in parts.items()}
    weights.finish()
    with machine_errors(folder):
        folder.mkdir(parents=True)
        for name, model in models.items():
            (folder / name).write_bytes(model.SerializeToString(deterministic=True))


class _Net:
    """A graph of named inputs and outputs under construction."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A constant of its own type, floats as float32."""
        kept = value.astype(np.float32) if value.dtype == np.float64 else value
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name

    def node(self, operation: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Add a node; returns its first output, named here unless given."""
        names = list(outputs) or [f"{operation.lower()}_{len(self._nodes)}"]
        self._nodes.append(
            helper.make_node(operation, inputs, names, name=f"{operation}_{len(self._nodes)}", **attributes)
        )
        return next(name for name in names if name)

    def axes(self, *numbers: int) -> str:
        """A constant list of whole numbers."""
        name = "axes_" + "_".join(map(str, numbers))
        if all(item.name != name for item in self._constants):
            self.constant(name, np.array(numbers, np.int64))
        return name

    def lstm(self, name: str, layer: int, size: int, hidden: int) -> list[str]:
        """Names of a layer's constants: input weights, recurrent weights, biases, gates reordered."""
        taken = [
            self.weights.take(f"{name}.weight_ih_l{layer}", (4 * hidden, size)),
            self.weights.take(f"{name}.weight_hh_l{layer}", (4 * hidden, hidden)),
        ]
        biases = [self.weights.take(f"{name}.bias_{kind}_l{layer}", (4 * hidden,)) for kind in ("ih", "hh")]
        matrices = [_reordered(each, hidden)[None] for each in taken]
        bias = np.concatenate([_reordered(each, hidden) for each in biases])[None]
        arrays = zip(("input", "recurrent", "bias"), (*matrices, bias), strict=True)
        return [self.constant(f"{name}.{layer}.{kind}", array) for kind, array in arrays]

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        """The finished, checked model."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, producer_name="assay", opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def _encoder(weights: Weights, sizes: Sizes) -> onnx.ModelProto:
    net = _Net(weights)
    x = net.node("Transpose", ["features"], perm=[1, 0, 2])
    x = _layers(net, "encoder.pre_rnn.lstm", x, "frames", sizes.before, FEATURES, sizes.hidden)
    # Beyond a recording's end an LSTM with lengths gives zeros, which is what the reference fills the last step with.
    x = net.node("Transpose", [x], perm=[1, 0, 2])
    time = net.node("Shape", [x], start=1, end=2)
    odd = net.node("Mod", [time, net.axes(STACKED)])
    pads = net.node("Concat", [net.axes(0, 0, 0, 0), odd, net.axes(0)], axis=0)
    x = net.node("Pad", [x, pads])
    x = net.node("Reshape", [x, net.axes(0, -1, STACKED * sizes.hidden)])
    x = net.node("Transpose", [x], perm=[1, 0, 2])
    one, two = (net.constant(word, np.array(value, np.int32)) for word, value in (("one", 1), ("two", STACKED)))
    steps = net.node("Div", [net.node("Add", ["frames", one]), two])
    x = _layers(net, "encoder.post_rnn.lstm", x, steps, sizes.after, STACKED * sizes.hidden, sizes.hidden)
    net.node("Transpose", [x], "encoded", perm=[1, 0, 2])
    return net.model(
        "rnnt-encoder",
        [_value("features", _FLOAT, "batch", "time", FEATURES), _value("frames", _INT32, "batch")],
        [_value("encoded", _FLOAT, "batch", "steps", sizes.hidden)],
    )


def _layers(net: _Net, name: str, x: str, lengths: str, count: int, size: int, hidden: int) -> str:
    """LSTM layers over ``(time, batch, size)``; zeros beyond each recording's length."""
    for layer in range(count):
        constants = net.lstm(name, layer, size if layer == 0 else hidden, hidden)
        x = net.node("LSTM", [x, *constants, lengths], hidden_size=hidden)
        x = net.node("Squeeze", [x, net.axes(1)])
    return x


def _prediction(weights: Weights, sizes: Sizes) -> onnx.ModelProto:
    net = _Net(weights)
    characters = weights.take("prediction.embed.weight", (LABELS - 1, sizes.embedded))
    table = net.constant("characters", np.concatenate((characters, np.zeros((1, sizes.embedded)))))
    x = net.node("Unsqueeze", [net.node("Gather", [table, "label"]), net.axes(0)])
    places = [f"{kind}_{layer}" for kind in ("hidden", "cell") for layer in range(sizes.layers)]
    before = [f"{place}_before" for place in places]
    for kind, names in (("hidden", before[: sizes.layers]), ("cell", before[sizes.layers :])):
        layers_first = net.node("Transpose", [kind], perm=[1, 0, 2])
        net.node("Split", [layers_first, net.axes(*[1] * sizes.layers)], *names, axis=0)
    for layer in range(sizes.layers):
        constants = net.lstm("prediction.dec_rnn.lstm", layer, sizes.embedded, sizes.embedded)
        states = [f"{kind}_{layer}" for kind in ("hidden", "cell")]
        inputs = [x, *constants, "", *(f"{state}_before" for state in states)]
        net.node("LSTM", inputs, f"layer_{layer}", *states, hidden_size=sizes.embedded)
        x = net.node("Squeeze", [f"layer_{layer}", net.axes(1)])
    net.node("Squeeze", [x, net.axes(0)], "output")
    for kind, names in (("hidden", places[: sizes.layers]), ("cell", places[sizes.layers :])):
        net.node("Transpose", [net.node("Concat", names, axis=0)], f"next_{kind}", perm=[1, 0, 2])
    state = ("batch", sizes.layers, sizes.embedded)
    return net.model(
        "rnnt-prediction",
        [_value("label", _INT64, "batch"), _value("hidden", _FLOAT, *state), _value("cell", _FLOAT, *state)],
        [
            _value("output", _FLOAT, "batch", sizes.embedded),
            _value("next_hidden", _FLOAT, *state),
            _value("next_cell", _FLOAT, *state),
        ],
    )


def _joint(weights: Weights, sizes: Sizes) -> onnx.ModelProto:
    net = _Net(weights)
    x = net.node("Concat", ["encoded", "output"], axis=1)
    x = net.node("Relu", [_linear(net, "joint.net.0", x, sizes.hidden + sizes.embedded, sizes.joined)])
    _linear(net, "joint.net.3", x, sizes.joined, LABELS, "scores")
    return net.model(
        "rnnt-joint",
        [_value("encoded", _FLOAT, "batch", sizes.hidden), _value("output", _FLOAT, "batch", sizes.embedded)],
        [_value("scores", _FLOAT, "batch", LABELS)],
    )


def _linear(net: _Net, name: str, x: str, size: int, outputs: int, *output: str) -> str:
    weight = net.constant(f"{name}.weight", net.weights.take(f"{name}.weight", (outputs, size)))
    bias = net.constant(f"{name}.bias", net.weights.take(f"{name}.bias", (outputs,)))
    return net.node("Gemm", [x, weight, bias], *output, transB=1)


def _reordered(value: NDArray[np.float64], hidden: int) -> NDArray[np.float64]:
    blocks = value.reshape(4, hidden, *value.shape[1:])
    return blocks[list(_GATES)].reshape(value.shape)


def _value(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))

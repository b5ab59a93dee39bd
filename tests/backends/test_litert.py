"""LiteRT on models written here: the contract's classifier as a flatbuffer, in fp32 and in int8."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from assay.backends.litert import BACKEND
from assay.backends.protocol import BackendOptions, ModelFormat, Precision, Session
from assay.errors import InvalidInputError, MissingDependencyError, UsageError
from assay.testing import TINY_CLASSES, BackendContract, _tiny_weights, tiny_logits

s = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="the extra litert is not installed")

FREE, FIXED = (-1, 8, 8, 3), (1, 8, 8, 3)


class Writer:
    """A TensorFlow Lite model under construction."""

    def __init__(self) -> None:
        self.model, self.graph = s.ModelT(), s.SubGraphT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers, self.model.operatorCodes = [s.BufferT()], []
        self.graph.tensors, self.graph.operators = [], []

    def tensor(
        self, name: str, shape: tuple[int, ...], data: np.ndarray | None = None, *, kind: Any = None, scale: float = 0.0
    ) -> int:
        tensor = s.TensorT()
        tensor.name, tensor.type = name, s.TensorType.FLOAT32 if kind is None else kind
        tensor.shape, tensor.shapeSignature = [max(size, 1) for size in shape], list(shape)
        tensor.buffer = 0
        if scale:
            tensor.quantization = s.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [3 if data is None else 0]
        if data is not None:
            buffer = s.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def node(self, code: int, inputs: list[int], outputs: list[int], options: Any = None, kind: int = 0) -> None:
        entry = s.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = (
            5 if code == s.BuiltinOperator.FULLY_CONNECTED else 3 if code == s.BuiltinOperator.CONV_2D else 2
        )
        self.model.operatorCodes.append(entry)
        operator = s.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self.model.operatorCodes) - 1, inputs, outputs
        operator.builtinOptions, operator.builtinOptionsType = options, kind
        self.graph.operators.append(operator)

    def write(self, path: Path, inputs: list[int], outputs: list[int]) -> Path:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path


def classifier(path: Path, shape: tuple[int, ...] = FREE) -> Path:
    """The contract's classifier, NHWC as TensorFlow Lite wants it."""
    kernel, weight = _tiny_weights()
    batch, w = shape[0], Writer()
    image = w.tensor("image", shape)
    conv_weight = w.tensor("kernel", (4, 3, 3, 3), kernel.transpose(0, 2, 3, 1))
    zeros = w.tensor("zeros", (4,), np.zeros(4, np.float32))
    conv = w.tensor("conv", (batch, 8, 8, 4))
    options = s.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding, options.fusedActivationFunction = s.Padding.SAME, s.ActivationFunctionType.RELU
    w.node(s.BuiltinOperator.CONV_2D, [image, conv_weight, zeros], [conv], options, s.BuiltinOptions.Conv2DOptions)
    axes = w.tensor("axes", (2,), np.array([1, 2], np.int32), kind=s.TensorType.INT32)
    mean = w.tensor("mean", (batch, 4))
    w.node(s.BuiltinOperator.MEAN, [conv, axes], [mean], s.ReducerOptionsT(), s.BuiltinOptions.ReducerOptions)
    dense = w.tensor("weight", (TINY_CLASSES, 4), weight.T)
    bias = w.tensor("bias", (TINY_CLASSES,), np.zeros(TINY_CLASSES, np.float32))
    logits = w.tensor("logits", (batch, TINY_CLASSES))
    w.node(
        s.BuiltinOperator.FULLY_CONNECTED,
        [mean, dense, bias],
        [logits],
        s.FullyConnectedOptionsT(),
        s.BuiltinOptions.FullyConnectedOptions,
    )
    return w.write(path, [image], [logits])


def quantised(path: Path, batch: int = -1) -> Path:
    """A linear layer in int8: every tensor with a scale of its own, activations around 3."""
    int8, w = s.TensorType.INT8, Writer()
    x = w.tensor("x", (batch, 4), kind=int8, scale=0.05)
    weight = w.tensor("w", (2, 4), np.array([[1, 2, 3, 4], [-4, -3, -2, -1]], np.int8), kind=int8, scale=0.1)
    bias = w.tensor("b", (2,), np.zeros(2, np.int32), kind=s.TensorType.INT32, scale=0.005)
    y = w.tensor("y", (batch, 2), kind=int8, scale=0.02)
    options = s.FullyConnectedOptionsT()
    w.node(s.BuiltinOperator.FULLY_CONNECTED, [x, weight, bias], [y], options, s.BuiltinOptions.FullyConnectedOptions)
    return w.write(path, [x], [y])


class _Contract(BackendContract):
    shape = FREE

    def backend(self) -> Any:
        return BACKEND

    def model(self, folder: Path) -> Path:
        return classifier(folder / "tiny.tflite", self.shape)

    def broken_model(self, folder: Path) -> Path:
        path = folder / "broken.tflite"
        path.write_bytes(b"\x1c\0\0\0TFL3" + b"\x55" * 400)
        return path

    def expected(self, images: np.ndarray) -> np.ndarray:
        return tiny_logits(images.transpose(0, 3, 1, 2))


class TestAnyBatch(_Contract):
    pass


class TestOneSampleResized(_Contract):
    """The file says batch 1, which it need not be."""

    shape = FIXED


def opened(path: Path, **options: Any) -> Session:
    return BACKEND.open(path, BackendOptions(threads=1, **options))


def test_it_reads_tflite_only_and_tells_how_it_computes(tmp_path: Path) -> None:
    assert BACKEND.formats == (ModelFormat.TFLITE,)
    path = classifier(tmp_path / "m.tflite")
    facts = opened(path).describe()
    assert (facts["delegate"], facts["precision"], facts["threads"]) == ("XNNPACK", "fp32", "1")
    plain = opened(path, extra={"xnnpack": "off"})
    assert plain.describe()["delegate"] == "none"
    images = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype(np.float32)
    assert np.allclose(plain.stream().run((images,))[0], tiny_logits(images.transpose(0, 3, 1, 2)), atol=1e-4)


def test_a_model_that_answers_together_other_than_alone_keeps_its_batch(tmp_path: Path) -> None:
    """A mean over the batch: resized, it would give every sample the others' answer."""
    w = Writer()
    x, y = w.tensor("x", (1, 4)), w.tensor("y", (1, 4))
    axes = w.tensor("axes", (1,), np.array([0], np.int32), kind=s.TensorType.INT32)
    options = s.ReducerOptionsT()
    options.keepDims = True
    w.node(s.BuiltinOperator.MEAN, [x, axes], [y], options, s.BuiltinOptions.ReducerOptions)
    session = opened(w.write(tmp_path / "mean.tflite", [x], [y]))
    assert session.inputs[0].shape == (1, 4)
    with pytest.raises(InvalidInputError, match="batches of 1 only"):
        session.prepare([2])
    with pytest.raises(InvalidInputError, match="refuses the input 'x'"):
        session.stream().run((np.zeros((2, 4), np.float32),))


def test_a_quantised_model_shows_its_inputs_as_they_are(tmp_path: Path) -> None:
    path = quantised(tmp_path / "q.tflite")
    session = opened(path, precision=Precision.INT8)
    assert session.inputs[0].dtype == session.outputs[0].dtype == np.int8
    # 0.05 * (x - 3) is the value; the weights are 0.1 * w; the answer 0.02 * (y - 3).
    answer = session.stream().run((np.array([[3, 3, 3, 23]], np.int8),))[0]
    assert answer.tolist() == [[23, -2]]
    with pytest.raises(InvalidInputError, match="refuses the inputs"):
        session.stream().run((np.ones((1, 4), np.float32),))


def test_floats_are_quantised_here_when_asked_for(tmp_path: Path) -> None:
    session = opened(quantised(tmp_path / "q.tflite", batch=1), precision=Precision.INT8, extra={"io": "float"})
    assert session.inputs[0].dtype == session.outputs[0].dtype == np.float32
    assert session.inputs[0].shape == (-1, 4)
    answer = session.stream().run((np.array([[0, 0, 0, 1.0], [0, 0, 0, 99.0]], np.float32),))[0]
    assert np.allclose(answer, [[0.4, -0.1], [2.48, -0.62]], atol=0.011)
    assert "quantised here" in session.describe()["inputs"]


def test_no_format_goes_under_another_name(tmp_path: Path) -> None:
    path = quantised(tmp_path / "q.tflite")
    with pytest.raises(UsageError, match="the model is quantised"):
        opened(path)
    with pytest.raises(UsageError, match="not quantised"):
        opened(classifier(tmp_path / "m.tflite"), precision=Precision.INT8)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0TFL4" + b"\0" * 64, b"\xff" * 12 + b"TFL3"])
def test_what_does_not_say_that_it_is_a_model_is_not_given_to_the_library(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="no TensorFlow Lite model"):
        opened(path)


def test_options_are_checked() -> None:
    for extra in ({"xnnpack": "perhaps"}, {"io": "int"}, {"xnpack": "on"}):
        with pytest.raises(UsageError):
            BACKEND.check_options(BackendOptions(extra=extra))


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingDependencyError) as caught:
        BACKEND.capabilities()
    assert caught.value.hint == 'pip install "assay[litert]"'

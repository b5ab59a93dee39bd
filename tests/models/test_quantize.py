from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.quantize import (
    Method,
    is_quantised,
    nodes_behind,
    operations_of,
    quantize_int8,
    quantize_static,
    usual_method,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    graph = Graph("tiny", 16)
    x = graph.relu(
        graph.conv("input", random.standard_normal((8, 3, 3, 3)) / 5, np.zeros(8), stride=2, pads=(1, 1, 1, 1))
    )
    output = graph.pool_and_classify(x, random.standard_normal((5, 8)), np.zeros(5))
    path = tmp_path / "fp32.onnx"
    path.write_bytes(graph.model(output, 5).SerializeToString())
    return path


def run(path: Path, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"input": images})[0])


def test_int8_answers_are_close_to_fp32_ones(model: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(1).standard_normal((12, 3, 16, 16)).astype(np.float32)
    target = tmp_path / "int8.onnx"
    assert not is_quantised(model)
    quantize_static(model, target, (images,))
    assert is_quantised(target)
    plain, quantised = run(model, images), run(target, images)
    assert np.abs(plain - quantised).max() < 0.1 * np.abs(plain).max()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("assay-")] == []


def test_a_model_with_another_number_of_inputs_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not what the model takes"):
        quantize_static(model, tmp_path / "x.onnx", ())


def test_no_calibration_samples_are_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no calibration samples") as caught:
        quantize_int8(model, tmp_path / "x.onnx", ())
    assert "--method dynamic" in (caught.value.hint or "")


def test_only_recurrent_networks_are_not_quantised_statically(model: Path, tmp_path: Path) -> None:
    assert usual_method(model) is Method.STATIC
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 4], np.eye(4, dtype=np.float32).tobytes(), raw=True)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "linear", ends[:1], ends[1:], [weight])
    linear = tmp_path / "linear.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    linear.write_bytes(made.SerializeToString())
    assert usual_method(linear) is Method.STATIC
    nodes = [helper.make_node("LSTM", ["x", "w", "w"], ["y"], hidden_size=1)]
    recurrent = helper.make_model(helper.make_graph(nodes, "recurrent", ends[:1], ends[1:], [weight]))
    (tmp_path / "lstm.onnx").write_bytes(recurrent.SerializeToString())
    assert usual_method(tmp_path / "lstm.onnx") is Method.DYNAMIC
    quantize_int8(linear, tmp_path / "dynamic.onnx", (), Method.DYNAMIC)
    assert "MatMulInteger" in operations_of(tmp_path / "dynamic.onnx")
    with pytest.raises(InvalidInputError, match="quantised already"):
        quantize_int8(tmp_path / "dynamic.onnx", tmp_path / "x.onnx", (), Method.DYNAMIC)


def test_a_model_without_such_layers_is_told(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "nothing", ends[:1], ends[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(InvalidInputError, match="no layer that can be quantised"):
        quantize_int8(tmp_path / "m.onnx", tmp_path / "x.onnx", (), Method.DYNAMIC)
    with pytest.raises(InvalidInputError, match="not an ONNX model"):
        operations_of(tmp_path)


def test_what_comes_behind_the_last_heavy_layer_stays_as_it_is(tmp_path: Path) -> None:
    """Coordinates and scores that leave a detector as one tensor would share 256 steps."""
    nodes = [
        helper.make_node("Conv", ["input", "kernel"], ["map"], name="conv", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["input"], ["side"], name="side"),
        helper.make_node("MatMul", ["map", "weight"], ["product"], name="product"),
        helper.make_node("Sigmoid", ["product"], ["score"], name="score"),
        helper.make_node("Concat", ["score", "side"], ["output"], name="joined", axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "kernel"),
        numpy_helper.from_array(np.ones((4, 4), np.float32), "weight"),
    ]
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size, 4, 4])
        for name, size in (("input", 3), ("output", 6))
    ]
    graph = helper.make_graph(nodes, "detector", infos[:1], infos[1:], constants)
    path = tmp_path / "detector.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    assert nodes_behind(path) == ["side", "score", "joined"]

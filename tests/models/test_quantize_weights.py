from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.errors import InvalidInputError
from assay.models.quantize import quantize_static
from assay.models.quantize_weights import Storage, _rounded, store_weights
from assay.testing import TINY_SHAPE, tiny_classifier, tiny_logits


def run(path: Path, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"input": images})[0])


@pytest.mark.parametrize("storage", list(Storage))
def test_weights_take_half_the_bytes_and_answers_stay_close(tmp_path: Path, storage: Storage) -> None:
    model, target = tiny_classifier(tmp_path / "m.onnx"), tmp_path / "half.onnx"
    images = np.random.default_rng(0).standard_normal((3, *TINY_SHAPE)).astype(np.float32)
    assert store_weights(model, target, storage) == 1, "the kernel has 108 numbers, the other weight 40"
    kept = {item.name: item for item in onnx.load(str(target)).graph.initializer}
    assert len(kept[f"kernel.{storage.value}"].raw_data) == 2 * 108
    difference = np.abs(run(target, images) - tiny_logits(images)).max()
    assert 0 < difference < (0.02 if storage is Storage.BF16 else 0.003)
    openvino = pytest.importorskip("openvino")
    compiled = openvino.Core().compile_model(str(target), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert np.allclose(compiled(images)[0], run(target, images), atol=1e-4)


def test_bf16_is_rounded_to_nearest_even() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, -2.5, 3.4e38], np.float32)
    bits = _rounded(values[:4], Storage.BF16)
    assert bits is not None
    back = (bits.astype(np.uint32) << 16).view(np.float32)
    assert back.tolist() == [1.0, 1.0, 1.015625, -2.5]
    assert _rounded(values, Storage.BF16) is None, "3.4e38 rounds to infinity"
    assert _rounded(values, Storage.FP16) is None


def one_weight(path: Path, values: np.ndarray, opset: int = 17) -> Path:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "w"], ["y"])],
        "one",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", len(values)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", values.shape[1]])],
        [numpy_helper.from_array(values, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_weights_beyond_fp16_stay_as_they_are(tmp_path: Path) -> None:
    values = np.ones((8, 16), np.float32)
    values[0, 0] = 1e6
    with pytest.raises(InvalidInputError, match="no float32 weights"):
        store_weights(one_weight(tmp_path / "m.onnx", values), tmp_path / "x.onnx", Storage.FP16)
    assert store_weights(tmp_path / "m.onnx", tmp_path / "x.onnx", Storage.BF16) == 1


def test_what_cannot_be_stored_so_is_refused(tmp_path: Path) -> None:
    model, target = tiny_classifier(tmp_path / "m.onnx"), tmp_path / "x.onnx"
    store_weights(model, tmp_path / "half.onnx", Storage.FP16)
    quantize_static(model, tmp_path / "int8.onnx", (np.ones((2, *TINY_SHAPE), np.float32),))
    for path, words in (("half.onnx", "half precision already"), ("int8.onnx", "quantised already")):
        with pytest.raises(InvalidInputError, match=words):
            store_weights(tmp_path / path, target, Storage.BF16)
    with pytest.raises(InvalidInputError, match="opset is too old"):
        store_weights(one_weight(tmp_path / "o.onnx", np.ones((8, 16), np.float32), 12), target, Storage.BF16)
    assert not target.exists()

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.quantize import is_quantised, quantize_static


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
    with pytest.raises(InvalidInputError, match="one input"):
        quantize_static(model, tmp_path / "x.onnx", ())

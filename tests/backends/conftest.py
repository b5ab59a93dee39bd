from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.models.quantize import quantize_static
from assay.testing import tiny_classifier


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small fp32 classifier that takes any batch."""
    return tiny_classifier(tmp_path / "tiny.onnx")


@pytest.fixture
def fixed_model(tmp_path: Path) -> Path:
    """The same, for batches of 2 only."""
    return tiny_classifier(tmp_path / "tiny-2.onnx", batch=2)


@pytest.fixture(scope="session")
def int8_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in int8."""
    folder = tmp_path_factory.mktemp("int8")
    samples = np.random.default_rng(3).standard_normal((8, 3, 8, 8)).astype(np.float32)
    quantize_static(tiny_classifier(folder / "tiny.onnx"), folder / "tiny-int8.onnx", (samples,))
    return folder / "tiny-int8.onnx"

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.inspection import inspect_onnx


def test_inputs_and_outputs_without_the_constants(classifier: Path) -> None:
    (image,), (logits,) = inspect_onnx(classifier)
    assert (image.name, image.dtype, image.shape) == ("input", np.dtype("float32"), (-1, 3, 32, 32))
    assert (logits.name, logits.shape) == ("logits", (-1, 10))


@pytest.mark.parametrize("raw", [b"", b"no model", bytes(range(200)), b"\x08\x08"])
def test_what_is_no_model_is_told(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.onnx").write_bytes(raw)
    with pytest.raises(InvalidInputError, match="not an ONNX model"):
        inspect_onnx(tmp_path / "x.onnx")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        inspect_onnx(tmp_path / "none.onnx")
    with pytest.raises(InvalidInputError):
        inspect_onnx(tmp_path)

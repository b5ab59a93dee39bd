from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.layouts import check_layout
from assay.errors import InvalidInputError


def test_a_model_is_a_file_or_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    assert check_layout("onnx-model", tmp_path / "m.onnx").path == tmp_path / "m.onnx"
    assert check_layout("onnx-model", tmp_path).samples == 1
    (tmp_path / "x.txt").touch()
    (tmp_path / "empty").mkdir()
    for name in ("x.txt", "empty"):
        with pytest.raises(InvalidInputError, match="no ONNX model"):
            check_layout("onnx-model", tmp_path / name)

"""An ONNX model made on this machine: a file, or a folder of a model's parts."""

from __future__ import annotations

from pathlib import Path

from assay.assets.layouts.common import Checked
from assay.errors import InvalidInputError


def check_onnx_model(path: Path, partial: bool) -> Checked:
    """Check that there is a model.

    Raises:
        InvalidInputError: when there is none.
    """
    del partial
    found = path.suffix == ".onnx" if path.is_file() else any(path.rglob("*.onnx"))
    if not found:
        raise InvalidInputError(
            "there is no ONNX model here", where=path, expected="an .onnx file, or a folder of them"
        )
    return Checked(path, 1, partial=False)

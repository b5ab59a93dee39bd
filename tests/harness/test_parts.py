from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.harness.parts import part_files


def test_parts_are_files_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"")
    assert part_files(tmp_path, {"encoder": "a.onnx"}) == {"encoder": tmp_path / "a.onnx"}
    assert part_files(tmp_path, {}) == {"model": tmp_path}


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no part 'joint'"):
        part_files(tmp_path, {"joint": "joint.onnx"})


@pytest.mark.parametrize("name", ["../a.onnx", "/etc/passwd", "x/../../a"])
def test_a_part_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="outside the model's folder"):
        part_files(tmp_path, {"joint": name})

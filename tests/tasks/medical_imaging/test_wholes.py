from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.medical_imaging.wholes import CHANGES

from .conftest import write_heads, write_nifti

Open = Callable[..., Any]
BRAIN: dict[str, Any] = {
    "method": "whole",
    "size": 16,
    "classes": ["brain"],
    "output": {"kind": "probability"},
}


def test_one_head_and_its_changed_copies(tmp_path: Path, opened: Open) -> None:
    dataset = opened(write_heads(tmp_path / "colin"), {**BRAIN, "copies": 7})
    assert dataset.names == ("colin27", *(f"colin27, {change}" for change in CHANGES))
    assert dataset.groups() == {"original": (0,), "copies": tuple(range(1, 8))}
    cubes = [cube for cube, _ in dataset.load(range(8))]
    for number, (cube, mask) in enumerate(zip(cubes, map(dataset.mask, range(8)), strict=True)):
        assert cube.shape == (16, 16, 16)
        assert cube.max() == 1.0
        assert mask.shape == (20, 24, 22)
        assert set(np.unique(mask)) == {0, 1}
        assert int(mask.sum()) == pytest.approx(int(dataset.mask(0).sum()), rel=0.05)
        assert all(not np.array_equal(cube, other) for other in cubes[:number])
    assert np.array_equal(dataset.mask(1), dataset.mask(0)[::-1])
    assert np.array_equal(dataset.mask(2), dataset.mask(0))


def test_without_copies_nothing_is_told_apart(tmp_path: Path, opened: Open) -> None:
    dataset = opened(write_heads(tmp_path / "heads", 3), BRAIN)
    assert dataset.names == ("head_0", "head_1", "head_2")
    assert dataset.groups() == {}
    ((cube, shape),) = dataset.load([2])
    assert (cube.dtype, shape.tolist()) == (np.float32, [20, 24, 22])
    assert opened(tmp_path / "heads", {**BRAIN, "copies": 1}, limit=3).names == (
        "head_0",
        "head_0, mirrored",
        "head_1",
    )


def test_a_head_that_cannot_be_read_is_told_or_left_out(tmp_path: Path, opened: Open) -> None:
    heads = write_heads(tmp_path / "heads", 3)
    (heads / "head_1" / "imaging.nii.gz").write_bytes(b"rubbish")
    (heads / "head_2" / "segmentation.nii.gz").unlink()
    with pytest.raises(InvalidInputError, match="head_1") as caught:
        opened(heads, BRAIN)
    assert "--skip-bad" in str(caught.value.hint)
    dataset = opened(heads, BRAIN, skip_bad=True)
    assert (dataset.names, [each.name for each in dataset.skipped]) == (("head_0",), ["head_1", "head_2"])


def test_heads_without_affine_or_with_another_mask_are_refused(tmp_path: Path, opened: Open) -> None:
    heads = write_heads(tmp_path / "heads")
    write_nifti(heads / "ch2bet.nii.gz", np.zeros((20, 20, 20), np.uint8))
    with pytest.raises(InvalidInputError, match="differ in shape"):
        opened(heads, BRAIN)
    write_nifti(heads / "ch2.nii.gz", np.zeros((20, 20, 20), np.uint8), affine=None)
    with pytest.raises(InvalidInputError, match="no affine"):
        opened(heads, BRAIN)


def test_a_folder_without_heads(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="no volumes"):
        opened(tmp_path / "empty", BRAIN)
    with pytest.raises(NotFoundError):
        opened(tmp_path / "none", BRAIN)

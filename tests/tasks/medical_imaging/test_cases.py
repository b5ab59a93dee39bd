from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError

from .conftest import AFFINE, NAMES, SHAPES, SMALL, image_of, labels_of, write_case, write_nifti

Open = Callable[..., Any]


def write_raw(folder: Path, name: str, shape: tuple[int, int, int], affine: Any = AFFINE) -> None:
    voxels = np.random.default_rng(len(name)).integers(-200, 400, shape, np.int16)
    write_nifti(folder / name / "imaging.nii.gz", voxels, affine)
    write_nifti(folder / name / "segmentation.nii.gz", (voxels > 300).astype(np.uint8), affine)


def test_cases_come_in_order_with_their_windows_and_masks(cases: Path, opened: Open) -> None:
    dataset = opened(cases, SMALL)
    assert [case.name for case in dataset.cases] == list(NAMES)
    assert dataset.sizes.tolist() == [2, 1, 6, 2]
    assert dataset.shapes == SHAPES
    for number in (2, 0):
        ((image,),) = dataset.load([number])
        assert np.array_equal(image, image_of(number))
        assert np.array_equal(dataset.mask(number), labels_of(number))
    assert opened(cases, SMALL, limit=2).count == 2


def test_nothing_is_read_again_when_nothing_changed(cases: Path, opened: Open) -> None:
    opened(cases, SMALL)
    path = cases / "case_00003.pkl"
    stamp = path.stat()
    path.write_bytes(b"\x80" + bytes(stamp.st_size - 1))
    import os

    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    dataset = opened(cases, SMALL)
    with pytest.raises(InvalidInputError, match="case_00003"):
        dataset.load([1])


def test_a_case_that_cannot_be_read_is_told_or_left_out(cases: Path, opened: Open) -> None:
    (cases / "case_00003.pkl").write_bytes(b"\x80\x04rubbish")
    shutil.rmtree(cases / "nifti" / "case_00006")
    with pytest.raises(InvalidInputError, match="case_00003") as caught:
        opened(cases, SMALL)
    assert "--skip-bad" in str(caught.value.hint)
    dataset = opened(cases, SMALL, skip_bad=True)
    assert [case.name for case in dataset.cases] == ["case_00000", "case_00005"]
    assert [sample.name for sample in dataset.skipped] == ["case_00003", "case_00006"]
    for name in ("case_00000", "case_00005"):
        (cases / f"{name}.pkl").write_bytes(b"rubbish")
    with pytest.raises(InvalidInputError, match="no volume of the dataset"):
        opened(cases, SMALL, skip_bad=True)


def test_a_mask_of_another_shape_is_refused(cases: Path, opened: Open) -> None:
    write_nifti(cases / "nifti" / "case_00000" / "segmentation.nii.gz", labels_of(2))
    with pytest.raises(InvalidInputError, match="another shape than its image"):
        opened(cases, SMALL)


def test_a_volume_prepared_for_another_window_is_refused(tmp_path: Path, opened: Open) -> None:
    write_case(tmp_path / "odd", "case_00000", np.zeros((8, 9, 8), np.float32), np.zeros((8, 9, 8), np.uint8))
    with pytest.raises(InvalidInputError, match="do not cover") as caught:
        opened(tmp_path / "odd", SMALL)
    assert str(caught.value.where).endswith("case_00000.pkl")


def test_raw_volumes_are_prepared_and_kept(tmp_path: Path, opened: Open) -> None:
    raw = tmp_path / "raw"
    for name, shape in (("case_00003", (9, 14, 10)), ("case_00000", (8, 8, 8)), ("case_00001", (8, 8, 8))):
        write_raw(raw, name, shape)
    dataset = opened(raw, SMALL)
    assert [case.name for case in dataset.cases] == ["case_00000", "case_00003"], "the inference cases, by name"
    assert dataset.shapes == ((8, 8, 8), (8, 16, 12))
    for index in range(2):
        ((image,),) = dataset.load([index])
        assert image.shape == dataset.mask(index).shape == dataset.shapes[index]
        assert image.dtype == np.float32
        assert -2.35 < image.min() < image.max() < 2.65
    again = opened(raw, SMALL)
    assert again.kept.home == dataset.kept.home
    assert np.array_equal(again.load([1])[0][0], dataset.load([1])[0][0])


def test_volumes_of_other_names_are_all_taken(tmp_path: Path, opened: Open) -> None:
    write_raw(tmp_path / "own", "b", (8, 8, 8))
    write_raw(tmp_path / "own", "a", (8, 8, 8))
    assert [case.name for case in opened(tmp_path / "own", SMALL).cases] == ["a", "b"]


def test_a_raw_volume_without_affine_or_of_another_shape_is_refused(tmp_path: Path, opened: Open) -> None:
    write_raw(tmp_path / "bare", "case_00000", (8, 8, 8), affine=None)
    with pytest.raises(InvalidInputError, match="no affine"):
        opened(tmp_path / "bare", SMALL)
    write_raw(tmp_path / "two", "case_00000", (8, 8, 8))
    write_nifti(tmp_path / "two" / "case_00000" / "segmentation.nii.gz", np.zeros((8, 8, 9), np.uint8))
    with pytest.raises(InvalidInputError, match="differ in shape"):
        opened(tmp_path / "two", SMALL)
    (tmp_path / "two" / "case_00000" / "segmentation.nii.gz").unlink()
    with pytest.raises(InvalidInputError, match="not there"):
        opened(tmp_path / "two", SMALL)


def test_a_folder_that_is_not_there(tmp_path: Path, opened: Open) -> None:
    with pytest.raises(NotFoundError):
        opened(tmp_path / "none", SMALL)

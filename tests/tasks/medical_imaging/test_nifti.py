from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.medical_imaging.nifti import read_header, read_volume

from .conftest import AFFINE, write_nifti

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "volume.nii.gz", VOXELS)


def patched(path: Path, offset: int, form: str, *values: float | bytes) -> Path:
    """The volume with a part of its header overwritten."""
    raw = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into(form, raw, offset, *values)
    path.write_bytes(gzip.compress(bytes(raw)))
    return path


def refused(path: Path, *, affine: bool = True) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_volume(path, read_header(path, affine=affine))
    assert caught.value.where == str(path)
    return caught.value


def test_shape_spacing_and_voxels(volume: Path, tmp_path: Path) -> None:
    header = read_header(volume)
    assert header.shape == (4, 5, 6)
    assert header.spacing == pytest.approx((1.6, 1.2, 1.2))
    assert np.array_equal(header.affine, np.float32(AFFINE))
    assert np.array_equal(read_volume(volume, header), VOXELS)
    plain = write_nifti(tmp_path / "plain.nii", VOXELS)
    assert np.array_equal(read_volume(plain, read_header(plain)), VOXELS)


def test_scaled_and_swapped_voxels_are_what_nibabel_says(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOXELS.astype(">i2"), AFFINE, nibabel.Nifti1Header(endianness=">"))
    image.header.set_slope_inter(2.0, -3.0)
    nibabel.save(image, tmp_path / "scaled.nii.gz")
    path = patched(tmp_path / "scaled.nii.gz", 112, ">ff", 2.0, -3.0)
    found = read_volume(path, read_header(path))
    assert np.allclose(found, nibabel.load(path).get_fdata())
    assert found.dtype.kind == "f"


def test_a_trailing_axis_of_one_is_no_axis(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "one.nii.gz", VOXELS[..., None])
    assert read_volume(path, read_header(path)).shape == (4, 5, 6)


def test_a_volume_without_affine_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "bare.nii.gz", VOXELS, affine=None)
    error = refused(path)
    assert "no affine" in error.what
    assert error.hint
    assert read_header(path, affine=False).shape == (4, 5, 6)


def test_a_series_is_no_volume(tmp_path: Path) -> None:
    error = refused(write_nifti(tmp_path / "series.nii.gz", np.zeros((4, 4, 4, 2), np.uint8)))
    assert (error.found, "three dimensions" in error.what) == ("4 x 4 x 4 x 2", True)
    assert refused(write_nifti(tmp_path / "flat.nii.gz", np.zeros((4, 4), np.uint8))).found == "4 x 4"


def test_colours_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    assert "plain numbers" in refused(write_nifti(tmp_path / "c.nii.gz", VOXELS.astype(np.complex64))).what
    rgb = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert "plain numbers" in refused(write_nifti(tmp_path / "rgb.nii.gz", rgb)).what


def test_a_bomb_is_told_by_its_header_and_never_unpacked(volume: Path) -> None:
    """4,096 voxels along each axis would be 128 GiB; the file has a few hundred bytes."""
    error = refused(patched(volume, 40, "<8h", 3, 4096, 4096, 4096, 1, 1, 1, 1))
    assert error.found == "4096 x 4096 x 4096"


def test_voxels_behind_gigabytes_of_nothing(volume: Path) -> None:
    assert "impossible place" in refused(patched(volume, 108, "<f", 3e9)).what


def test_more_voxels_than_there_are(volume: Path) -> None:
    assert "cut off or damaged" in refused(patched(volume, 40, "<8h", 3, 40, 50, 60, 1, 1, 1, 1)).what


@pytest.mark.parametrize(
    ("offset", "form", "values", "word"),
    [
        (40, "<h", (9,), "NIfTI"),
        (40, "<8h", (3, -4, 5, 6, 1, 1, 1, 1), "too large or has no voxels"),
        (40, "<8h", (3, 0, 5, 6, 1, 1, 1, 1), "too large or has no voxels"),
        (70, "<h", (999,), "NIfTI"),
        (76, "<4f", (1, 0, 1, 1), "size of a voxel"),
        (76, "<4f", (1, float("nan"), 1, 1), "size of a voxel"),
        (280, "<12f", (0,) * 12, "singular"),
        (280, "<12f", (float("inf"),) * 12, "no number"),
        (344, "4s", (b"ni1\0",), "in one file"),
        (344, "4s", (b"abcd",), "in one file"),
    ],
    ids=str,
)
def test_headers_that_lie(volume: Path, offset: int, form: str, values: tuple[float], word: str) -> None:
    assert word in str(refused(patched(volume, offset, form, *values)))


@pytest.mark.parametrize("kept", [0, 10, 100, 150, -30])
def test_files_that_are_cut_off(volume: Path, kept: int) -> None:
    volume.write_bytes(volume.read_bytes()[:kept])
    refused(volume)


def test_what_is_no_nifti(tmp_path: Path) -> None:
    for name, raw in (("a.nii.gz", b"not gzip" * 99), ("b.nii", b"\xff" * 999), ("c.nii", bytes(999))):
        (tmp_path / name).write_bytes(raw)
        refused(tmp_path / name)
    with pytest.raises(NotFoundError):
        read_header(tmp_path / "none.nii.gz")
    with pytest.raises(NotFoundError):
        read_header(tmp_path)


def test_voxels_that_are_no_numbers(tmp_path: Path) -> None:
    voxels = np.ones((4, 4, 4), np.float32)
    voxels[1, 2, 3] = np.nan
    assert "finite" in refused(write_nifti(tmp_path / "nan.nii.gz", voxels)).what

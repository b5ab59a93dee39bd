"""Figures were taken from the reference's preprocess.py (mlcommons/inference v3.1, scipy 1.12, numpy 1.26) on these volumes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.tasks.medical_imaging.preprocess import prepare
from assay.tasks.medical_imaging.recipe import Recipe, read_recipe


def volume(shape: tuple[int, int, int]) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    z, y, x = np.indices(shape)
    image = ((37 * z + 11 * y * y + 5 * x * z) % 500 - 120).astype(np.int16)
    return image, ((z + 2 * y + 3 * x) // 9 % 3).astype(np.uint8)


REFERENCE = [
    ((10, 30, 21), (3.0, 0.8, 0.9), (16, 24, 16), -543.278, -1437105.32, (-2.2, 1.183355, 2.639792), 15624248),
    ((9, 17, 26), (1.6, 1.2, 1.2), (16, 16, 24), 1000.7933, 5507469.4, (-2.340702, -2.197659, 2.470741), 19082109),
    ((24, 16, 20), (1.0, 1.5, 1.2), (16, 24, 24), -4240.4473, -18562171.73, (-2.2, -1.017726, 2.005338), 29613398),
    ((8, 9, 45), (2.5, 0.5, 0.7), (16, 16, 24), 555.8467, 6499466.82, (-2.340702, -0.103243, 2.639792), 18840722),
]


@pytest.mark.parametrize(
    ("shape", "spacing", "wanted", "total", "weighted", "some", "labels"), REFERENCE, ids=[str(r[0]) for r in REFERENCE]
)
def test_it_is_what_the_reference_makes(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    wanted: tuple[int, int, int],
    total: float,
    weighted: float,
    some: tuple[float, float, float],
    labels: int,
) -> None:
    recipe = read_recipe({"size": 16, "synthetic": [16, 16, 16]})
    # A header keeps the size of a voxel in single precision.
    single = (float(np.float32(spacing[0])), float(np.float32(spacing[1])), float(np.float32(spacing[2])))
    image, mask = prepare(*volume(shape), single, recipe)
    assert image.shape == mask.shape == wanted
    assert (image.dtype, mask.dtype) == (np.float32, np.uint8)
    assert image.flags.c_contiguous
    place = np.arange(image.size).reshape(image.shape)
    assert image.astype(np.float64).sum() == pytest.approx(total, abs=1e-2)
    assert (image.astype(np.float64) * place).sum() == pytest.approx(weighted, abs=20)
    assert [image[0, 0, 0], image[7, 8, 9], image[15, 15, 15]] == pytest.approx(some, abs=1e-5)
    assert int((mask.astype(np.int64) * place).sum()) == labels


def test_what_has_the_size_already_is_not_resampled() -> None:
    image, mask = volume((16, 16, 16))
    recipe = Recipe.model_validate({"size": 16, "raw": {"spacing": [2.0, 2.0, 2.0], "clip": [-1000, 1000]}})
    prepared, labels = prepare(image, mask, (2.0, 2.0, 2.0), recipe)
    assert np.allclose(prepared, (image - 101.0) / 76.9, atol=1e-5)
    assert np.array_equal(labels, mask)

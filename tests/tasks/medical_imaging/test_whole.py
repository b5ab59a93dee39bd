from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import zoom

from assay.base.tensors import Array, TensorSpec
from assay.errors import RunFailedError
from assay.tasks.medical_imaging.recipe import read_recipe
from assay.tasks.medical_imaging.whole import WholePipeline, linear, resize, resized, to_cube
from assay.tasks.protocol import ModelPart

RECIPE = {"method": "whole", "size": 8, "classes": ["brain"], "output": {"kind": "probability"}}


def pipeline(run: Any, *, batch: int = -1, layout: str = "NDHWC") -> WholePipeline:
    shape = (batch, 8, 8, 8, 1) if layout == "NDHWC" else (batch, 1, 8, 8, 8)
    spec = TensorSpec("img", np.dtype(np.float32), shape)
    return WholePipeline(ModelPart((spec,), (spec,), run), 0, read_recipe({**RECIPE, "layout": layout}))


def sample(seed: int, *shape: int) -> tuple[Any, Any]:
    cube = np.random.default_rng(seed).random((8, 8, 8), np.float32)
    return cube, np.array(shape, np.int64)


def same(inputs: Sequence[Array]) -> Sequence[Array]:
    return inputs


@pytest.mark.parametrize("shape", [(5, 9, 7), (16, 8, 3), (1, 1, 1), (8, 8, 8)], ids=str)
def test_scaling_is_what_scipy_does_more_slowly(shape: tuple[int, int, int]) -> None:
    volume = np.random.default_rng(1).random((8, 6, 11), np.float32)
    factors = [want / have for want, have in zip(shape, volume.shape, strict=True)]
    expected = zoom(volume, factors, order=1, mode="nearest", grid_mode=True)
    assert np.allclose(resize(volume, shape), expected, atol=1e-6)


def test_scaling_some_rows_at_a_time_is_scaling_all() -> None:
    volume = np.random.default_rng(3).random((40, 6, 11), np.float32)
    depth, height, width = (linear(have, want) for have, want in zip(volume.shape, (97, 9, 7), strict=True))
    at_once = np.einsum("di,hj,wk,ijk->dhw", depth, height, width, volume.astype(np.float64), optimize=True)
    assert np.allclose(resize(volume, (97, 9, 7)), at_once, atol=1e-6)
    parts = [(start, len(rows)) for start, rows in resized(volume, (97, 9, 7))]
    assert parts == [(0, 32), (32, 32), (64, 32), (96, 1)]


def test_weights_of_a_voxel_make_one() -> None:
    for have, want in ((1, 5), (5, 1), (128, 181), (217, 128), (3, 3)):
        assert np.allclose(linear(have, want).sum(axis=1), 1)
    assert np.array_equal(linear(4, 4), np.eye(4))


def test_a_cube_has_the_maximum_one() -> None:
    volume = np.random.default_rng(2).random((9, 10, 12), np.float32) * 255
    cube = to_cube(volume, 8)
    assert (cube.shape, cube.dtype, float(cube.max())) == ((8, 8, 8), np.float32, 1.0)
    assert not to_cube(np.zeros((4, 4, 4), np.float32), 8).any()


@pytest.mark.parametrize("batch", [-1, 1, 2, 4])
@pytest.mark.parametrize("layout", ["NDHWC", "NCDHW"])
def test_each_answer_has_the_shape_of_its_volume(batch: int, layout: str) -> None:
    samples = [sample(1, 5, 9, 7), sample(2, 16, 8, 3), sample(3, 8, 8, 8)]
    answers = pipeline(same, batch=batch, layout=layout)(samples)
    assert [answer.shape for answer in answers] == [(5, 9, 7), (16, 8, 3), (8, 8, 8)]
    for answer, (cube, shape) in zip(answers, samples, strict=True):
        assert answer.dtype == np.uint8
        assert np.array_equal(answer, resize(cube, tuple(shape)) > 0.5)


def test_what_the_model_cannot_have_meant_fails_the_run() -> None:
    with pytest.raises(RunFailedError, match="no numbers"):
        pipeline(lambda inputs: [np.full_like(inputs[0], np.nan)])([sample(1, 5, 5, 5)])
    with pytest.raises(RunFailedError, match="another number of voxels"):
        pipeline(lambda inputs: [np.zeros((1, 4, 4, 4, 1), np.float32)])([sample(1, 5, 5, 5)])

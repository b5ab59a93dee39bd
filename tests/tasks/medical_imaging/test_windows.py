from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.medical_imaging.recipe import read_recipe
from assay.tasks.medical_imaging.windows import WindowPipeline, best_labels, count_of, gaussian, places_of
from assay.tasks.protocol import ModelPart

FLOAT = np.dtype(np.float32)
SHAPE = (8, 12, 16)
# mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, inference_utils.py, gaussian_kernel(128, 16).
REFERENCE = {
    (0, 0, 0): 0.0003801289713010192,
    (63, 63, 63): 1.0,
    (63, 64, 64): 1.0,
    (10, 64, 100): 0.06518872827291489,
    (127, 0, 32): 0.0027508828788995743,
    (40, 50, 60): 0.6152804493904114,
}


def pipeline(
    run: Callable[[Sequence[Array]], Sequence[Array]], *, batch: int = -1, per_call: int = 1
) -> WindowPipeline:
    recipe = read_recipe({"size": 8, "synthetic": [8, 8, 8], "windows": {"per_call": per_call}})
    inputs, outputs = TensorSpec("input", FLOAT, (batch, 1, 8, 8, 8)), TensorSpec("output", FLOAT, (batch, 3, 8, 8, 8))
    return WindowPipeline(ModelPart((inputs,), (outputs,), run), 0, recipe)


def scores(inputs: Sequence[Array]) -> Sequence[Array]:
    """Scores that depend on the voxel and on its place in the window."""
    windows: Any = inputs[0]
    place = np.linspace(-1, 1, 8, dtype=np.float32)
    return [np.concatenate([windows, windows * windows - 1 + place, np.sin(3 * windows) * place[:, None]], axis=1)]


def volume() -> NDArray[np.float32]:
    return np.random.default_rng(4).uniform(-2.3, 2.6, SHAPE).astype(np.float32)


def by_hand(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The sliding window as one would write it down."""
    weights = gaussian(8).astype(np.float64)
    total, norm = np.zeros((3, *image.shape)), np.zeros(image.shape)
    for j in range(0, image.shape[1] - 7, 4):
        for k in range(0, image.shape[2] - 7, 4):
            place = (slice(0, 8), slice(j, j + 8), slice(k, k + 8))
            answer: Any = scores([image[place][None, None]])[0]
            total[(slice(None), *place)] += answer[0] * weights
            norm[place] += weights
    return (total / norm).argmax(axis=0).astype(np.uint8)


@pytest.mark.parametrize(("batch", "per_call"), [(-1, 1), (-1, 4), (-1, 64), (1, 1), (4, 1), (5, 1)])
def test_every_number_of_windows_at_once_gives_the_same(batch: int, per_call: int) -> None:
    image = volume()
    sizes: list[int] = []

    def run(inputs: Sequence[Array]) -> Sequence[Array]:
        sizes.append(len(inputs[0]))
        return scores(inputs)

    (labels,) = pipeline(run, batch=batch, per_call=per_call)([(image,)])
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, by_hand(image))
    assert set(np.unique(labels)) == {0, 1, 2}
    assert set(sizes) <= ({batch} if batch > 0 else {per_call, 6 % per_call or per_call, min(per_call, 6)})


def test_volumes_of_several_shapes_one_after_the_other() -> None:
    images = [volume(), volume()[:, :8], volume()[:, :, :12].copy()]
    answers = pipeline(scores)([(image,) for image in images])
    assert [answer.shape for answer in answers] == [image.shape for image in images]
    for answer, image in zip(answers, images, strict=True):
        assert np.array_equal(answer, by_hand(image))


def test_windows_come_in_the_reference_s_order() -> None:
    places = [tuple(part.start for part in place) for place in places_of((128, 192, 256), 128, 64)]
    assert places == [(0, 0, 0), (0, 0, 64), (0, 0, 128), (0, 64, 0), (0, 64, 64), (0, 64, 128)]
    assert count_of((256, 384, 384), 128, 64) == 75


@pytest.mark.parametrize("shape", [(8, 12, 17), (4, 8, 8), (8, 8), (8, 8, 8, 8)], ids=str)
def test_a_volume_that_the_windows_do_not_cover_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match="do not cover"):
        count_of(shape, 8, 4)


def test_the_middle_of_a_window_weighs_most() -> None:
    weights = gaussian(128)
    assert weights.shape == (128, 128, 128)
    assert weights.dtype == np.float32
    assert weights.max() == 1.0
    assert [float(weights[i, j, k]) for i, j, k in REFERENCE] == pytest.approx(list(REFERENCE.values()), rel=1e-6)


def test_equal_scores_are_the_lower_class_s() -> None:
    total = np.zeros((3, 3, 2, 2), np.float32)
    total[1, 1] = total[2, 1] = 2
    total[2, 2] = 1
    labels = best_labels(total, np.full((3, 2, 2), 0.5, np.float32))
    assert labels[:, 0, 0].tolist() == [0, 1, 2]


def test_scores_that_are_no_numbers_fail_the_run() -> None:
    def broken(inputs: Sequence[Array]) -> Sequence[Array]:
        answer: Any = scores(inputs)[0]
        answer[0, 2, 3, 4, 5] = np.nan
        return [answer]

    with pytest.raises(RunFailedError, match="no numbers"):
        pipeline(broken)([(volume(),)])


def test_scores_of_another_shape_fail_the_run() -> None:
    with pytest.raises(RunFailedError, match="another shape") as caught:
        pipeline(lambda inputs: [np.zeros((1, 2, 8, 8, 8), np.float32)])([(volume(),)])
    assert caught.value.found == "(1, 2, 8, 8, 8)"

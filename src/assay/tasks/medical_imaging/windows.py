"""The sliding window: a volume seen piece by piece, the pieces put together again. The hot path of 3D U-Net.

Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, base_SUT.py and inference_utils.py. Windows
overlap; each is weighted by a Gaussian that is highest in its middle, and the sum is divided by the sum of the weights.
Additions are made in the reference's order and precision, so that the answer is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.medical_imaging.recipe import Recipe
from assay.tasks.protocol import ModelPart, PlainPipeline, Responses, Samples

_SLAB = 8
Place = tuple[slice, slice, slice]


class WindowPipeline(PlainPipeline):
    """Runs a model over the windows of one volume after the other.

    Args:
        part: the model.
        index: its output to read.
        recipe: says size and stride of the window.
    """

    def __init__(self, part: ModelPart, index: int, recipe: Recipe) -> None:
        self._run = part.run
        self._index = index
        self._size, self._stride = recipe.size, recipe.stride
        self._scores = len(recipe.classes) + 1
        fixed = part.inputs[0].shape[0]
        self._fixed = fixed > 0
        self._per_call = fixed if self._fixed else recipe.windows.per_call
        self._weights = gaussian(recipe.size)
        self._windows = np.empty((self._per_call, *recipe.shape), np.float32)
        self._weighted = np.empty((self._scores, _SLAB, recipe.size, recipe.size), np.float32)

    def __call__(self, samples: Samples) -> Responses:
        """The label of each voxel of each volume, uint8."""
        return [self._segment(sample[0]) for sample in samples]

    def _segment(self, volume: NDArray[Any]) -> NDArray[np.uint8]:
        places = list(places_of(volume.shape, self._size, self._stride))
        total = np.zeros((self._scores, *volume.shape), np.float32)
        norm = np.zeros(volume.shape, np.float32)
        for start in range(0, len(places), self._per_call):
            some = places[start : start + self._per_call]
            for place, scores in zip(some, self._scores_of(volume, some), strict=False):
                self._add(scores, total[(slice(None), *place)], norm[place])
        return best_labels(total, norm)

    def _add(self, scores: NDArray[Any], total: NDArray[np.float32], norm: NDArray[np.float32]) -> None:
        """Weigh a window's scores and add them to what is there, a few rows at a time."""
        for start in range(0, self._size, _SLAB):
            rows = slice(start, start + _SLAB)
            weights = self._weights[rows]
            weighted = self._weighted[:, : len(weights)]
            np.multiply(scores[:, rows], weights, out=weighted)
            total[:, rows] += weighted
            norm[rows] += weights

    def _scores_of(self, volume: NDArray[Any], places: Sequence[Place]) -> NDArray[Any]:
        """The model's answer to some windows, at least one row each."""
        windows = self._windows
        for row, place in enumerate(places):
            windows[row, 0] = volume[place]
        # What a model of a fixed number gets beyond the last window is left from before and not looked at.
        scores = self._run((windows if self._fixed else windows[: len(places)],))[self._index]
        wanted = (self._scores, *self._weights.shape)
        if scores.shape != (len(windows) if self._fixed else len(places), *wanted):
            raise RunFailedError(
                "the model gave scores of another shape than its windows",
                expected=f"(windows, {', '.join(map(str, wanted))})",
                found=str(scores.shape),
            )
        return scores


def places_of(shape: Sequence[int], size: int, stride: int) -> Iterator[Place]:
    """The windows of a volume, in the reference's order.

    Raises:
        InvalidInputError: when they do not cover it.
    """
    if len(shape) != 3 or any(edge < size or (edge - size) % stride for edge in shape):
        raise uncovered(shape, size, stride)
    steps = [range(0, edge - size + 1, stride) for edge in shape]
    for i in steps[0]:
        for j in steps[1]:
            for k in steps[2]:
                yield slice(i, i + size), slice(j, j + size), slice(k, k + size)


def count_of(shape: Sequence[int], size: int, stride: int) -> int:
    """How many windows a volume has.

    Raises:
        InvalidInputError: when they do not cover it.
    """
    return sum(1 for _ in places_of(shape, size, stride))


def uncovered(shape: Sequence[int], size: int, stride: int) -> InvalidInputError:
    """The error of a volume whose edges do not fit the windows."""
    return InvalidInputError(
        "the windows do not cover the volume",
        expected=f"three edges of {size} plus multiples of {stride}",
        found=" x ".join(map(str, shape)),
    )


def gaussian(size: int) -> NDArray[np.float32]:
    """Weight of each voxel of a window, ``(size, size, size)``, 1 in the middle."""
    deviation = 0.125 * size
    steps = np.arange(size) - (size - 1.0) / 2.0
    line = np.exp(-(steps**2) / (2 * deviation * deviation))
    cube = np.cbrt(np.outer(np.outer(line, line), line).reshape(size, size, size))
    cube /= cube.max()
    return np.asarray(cube, np.float32)


def best_labels(total: NDArray[np.float32], norm: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The class of the highest score of each voxel, the first of equal ones; ``total`` is changed.

    Done in slabs, and by comparing instead of ``argmax``, which takes eight bytes a voxel and twice the time.

    Args:
        total: weighted scores, ``(classes, d, h, w)``.
        norm: sum of the weights, ``(d, h, w)``.

    Raises:
        RunFailedError: when a score is no number.
    """
    labels = np.zeros(norm.shape, np.uint8)
    for start in range(0, len(norm), _SLAB):
        slab = slice(start, start + _SLAB)
        scores = total[:, slab]
        scores /= norm[slab]
        best, label = scores[0], labels[slab]
        for number in range(1, len(scores)):
            np.copyto(label, number, where=scores[number] > best, casting="unsafe")
            np.maximum(best, scores[number], out=best)
        if np.isnan(best).any():
            raise RunFailedError("the model gave scores that are no numbers")
    return labels

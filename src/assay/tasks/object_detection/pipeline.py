"""From samples to responses: the model's detections as float32 rows of seven.

A row is the sample's index, the box (top, left, bottom, right as parts of the picture's side), score and class. A
picture without detections has an empty response. Source: mlcommons/inference v3.1,
vision/classification_and_detection/python/openimages.py and (v2.0) coco.py: their post-processing is in the timed part,
so is this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError, nearest
from assay.tasks.object_detection.recipe import OutputForm, Recipe
from assay.tasks.protocol import ModelPart, PlainPipeline, Responses, Sample, Samples

ROW = 7
_PACKED = 6


class DetectionPipeline(PlainPipeline):
    """Runs a detector on some samples; one for each stream.

    A model of one batch size gets its batches filled up, one whose outputs have no batch dimension gets one sample at a
    time, any other as many as the recipe says. An engine that is slow on shapes it has not met gets batches of the largest
    size that it has met.
    """

    __slots__ = ("_buffer", "_fill", "_limit", "_places", "_read", "_rows", "_run", "_single")

    def __init__(self, part: ModelPart, recipe: Recipe) -> None:
        self._run = part.run
        self._places = output_places(part.outputs, recipe.output)
        self._read = RowReader(recipe)
        fixed = part.inputs[0].shape[0]
        self._single = _has_no_batch(part.outputs, self._places)
        self._limit = 1 if self._single else fixed if fixed > 0 else recipe.together or 0
        self._fill = part.fixed_shapes or fixed > 1
        self._rows = max(self._limit, 1)
        self._buffer: NDArray[Any] = np.zeros((0, *recipe.shape), recipe.dtype)

    def __call__(self, samples: Samples) -> Responses:
        """One response of ``7 * detections`` numbers for each sample."""
        assert isinstance(samples, list)
        step = self._limit or len(samples)
        responses: list[Array] = []
        for start in range(0, len(samples), step):
            responses += self._batch(samples[start : start + step])
        return responses

    def _batch(self, samples: Sequence[Sample]) -> list[Array]:
        outputs = self._run((self._stacked(samples),))
        chosen = [outputs[place] for place in self._places]
        if self._single:
            return [self._read(samples[0][1], chosen)]
        if any(len(output) < len(samples) for output in chosen):
            raise RunFailedError(
                "the model gave another number of answers than it got pictures",
                expected=f"{len(samples)} answers",
                found=", ".join(str(len(output)) for output in chosen),
            )
        return [self._read(sample[1], [output[row] for output in chosen]) for row, sample in enumerate(samples)]

    def _stacked(self, samples: Sequence[Sample]) -> Array:
        """The pictures as one array: where they lie, if they are neighbours there, else copied."""
        count = len(samples)
        self._rows = max(self._rows, count) if self._fill else count
        if self._rows == count:
            together = neighbours([sample[0] for sample in samples])
            if together is not None:
                return together
        if len(self._buffer) < self._rows:
            self._buffer = np.zeros((self._rows, *self._buffer.shape[1:]), self._buffer.dtype)
        for row, sample in enumerate(samples):
            self._buffer[row] = sample[0]
        return self._buffer[: self._rows]


def neighbours(pictures: Sequence[Array]) -> Array | None:
    """Arrays of one shape that follow each other in one larger array, as a part of it; None when they do not."""
    first = pictures[0]
    if len(pictures) == 1:
        return first[None]
    whole = first.base
    if not isinstance(whole, np.ndarray) or whole.shape[1:] != first.shape or not whole.flags.c_contiguous:
        return None
    start, size = first.ctypes.data, first.nbytes
    for place, picture in enumerate(pictures):
        if picture.base is not whole or picture.ctypes.data != start + place * size:
            return None
    row = (start - whole.ctypes.data) // size
    return whole[row : row + len(pictures)]


class RowReader:
    """Turns the detections of one picture into its response."""

    def __init__(self, recipe: Recipe) -> None:
        form = recipe.output
        self._packed = form.detections is not None
        self._order = [1, 0, 3, 2] if form.corners == "xyxy" else [0, 1, 2, 3]
        self._side = np.float32(recipe.size) if form.unit == "pixels" else None
        self._threshold = form.threshold
        self._offset = np.float32(form.class_offset)

    def __call__(self, index: Array, outputs: Sequence[Array]) -> Array:
        """The response, ``(7 * detections,)`` float32.

        Args:
            index: of the sample, ``(1,)``.
            outputs: boxes ``(n, 4)``, scores ``(n,)``, classes ``(n,)`` and, where the recipe names it, the count; or
                rows ``(n, 6)``.
        """
        if self._packed:
            rows = outputs[0]
            boxes, scores, classes, kept = rows[:, :4], rows[:, 4], rows[:, 5], len(rows)
        else:
            boxes, scores, classes = outputs[:3]
            kept = len(scores) if len(outputs) == 3 else _count(outputs[3], len(scores))
        if self._threshold is not None:
            below = np.flatnonzero(np.less(scores[:kept], self._threshold))
            kept = int(below[0]) if len(below) else kept
        found = np.empty((kept, ROW), np.float32)
        found[:, 0] = index
        found[:, 1:5] = boxes[:kept, self._order]
        if self._side is not None:
            found[:, 1:5] /= self._side
        found[:, 5] = scores[:kept]
        # As the reference: a class that is no whole number is cut off.
        found[:, 6] = np.trunc(classes[:kept])
        found[:, 6] += self._offset
        return found.reshape(-1)


def output_places(outputs: Sequence[TensorSpec], form: OutputForm) -> list[int]:
    """Where the outputs are that the recipe names, after looking at their shapes.

    Raises:
        InvalidInputError: for one that is not there or cannot be what the recipe says.
    """
    names = [spec.name for spec in outputs]
    for name in form.names:
        if name not in names:
            close = nearest(name, names)
            raise InvalidInputError(
                f"the model has no output {name!r}",
                expected=" or ".join(close) or None,
                found=", ".join(names) or "no outputs",
                hint="name the outputs under output in the recipe: boxes, scores, classes; or detections",
            )
    places = [names.index(name) for name in form.names]
    if form.detections is not None:
        _check_width(outputs[places[0]], _PACKED, "corner, corner, score, class")
    else:
        _check_width(outputs[places[0]], 4, "the four numbers of a box")
        _check_ranks([outputs[place] for place in places])
    return places


def _check_width(spec: TensorSpec, width: int, what: str) -> None:
    if len(spec.shape) not in (2, 3) or spec.shape[-1] not in (-1, width):
        raise InvalidInputError(
            f"output {spec.name!r} holds no detections",
            expected=f"shape (batch, n, {width}) or (n, {width}): {what}",
            found=f"shape {spec.shape}",
        )


def _check_ranks(specs: Sequence[TensorSpec]) -> None:
    """Scores and classes have one dimension less than the boxes."""
    rank = len(specs[0].shape)
    for spec in specs[1:3]:
        if len(spec.shape) != rank - 1:
            raise InvalidInputError(
                f"output {spec.name!r} does not go with the boxes",
                expected="shape (batch, n)" if rank == 3 else "shape (n,)",
                found=f"shape {spec.shape}",
            )


def _has_no_batch(outputs: Sequence[TensorSpec], places: Sequence[int]) -> bool:
    return len(outputs[places[0]].shape) == 2


def _count(value: Array, most: int) -> int:
    """How many detections count, as the model says."""
    count = float(np.asarray(value, np.float64).reshape(-1)[0])
    if not 0 <= count <= most:
        raise RunFailedError("the model's count of detections is impossible", expected=f"0 to {most}", found=str(count))
    return int(count)

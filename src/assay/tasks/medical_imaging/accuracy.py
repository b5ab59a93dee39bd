"""DICE from LoadGen's accuracy log, in the official form.

Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, accuracy_kits.py: for each class of each volume
(2 * common + 1e-6) / (predicted + true + 1e-6), the mean over the classes of a volume, then over the volumes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.loadgen.walk import walk_accuracy
from assay.tasks.protocol import Accuracy

_SMOOTHING = 1e-6


class Truth(Protocol):
    """What the answers are compared with."""

    @property
    def count(self) -> int:
        """Volumes there are."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Voxels of each volume along each axis."""

    def mask(self, index: int) -> NDArray[np.uint8]:
        """The true label of each voxel."""

    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """Volumes whose mean is told apart, by the group's name."""


def score_log(log: Path, truth: Truth, classes: Sequence[str], *, part: bool = False) -> Accuracy:
    """Score ``mlperf_log_accuracy.json``; one volume is in memory at a time.

    With ``part`` it may hold some volumes only. The official script takes none but whole logs; the mean is then that of
    the volumes that are there.

    Raises:
        InvalidInputError: when a volume has no response or two, or one that is not a label for each of its voxels.
    """
    dice = np.full((truth.count, len(classes)), np.nan)
    for index, data in walk_accuracy(log):
        if not 0 <= index < truth.count or not np.isnan(dice[index]).all():
            raise _not_one_each(log, truth.count, f"volume {index} " + ("twice" if index < truth.count else ""))
        dice[index] = _dice(_labels(log, index, data, truth, len(classes)), truth.mask(index), len(classes))
    there = ~np.isnan(dice).any(axis=1)
    scored, missing = int(there.sum()), int((~there).sum())
    if not scored or (missing and not part):
        raise _not_one_each(log, truth.count, f"{missing} without a response")
    composite = dice[there].mean(axis=1)
    means = dice[there].mean(axis=0)
    words = [f"mean = {composite.mean():.5f}"]
    words += [f"{name} = {value:.4f}" for name, value in zip(classes, means, strict=True)]
    details = {name: float(value) for name, value in zip(classes, means, strict=True)}
    if not missing:
        details |= {name: float(composite[list(some)].mean()) for name, some in truth.groups().items() if some}
    return Accuracy(
        metrics={"DICE": float(composite.mean())},
        units={"DICE": "fraction"},
        samples=scored,
        text=f"Accuracy: {', '.join(words)}",
        details=details,
    )


def dice_of(predicted: NDArray[np.uint8], true: NDArray[np.uint8], label: int) -> float:
    """DICE of one class; 1 when it is in neither."""
    one, two = predicted == label, true == label
    common = int(np.count_nonzero(one & two))
    return (2.0 * common + _SMOOTHING) / (int(np.count_nonzero(two)) + int(np.count_nonzero(one)) + _SMOOTHING)


def _dice(predicted: NDArray[np.uint8], true: NDArray[np.uint8], classes: int) -> list[float]:
    flat = true.reshape(-1)
    return [dice_of(predicted, flat, label) for label in range(1, classes + 1)]


def _labels(log: Path, index: int, data: bytes, truth: Truth, classes: int) -> NDArray[np.uint8]:
    voxels = math.prod(truth.shapes[index])
    if len(data) != voxels:
        raise InvalidInputError(
            f"the response to volume {index} is not one label for each voxel",
            where=log,
            expected=f"{voxels} bytes",
            found=f"{len(data)} bytes",
            hint="a run that failed or was interrupted answers with nothing; run it again",
        )
    labels = np.frombuffer(data, np.uint8)
    highest = int(labels.max(initial=0))
    if highest > classes:
        raise InvalidInputError(
            f"the response to volume {index} holds a label that does not exist",
            where=log,
            expected=f"0 .. {classes}",
            found=str(highest),
        )
    return labels


def _not_one_each(log: Path, count: int, found: str) -> InvalidInputError:
    return InvalidInputError(
        "the log does not hold one response for each volume",
        where=log,
        expected=f"{count} volumes",
        found=found.strip(),
        hint="the accuracy run did not come to its end, or was made with another dataset",
    )

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.image_classification import TASK
from assay.tasks.protocol import Dataset, Task
from assay.testing import TaskContract

RECIPE: dict[str, Any] = {"resize": {"short_side": 20}, "crop": 16, "mean": [100, 100, 100], "std": [50, 50, 50]}


def spec(name: str, *shape: int, dtype: type[np.generic] = np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


IMAGE, SCORES = spec("image", -1, 3, 16, 16), spec("scores", -1, 12)


class TestImageClassification(TaskContract):
    recipe = RECIPE

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 256, (24, 30, 3), np.uint8)
            cv2.imwrite(str(folder / f"img_{number}_{(7 * number) % 12}.png"), pixels)
        return folder

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return [IMAGE], [SCORES]

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        scores = np.zeros((len(indices), 12), np.float32)
        for row, index in enumerate(indices):
            scores[row, (7 * index) % 12] = 1
        return [scores]


class TestLabels(TestImageClassification):
    """The same with a model that gives the label itself, of one class more."""

    recipe = {**RECIPE, "layout": "NHWC", "dtype": "uint8", "mean": [0, 0, 0], "std": [1, 1, 1]} | {
        "output": {"kind": "argmax", "label_offset": -1, "name": "ArgMax:0"}
    }

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        image = spec("image", -1, 16, 16, 3, dtype=np.uint8)
        return [image], [spec("softmax", -1, 13), spec("ArgMax:0", -1, dtype=np.int64)]

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        labels = np.array([(7 * index) % 12 + 1 for index in indices], np.int64)
        return [np.zeros((len(indices), 13), np.float32), labels]


def refused(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], **output: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        TASK.check_model(inputs, outputs, {**RECIPE, "output": output})
    return caught.value


def test_inputs_that_do_not_fit_are_told_with_both_shapes() -> None:
    error = refused([spec("x", -1, 16, 16, 3)], [SCORES])
    assert "'x'" in error.what
    assert (error.expected, error.found) == ("shape (batch, 3, 16, 16)", "shape (-1, 16, 16, 3)")
    assert "NHWC" in str(error.hint)
    assert "no image classifier" in str(refused([spec("ids", -1, 128)], [SCORES]).hint)
    assert refused([spec("x", -1, 3, 16, 16, dtype=np.uint8)], [SCORES]).found == "uint8"
    assert refused([IMAGE, spec("mask", -1, 1)], [SCORES]).found == "image, mask"


def test_free_dimensions_fit() -> None:
    TASK.check_model([spec("x", 1, -1, -1, -1)], [spec("y", -1, -1)], RECIPE)


def test_outputs_that_do_not_fit_are_told_with_the_way_out() -> None:
    labels = spec("label", -1, dtype=np.int64)
    assert "kind: argmax" in str(refused([IMAGE], [labels]).hint)
    assert "kind: logits" in str(refused([IMAGE], [SCORES], kind="argmax").hint)
    assert refused([IMAGE], [spec("y", -1, 3)]).found == "shape (-1, 3)"
    error = refused([IMAGE], [SCORES, labels], name="score")
    assert (error.expected, error.found) == ("scores", "scores, label")
    TASK.check_model([IMAGE], [SCORES, labels], {**RECIPE, "output": {"kind": "argmax", "name": "label"}})
    TASK.check_model([IMAGE], [spec("y", -1, 1, dtype=np.int64)], {**RECIPE, "output": {"kind": "argmax"}})

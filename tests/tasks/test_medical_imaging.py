from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.medical_imaging import TASK
from assay.tasks.protocol import MODEL, Dataset, ModelPart, Pipeline, Task
from assay.testing import TaskContract

from .medical_imaging.conftest import SMALL, write_cases, write_heads

BRAIN: dict[str, Any] = {
    "method": "whole",
    "size": 16,
    "layout": "NDHWC",
    "classes": ["brain"],
    "output": {"kind": "probability", "name": "prob"},
    "copies": 5,
}


def spec(name: str, *shape: int, dtype: type[np.generic] = np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


WINDOW, SCORES = spec("input", -1, 1, 8, 8, 8), spec("output", -1, 3, 8, 8, 8)
CUBE, PROB = spec("img", -1, 16, 16, 16, 1), spec("prob", -1, 16, 16, 16, 1)


def nearest_label(inputs: Sequence[Array]) -> Sequence[Array]:
    """Scores that are highest for the label that a voxel is worth."""
    windows: Any = inputs[0]
    return [np.concatenate([-np.abs(windows - label) for label in range(3)], axis=1)]


class TestWindows(TaskContract):
    recipe = SMALL
    best_score = 1.0

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        return write_cases(folder)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return [WINDOW], [SCORES]

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        return TASK.pipeline({MODEL: ModelPart((WINDOW,), (SCORES,), nearest_label)}, self.recipe)


class TestWindowsInPairs(TestWindows):
    """The same with a model that takes two windows at a time and no other number."""

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        fixed = spec("input", 2, 1, 8, 8, 8)

        def two(inputs: Sequence[Array]) -> Sequence[Array]:
            assert len(inputs[0]) == 2
            return nearest_label(inputs)

        return TASK.pipeline({MODEL: ModelPart((fixed,), (SCORES,), two)}, self.recipe)


class TestWholes(TaskContract):
    recipe = BRAIN

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        return write_heads(folder)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return [CUBE], [PROB]

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        def bright(inputs: Sequence[Array]) -> Sequence[Array]:
            return [(inputs[0] > 0.7).astype(np.float32)]  # type: ignore[operator]

        return TASK.pipeline({MODEL: ModelPart((CUBE,), (PROB,), bright)}, self.recipe)

    def responses(self, dataset: Dataset) -> list[tuple[int, bytes]]:
        """The masks themselves: what was scaled to a cube and back is no longer the same to the voxel."""
        return [(index, dataset.mask(index).tobytes()) for index in range(dataset.count)]  # type: ignore[attr-defined]

    @property
    def best_score(self) -> float:  # type: ignore[override]
        return 1.0


def refused(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], recipe: dict[str, Any]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        TASK.check_model(inputs, outputs, recipe)
    return caught.value


def test_a_model_that_does_not_fit_is_told_with_both_shapes() -> None:
    error = refused([spec("x", -1, 3, 224, 224)], [SCORES], SMALL)
    assert (error.expected, error.found) == ("shape (batch, 1, 8, 8, 8)", "shape (-1, 3, 224, 224)")
    assert refused([spec("x", -1, 1, 8, 8, 8, dtype=np.uint8)], [SCORES], SMALL).found == "uint8"
    assert refused([WINDOW, WINDOW], [SCORES], SMALL).found == "input, input"
    four = spec("output", -1, 4, 8, 8, 8)
    assert "background, kidney, tumor" in str(refused([WINDOW], [four], SMALL).hint)
    assert refused([CUBE], [spec("mask", -1)], BRAIN).found == "mask"
    assert "prob" in str(refused([CUBE], [spec("probs", -1, 16, 16, 16, 1)], BRAIN).expected)
    assert "shape" in str(refused([CUBE], [spec("prob", -1, 2)], BRAIN).expected)


def test_a_probability_may_come_without_its_channel() -> None:
    TASK.check_model([CUBE], [spec("prob", -1, 16, 16, 16)], BRAIN)


def test_made_up_volumes_are_in_the_range_of_prepared_ones_and_take_bounded_memory() -> None:
    made = TASK.synthetic_inputs(SMALL, 40, 1)
    assert len(made) == 40
    assert len({id(sample[0]) for sample in made}) == 8
    values = np.stack([sample[0] for sample in made[:8]])  # type: ignore[misc]
    assert values.min() >= (-79 - 101) / 76.9
    assert values.max() <= (304 - 101) / 76.9
    assert np.unique(values).size > 100


def test_memory_is_told_beforehand() -> None:
    recipe = {"size": 128}
    whole_set = TASK.extra_memory(recipe, 1)
    assert 1 << 30 < whole_set < 3 << 30
    assert TASK.extra_memory({"windows": {"per_call": 4}}, 1) > whole_set
    assert 1 << 28 < TASK.extra_memory({**BRAIN, "size": 128}, 8) < 1 << 29


def test_a_volume_is_a_batch(tmp_path: Path) -> None:
    assert TASK.batch_work(SMALL, 8) == 1
    assert TASK.batch_work(BRAIN, 8) == 16
    assert TASK.batch_work({**BRAIN, "windows": {"per_call": 3}}, 8) == 48
    dataset = TASK.open_dataset(write_heads(tmp_path / "data"), BRAIN, cache=tmp_path / "cache", progress=SILENT)
    assert dataset.sizes is not None
    assert dataset.sizes.tolist() == [16] * 6

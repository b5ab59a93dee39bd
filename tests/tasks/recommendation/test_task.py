from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.tensors import Array, TensorSpec
from assay.tasks.protocol import Dataset, Task
from assay.tasks.recommendation import TASK
from assay.tasks.recommendation.groups import QUANTILE
from assay.testing import TaskContract, samples_of

from .made import HOTS, ROWS, criteo_binary, criteo_multihot, criteo_text

TABLES: dict[str, Any] = {"rows": [100] * 26}
MULTIHOT: dict[str, Any] = {"hots": list(HOTS), "rows": list(ROWS)}
OUT = TensorSpec("probability", np.dtype(np.float32), (-1, 1))


def takes(ids: int) -> list[TensorSpec]:
    return [
        TensorSpec("dense", np.dtype(np.float32), (-1, 13)),
        TensorSpec("ids", np.dtype(np.int32), (-1, ids)),
    ]


class TestText(TaskContract):
    """``day_23`` as text."""

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        return criteo_text(folder)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return takes(26), [OUT]

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        return [np.concatenate([sample[2] for sample in samples_of(dataset.load(indices))])[:, None]]


class TestBinary(TestText):
    """``terabyte_processed_test.bin``, with tables of known rows."""

    recipe = TABLES

    def dataset(self, folder: Path) -> Path:
        return criteo_binary(folder)


class TestMultihot(TestText):
    """The arrays of DLRMv2."""

    recipe = MULTIHOT

    def dataset(self, folder: Path) -> Path:
        return criteo_multihot(folder)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return takes(6), [OUT]


def test_made_up_pairs_are_in_range_and_grouped_as_the_official_ones() -> None:
    samples = TASK.synthetic_inputs({"hots": [2, 1], "rows": [3, 5]}, 200, 1)
    assert {len(sample[2]) for sample in samples} == set(QUANTILE)
    ids = np.concatenate([sample[1] for sample in samples])
    assert ids.min(axis=0).tolist() == [0, 0, 0]
    assert ids.max(axis=0).tolist() == [2, 2, 4]


def test_work_is_counted_in_pairs() -> None:
    assert TASK.batch_work({"pairs": 512}, 8) == 512
    few, many = (TASK.extra_memory({"pairs": pairs, "hots": [100, 1]}, 8) for pairs in (512, 1024))
    assert many == 2 * few > 512 * 100 * 128 * 4

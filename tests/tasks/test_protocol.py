from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.base.tensors import Array
from assay.tasks.protocol import MODEL, ModelPart, Reader, UniformTask, merge_figures


class Largest(UniformTask):
    """The place of the largest value."""

    def reader(self, outputs: Any, recipe: Any) -> Reader:
        def read(values: Sequence[Array]) -> NDArray[Any]:
            largest: NDArray[Any] = np.asarray(values[0]).argmax(axis=1)
            return largest.reshape(-1, 1)

        return read


def test_a_uniform_task_needs_a_reader_only() -> None:
    part = ModelPart((), (), lambda inputs: [np.asarray(inputs[0]) * -1])
    task = Largest()
    pipeline = task.pipeline({MODEL: part}, {})
    assert pipeline((np.array([[3, 1, 2], [1, 2, 3]]),)).tolist() == [[1], [0]]
    assert pipeline.figures() == {}
    pipeline.reset()
    assert (task.parts({}), task.batch_work({}, 8), task.extra_memory({}, 8)) == ({}, 0, 0)


@pytest.mark.parametrize(
    ("name", "merged"),
    [
        ("tokens", 30),
        ("tokens_max", 20),
        ("first_token_p99_ns", 20),
        ("first_token_p99.9_ns", 20),
        ("first_token_min_ns", 10),
        ("first_token_mean_ns", 15),
        ("padded_tokens", 30),
        ("pairs_per_call_max", 20),
    ],
)
def test_figures_of_streams_are_merged_by_their_names(name: str, merged: float) -> None:
    assert merge_figures([{name: 10.0}, {name: 20.0}, {}]) == {name: merged}

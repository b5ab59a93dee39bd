from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from assay.base.tensors import TensorSpec
from assay.tasks.image_classification.reader import make_reader
from assay.tasks.image_classification.recipe import OutputForm


def read(outputs: NDArray[Any], **form: Any) -> NDArray[Any]:
    spec = TensorSpec("y", outputs.dtype, (-1, *outputs.shape[1:]))
    return make_reader([spec], 0, OutputForm(**form))([outputs])


def test_the_best_come_first() -> None:
    scores = np.array([[0.1, 0.5, 0.2, 0.9, -3, 0.0]], np.float32)
    rows = read(scores)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[3, 1, 2, 0, 5]]
    assert read(scores, top=1).tolist() == [[3]]
    assert read(np.repeat(scores, 3, axis=0), top=2).tolist() == [[3, 1]] * 3


def test_the_offset_takes_the_background_class_away() -> None:
    scores = np.array([[0.0, 9.0, 1.0], [9.0, 0.0, 1.0]], np.float32)
    assert read(scores, label_offset=-1, top=2).tolist() == [[0, 1], [-1, 1]]
    assert read(scores, label_offset=-1, top=1).tolist() == [[0], [-1]]


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 1, 1)])
def test_labels_are_taken_as_they_are(shape: tuple[int, ...]) -> None:
    labels = np.array([1, 1000, 7], np.int64).reshape(shape)
    rows = read(labels, kind="argmax", label_offset=-1)
    assert rows.tolist() == [[0], [999], [6]]
    assert rows.dtype == np.float32


def test_outputs_of_the_engine_are_left_as_they_are() -> None:
    scores = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]], np.float32)
    scores.flags.writeable = False
    read(scores)
    read(np.repeat(scores, 2, axis=0))
    assert scores.tolist() == [[1, 2, 3, 4, 5]]


def test_the_output_asked_for_is_read() -> None:
    first, second = np.zeros((1, 5), np.float32), np.array([[0, 0, 1, 0, 0]], np.float32)
    specs = [TensorSpec(name, np.dtype(np.float32), (-1, 5)) for name in "ab"]
    assert make_reader(specs, 1, OutputForm(top=1))([first, second]).tolist() == [[2]]


# Few values, so that there are ties as in the answers of an int8 model.
scores = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.uint8, np.int8, np.float16]),
    st.tuples(st.integers(1, 4), st.integers(6, 12)),
    elements=st.integers(0, 4),
)


@given(scores, st.integers(1, 6))
def test_ties_go_to_the_lower_class_as_with_argmax(scores: NDArray[Any], top: int) -> None:
    rows = read(scores, top=top)
    assert rows.flags.c_contiguous
    assert np.array_equal(rows[:, 0], scores.argmax(axis=1))
    for row, values in zip(rows, scores, strict=True):
        assert row.tolist() == sorted(range(len(values)), key=lambda label: (-float(values[label]), label))[:top]


def test_a_single_answer_costs_next_to_nothing() -> None:
    outputs = [np.random.default_rng(0).standard_normal((1, 1000)).astype(np.float32)]
    reader = make_reader([TensorSpec("y", np.dtype(np.float32), (-1, 1000))], 0, OutputForm())
    times = []
    for _ in range(200):
        started = time.perf_counter_ns()
        reader(outputs)
        times.append(time.perf_counter_ns() - started)
    # About 6 microseconds; the limit is for machines under load.
    assert min(times) < 100_000

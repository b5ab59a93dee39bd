from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.tensors import Array, TensorSpec
from assay.errors import RunFailedError
from assay.tasks.object_detection.pipeline import ROW, DetectionPipeline, RowReader, neighbours
from assay.tasks.object_detection.recipe import read_recipe
from assay.tasks.protocol import ModelPart, Ragged

SIDE = 8
PACKED = {"size": SIDE, "output": {"detections": "found"}}


def spec(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, np.dtype(np.float32), shape)


def samples(count: int) -> Ragged:
    """Pictures filled with their index."""
    return [
        (np.full((3, SIDE, SIDE), index, np.float32), np.array([index + 100], np.float32)) for index in range(count)
    ]


class Model:
    """Finds one box for each picture, whose score is the picture's first pixel; keeps the batches it was given."""

    def __init__(self, *, alone: bool = False) -> None:
        self.batches: list[int] = []
        self._alone = alone

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        (pictures,) = inputs
        assert pictures.flags.c_contiguous
        self.batches.append(len(pictures))
        found = np.zeros((len(pictures), 1, 6), np.float32)
        found[:, 0, 4] = pictures[:, 0, 0, 0]
        if self._alone:
            return [found[0, :, :4], found[0, :, 4], found[0, :, 5]]
        return [found]


def pipeline(
    model: Model, *, batch: int = -1, fixed_shapes: bool = False, together: int | None = None
) -> DetectionPipeline:
    part = ModelPart(
        (spec("images", batch, 3, SIDE, SIDE),), (spec("found", -1, -1, 6),), model.run, fixed_shapes=fixed_shapes
    )
    return DetectionPipeline(part, read_recipe({**PACKED, "together": together}))


def answered(responses: Any, count: int) -> None:
    """Every sample has the box of its own picture, under its own index."""
    assert [response.reshape(-1, ROW)[0, [0, 5]].tolist() for response in responses] == [
        [index + 100, index] for index in range(count)
    ]


@pytest.mark.parametrize(
    ("batch", "batches"), [(-1, [5]), (1, [1] * 5), (2, [2, 2, 2]), (8, [8])], ids=["free", "one", "two", "eight"]
)
def test_a_model_gets_the_batches_it_takes(batch: int, batches: list[int]) -> None:
    model = Model()
    answered(pipeline(model, batch=batch)(samples(5)), 5)
    assert model.batches == batches


@pytest.mark.parametrize(
    ("together", "batch", "fixed_shapes", "batches"),
    [(2, -1, False, [2, 2, 1]), (2, -1, True, [2, 2, 2]), (8, -1, False, [5]), (2, 1, False, [1] * 5)],
    ids=["free", "fixed shapes", "fewer", "the model's own number"],
)
def test_no_more_together_than_the_recipe_says(
    together: int, batch: int, fixed_shapes: bool, batches: list[int]
) -> None:
    model = Model()
    answered(pipeline(model, batch=batch, fixed_shapes=fixed_shapes, together=together)(samples(5)), 5)
    assert model.batches == batches


def test_a_model_without_a_batch_in_its_outputs_gets_one_at_a_time() -> None:
    model = Model(alone=True)
    outputs = (spec("boxes", -1, 4), spec("scores", -1), spec("labels", -1))
    part = ModelPart((spec("images", 1, 3, SIDE, SIDE),), outputs, model.run)
    answered(DetectionPipeline(part, read_recipe({"size": SIDE}))(samples(3)), 3)
    assert model.batches == [1, 1, 1]


def test_an_engine_of_fixed_shapes_gets_the_largest_batch_it_has_met() -> None:
    model = Model()
    run = pipeline(model, fixed_shapes=True)
    for count in (1, 4, 1, 3):
        answered(run(samples(count)), count)
    assert model.batches == [1, 4, 4, 4]


def test_a_single_picture_is_not_copied() -> None:
    given_to: list[Array] = []

    def run(inputs: Sequence[Array]) -> Sequence[Array]:
        given_to.extend(inputs)
        return [np.zeros((1, 1, 6), np.float32)]

    part = ModelPart((spec("images", -1, 3, SIDE, SIDE),), (spec("found", -1, -1, 6),), run)
    (sample,) = samples(1)
    DetectionPipeline(part, read_recipe(PACKED))([sample])
    assert np.shares_memory(given_to[0], sample[0])


def test_neighbours_make_a_batch_without_being_copied() -> None:
    whole = np.random.default_rng(0).random((4, 3, SIDE, SIDE), np.float32)
    together = neighbours([whole[1], whole[2], whole[3]])
    assert together is not None
    assert np.shares_memory(together, whole)
    assert np.array_equal(together, whole[1:])
    others_of: list[list[Array]] = [
        [whole[2], whole[1]],
        [whole[0], whole[2]],
        [whole[0], whole[1].copy()],
        [whole[0].copy(), whole[1]],
        [whole[0, 0], whole[0, 1]],
    ]
    assert [neighbours(others) for others in others_of] == [None] * 5


def test_too_few_answers_end_the_run() -> None:
    part = ModelPart(
        (spec("images", -1, 3, SIDE, SIDE),), (spec("found", -1, -1, 6),), lambda _: [np.zeros((1, 1, 6), np.float32)]
    )
    with pytest.raises(RunFailedError, match="another number of answers"):
        DetectionPipeline(part, read_recipe(PACKED))(samples(2))


def reader(**output: Any) -> RowReader:
    return RowReader(read_recipe({"size": 800, "output": output}))


INDEX = np.array([3], np.float32)


def test_a_row_is_index_box_score_class() -> None:
    boxes = np.array([[80, 160, 400, 800]], np.float32)
    rows = reader()(INDEX, [boxes, np.array([0.5], np.float32), np.array([7], np.int64)])
    assert rows.tolist() == pytest.approx([3, 0.2, 0.1, 1.0, 0.5, 0.5, 7])
    assert rows.dtype == np.float32


def test_the_first_low_score_ends_the_list() -> None:
    scores = np.array([0.9, 0.05, 0.04, 0.9], np.float32)
    rows = reader(threshold=0.05)(INDEX, [np.ones((4, 4), np.float32), scores, np.ones(4, np.int64)])
    assert len(rows) == 2 * ROW


def test_a_count_ends_the_list_and_has_to_be_possible() -> None:
    arrays: list[Array] = [np.ones((4, 4), np.float32), np.ones(4, np.float32), np.ones(4, np.float32)]
    read = reader(count="n")
    assert len(read(INDEX, [*arrays, np.array(2.0)])) == 2 * ROW
    for wrong in (-1.0, 5.0, np.nan):
        with pytest.raises(RunFailedError, match="impossible"):
            read(INDEX, [*arrays, np.array([wrong])])


def test_classes_are_cut_off_and_moved() -> None:
    rows = reader(class_offset=1)(INDEX, [np.ones((1, 4), np.float32), np.ones(1), np.array([4.9])])
    assert rows[6] == 5


@given(
    scores=st.lists(st.floats(0, 1, width=32), max_size=40),
    index=st.integers(0, 24_780),
    corners=st.sampled_from(["xyxy", "yxyx"]),
    unit=st.sampled_from(["pixels", "fraction"]),
    threshold=st.none() | st.floats(0, 1),
)
def test_rows_are_as_many_as_scores_before_the_first_low_one(
    scores: list[float], index: int, corners: str, unit: str, threshold: float | None
) -> None:
    count = len(scores)
    values = np.array(scores, np.float32)
    boxes = np.arange(4 * count, dtype=np.float32).reshape(count, 4)
    read = reader(corners=corners, unit=unit, threshold=threshold)
    rows = read(np.array([index], np.float32), [boxes, values, np.arange(count)]).reshape(-1, ROW)
    low = [] if threshold is None else np.flatnonzero(values < threshold).tolist()
    assert len(rows) == (low[0] if low else count)
    assert (rows[:, 0] == index).all()
    assert (rows[:, 5] == values[: len(rows)]).all()
    assert rows[:, 6].tolist() == list(range(len(rows)))
    side = 800 if unit == "pixels" else 1
    order = [1, 0, 3, 2] if corners == "xyxy" else [0, 1, 2, 3]
    assert np.array_equal(rows[:, 1:5], boxes[: len(rows), order] / np.float32(side))

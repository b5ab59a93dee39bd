from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.protocol import ModelPart, Sample
from assay.tasks.recommendation.pipeline import PairPipeline, check_output, wire
from assay.tasks.recommendation.recipe import Recipe, read_recipe

RECIPE = read_recipe({"dense": 2, "hots": [1, 2], "pairs": 400})


def spec(name: str, *shape: int, dtype: Any = np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


DENSE, IDS, OUT = spec("dense", -1, 2), spec("ids", -1, 3, dtype=np.int32), spec("probability", -1, 1)


class Model:
    """Answers the first dense value plus a hundredth of the last id, and keeps what it was shown."""

    def __init__(self, answer: Any = None) -> None:
        self.shown: list[int] = []
        self.types: set[Any] = set()
        self._answer = answer

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        dense, ids = inputs
        assert dense.flags.c_contiguous
        assert ids.flags.c_contiguous
        self.shown.append(len(dense))
        self.types.add(ids.dtype)
        right = (dense[:, :1] + ids[:, 2:].astype(np.float32) / 100).astype(np.float32)  # type: ignore[operator]
        return [right if self._answer is None else self._answer(right)]


def groups(*sizes: int) -> list[Sample]:
    random = np.random.default_rng(1)
    return [
        (
            random.random((size, 2), np.float32),
            random.integers(0, 50, (size, 3)).astype(np.int32),
            random.integers(0, 2, size).astype(np.float32),
        )
        for size in sizes
    ]


def pipeline(model: Model, recipe: Recipe = RECIPE, *, ids: TensorSpec = IDS, fixed: bool = False) -> PairPipeline:
    return PairPipeline(ModelPart((DENSE, ids), (OUT,), model.run, fixed_shapes=fixed), recipe)


def check(answers: Any, samples: list[Sample]) -> None:
    assert len(answers) == len(samples)
    for answer, (dense, ids, targets) in zip(answers, samples, strict=True):
        assert (answer.dtype, answer.shape) == (np.float32, (len(targets), 2))
        assert answer.flags.c_contiguous
        assert np.array_equal(answer[:, 0], dense[:, 0] + ids[:, 2].astype(np.float32) / 100)
        assert np.array_equal(answer[:, 1], targets)


@pytest.mark.parametrize(
    ("sizes", "calls"),
    [
        ((100,), [100]),
        ((400,), [400]),
        ((700,), [400, 300]),
        ((100, 200, 100), [400]),
        ((100, 100), [200]),
        ((300, 300, 300), [400, 400, 100]),
        ((1,), [1]),
    ],
)
def test_pairs_of_a_batch_share_calls_of_limited_size(sizes: tuple[int, ...], calls: list[int]) -> None:
    model, samples = Model(), groups(*sizes)
    run = pipeline(model)
    check(run(samples), samples)
    assert model.shown == calls
    assert run.figures() == {"pairs": sum(sizes), "engine_calls": len(calls)}
    check(run(samples), samples)
    run.reset()
    assert run.figures() == {"pairs": 0, "engine_calls": 0}


def test_samples_are_left_as_they_are() -> None:
    samples = groups(300, 300)
    before = [array.copy() for sample in samples for array in sample]
    pipeline(Model())(samples)
    assert all(np.array_equal(a, b) for a, b in zip(before, [a for s in samples for a in s], strict=True))


@pytest.mark.parametrize("sizes", [(100,), (100, 200)])
def test_ids_have_the_type_that_the_model_takes(sizes: tuple[int, ...]) -> None:
    model, samples = Model(), groups(*sizes)
    check(pipeline(model, ids=spec("ids", -1, 3, dtype=np.int64))(samples), samples)
    assert model.types == {np.dtype(np.int64)}


def test_an_engine_of_fixed_shapes_meets_all_of_them_first() -> None:
    model = Model()
    run = pipeline(model, fixed=True)
    run(groups(100))
    assert model.shown[:8] == [50, 100, 150, 200, 250, 300, 350, 400]
    known = set(model.shown)
    for sizes in ((1,), (399,), (120, 130), (700,), (300, 300)):
        samples = groups(*sizes)
        check(run(samples), samples)
    assert set(model.shown) == known


def test_logits_become_probabilities() -> None:
    samples = groups(200)
    (answer,) = pipeline(Model(), read_recipe({"dense": 2, "hots": [1, 2], "output": "logit"}))(samples)
    (logit,) = np.split(samples[0][0][:, 0] + samples[0][1][:, 2] / 100, 1)
    assert np.allclose(answer[:, 0], 1 / (1 + np.exp(-logit)), atol=1e-6)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda right: right[:-1], "another number of answers"),
        (lambda right: np.zeros((0, 1), np.float32), "another number of answers"),
        (lambda right: right * np.float32("nan"), "no number"),
        (lambda right: np.hstack([right, right]), "another number of answers"),
    ],
)
def test_wrong_answers_end_the_run(answer: Any, what: str) -> None:
    with pytest.raises(RunFailedError, match=what):
        pipeline(Model(answer))(groups(200))


# ---- how models take pairs


def test_the_stacked_form_of_mlperf() -> None:
    inputs = [
        spec("dense_x", -1, 2),
        spec("offsets", 2, -1, dtype=np.int64),
        spec("indices", 2, -1, dtype=np.int64),
    ]
    wiring = wire(inputs, read_recipe({"dense": 2, "hots": [1, 1]}))
    dense, ids = np.zeros((3, 2), np.float32), np.array([[1, 2], [3, 4], [5, 6]], wiring.ids)
    _, offsets, indices = wiring.inputs(dense, ids)
    assert offsets.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert indices.tolist() == [[1, 3, 5], [2, 4, 6]]


def test_the_form_of_mlperf_with_an_input_for_each_table() -> None:
    names = ["offsets_0", "offsets_1", "indices_0", "indices_1"]
    inputs = [spec("dense_x", -1, 2), *(spec(name, -1, dtype=np.int64) for name in names)]
    wiring = wire(inputs, RECIPE)
    ids = np.array([[1, 2, 3], [4, 5, 6]], wiring.ids)
    made = wiring.inputs(np.zeros((2, 2), np.float32), ids)
    assert [array.tolist() for array in made[1:]] == [[0, 1], [0, 2], [1, 4], [2, 3, 5, 6]]


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        [DENSE],
        [DENSE, spec("ids", -1, 4, dtype=np.int32)],
        [DENSE, spec("ids", -1, 3)],
        [spec("dense", -1, 13), IDS],
        [spec("dense", 8, 2), IDS],
        [IDS, DENSE],
        [spec("dense_x", -1, 2), spec("offsets", 3, -1, dtype=np.int64), spec("indices", 3, -1, dtype=np.int64)],
        [spec("dense_x", -1, 2), spec("offsets_0", -1, dtype=np.int64), spec("indices_0", -1, dtype=np.int64)],
        [spec("image", -1, 3, 224, 224)],
    ],
    ids=lambda inputs: "+".join(f"{each.name}{list(each.shape)}" for each in inputs) or "none",
)
def test_a_model_that_takes_something_else_is_refused(inputs: list[TensorSpec]) -> None:
    with pytest.raises(InvalidInputError, match="does not take user-item pairs") as caught:
        wire(inputs, RECIPE)
    assert "(pairs, 3)" in str(caught.value.expected)


@pytest.mark.parametrize("good", [OUT, spec("p", -1), spec("p", -1, -1), spec("p", -1, 1, dtype=np.float16)])
def test_one_number_for_each_pair(good: TensorSpec) -> None:
    check_output([good])


@pytest.mark.parametrize(
    "bad",
    [[], [OUT, OUT], [spec("p", -1, 2)], [spec("p", -1, 1, 1)], [spec("p", -1, dtype=np.int64)]],
    ids=["none", "two", "two columns", "three dimensions", "whole numbers"],
)
def test_other_outputs_are_refused(bad: list[TensorSpec]) -> None:
    with pytest.raises(InvalidInputError, match="one number for each pair"):
        check_output(bad)

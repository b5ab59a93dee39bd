from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.language.pipelines import embedding_output, make_pipeline, span_outputs
from assay.tasks.language.recipe import read_recipe
from assay.tasks.protocol import ModelPart

from .test_padding import OFFICIAL, samples, specs

FLOAT = np.dtype(np.float32)


def logits(*names: str, shape: tuple[int, ...] = (-1, -1)) -> list[TensorSpec]:
    return [TensorSpec(name, FLOAT, shape) for name in names]


def echo(inputs: Sequence[Array]) -> list[np.ndarray]:
    """A model whose start logit is the token and whose end logit is its negative."""
    ids = np.asarray(inputs[0], np.float32)
    return [ids, -ids]


def piped(run: Any, outputs: list[TensorSpec], *, fixed: bool = False, **recipe: Any) -> Any:
    part = ModelPart(tuple(specs(*OFFICIAL)), tuple(outputs), run, fixed_shapes=fixed)
    return make_pipeline(part, read_recipe(recipe))


@pytest.mark.parametrize("fixed", [False, True])
def test_each_sample_gets_the_logits_of_its_own_tokens(fixed: bool) -> None:
    answers = piped(echo, logits("start", "end"), fixed=fixed)(samples(3, 5, 1))
    assert [answer.tolist() for answer in answers] == [[[n, -n] for n in range(1, size + 1)] for size in (3, 5, 1)]
    assert all(answer.dtype == np.float32 and answer.flags.c_contiguous for answer in answers)


def test_logits_in_one_output_are_the_same() -> None:
    together = piped(lambda inputs: [np.stack(echo(inputs), axis=-1)], logits("logits", shape=(-1, -1, 2)))
    apart = piped(echo, logits("start", "end"))
    for one, other in zip(together(samples(3, 5)), apart(samples(3, 5)), strict=True):
        assert np.array_equal(one, other)


def test_half_precision_becomes_single() -> None:
    (answer,) = piped(lambda inputs: [value.astype(np.float16) for value in echo(inputs)], logits("a", "b"))(samples(2))
    assert answer.dtype == np.float32


@pytest.mark.parametrize(
    ("names", "recipe", "expected"),
    [
        (("output_start_logits", "output_end_logits"), {}, (0, 1)),
        (("end_logits", "start_logits"), {}, (1, 0)),
        (("1", "2"), {}, (0, 1)),
        (("1", "2", "3"), {"outputs": {"start": "3", "end": "1"}}, (2, 0)),
    ],
    ids=["official", "turned", "by place", "by name"],
)
def test_start_and_end_are_found(names: Sequence[str], recipe: dict[str, Any], expected: tuple[int, int]) -> None:
    assert span_outputs(logits(*names), read_recipe(recipe)) == expected


@pytest.mark.parametrize(
    ("outputs", "recipe"),
    [
        ([], {}),
        (logits("a"), {}),
        (logits("a", "b", "c"), {}),
        (logits("a", "b", shape=(-1, -1, 384)), {}),
        (logits("a", "b"), {"outputs": {"start": "a"}}),
        (logits("a", "b"), {"outputs": {"start": "a", "end": "a"}}),
        (logits("a", "b"), {"outputs": {"start": "c", "end": "a"}}),
    ],
    ids=["none", "one", "three", "hidden states", "start alone", "twice", "no such name"],
)
def test_a_model_without_them_is_refused(outputs: list[TensorSpec], recipe: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="no start and end logits|no output"):
        span_outputs(outputs, read_recipe(recipe))


def test_vectors_are_handed_on() -> None:
    recipe = {"kind": "similarity"}
    pipe = piped(lambda inputs: [np.zeros((2, 3)), np.ones((2, 4))], logits("a", "b", shape=(-1, 4)), **recipe)
    answers = pipe(samples(2, 3))
    assert answers.dtype == np.float32
    assert answers.shape == (2, 3)
    named = read_recipe({**recipe, "outputs": {"embedding": "b"}})
    assert embedding_output(logits("a", "b", shape=(-1, 4)), named) == 1
    with pytest.raises(InvalidInputError, match="no vector") as caught:
        embedding_output(logits("start", shape=(-1, -1, 2)), read_recipe(recipe))
    assert "question-answering" in str(caught.value.hint)


@pytest.mark.parametrize(
    "answer",
    [
        lambda inputs: [inputs[0][:1], inputs[0][:1]],
        lambda inputs: [inputs[0][:, :2], inputs[0][:, :2]],
        lambda inputs: [inputs[0][:, :, None], inputs[0][:, :, None]],
    ],
    ids=["too few rows", "too few tokens", "another shape"],
)
def test_outputs_that_are_not_those_of_the_batch_end_the_run(answer: Any) -> None:
    with pytest.raises(RunFailedError):
        piped(answer, logits("start", "end"))(samples(3, 4))


def test_vectors_that_are_not_those_of_the_batch_end_the_run() -> None:
    pipe = piped(lambda _: [np.zeros((1, 3))], logits("a", shape=(-1, 4)), kind="similarity")
    with pytest.raises(RunFailedError, match="vectors"):
        pipe(samples(3, 4))

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.language.padding import InputForm, Padder, fixed_length, input_forms, make_padder
from assay.tasks.language.recipe import read_recipe
from assay.tasks.protocol import Sample

OFFICIAL = ("input_ids", "input_mask", "segment_ids")
INT8 = ("input_ids", "attention_mask", "token_type_ids")


def specs(*names: str, dtype: type = np.int64, shape: tuple[int, ...] = (-1, -1)) -> list[TensorSpec]:
    return [TensorSpec(name, np.dtype(dtype), shape) for name in names]


def samples(*lengths: int) -> list[Sample]:
    return [(np.arange(1, n + 1), (np.arange(n) > 1).astype(np.int64)) for n in lengths]


@pytest.mark.parametrize("names", [OFFICIAL, INT8, (*INT8[1:], INT8[0])], ids=["official", "int8", "another order"])
def test_a_batch_is_padded_to_its_longest_in_the_order_of_the_inputs(names: Sequence[str]) -> None:
    batch = dict(zip(names, make_padder(specs(*names), read_recipe({}))(samples(3, 5)), strict=True))
    ids, mask, segments = (
        next(value for name, value in batch.items() if name in usual) for usual in zip(OFFICIAL, INT8, strict=True)
    )
    assert ids.tolist() == [[1, 2, 3, 0, 0], [1, 2, 3, 4, 5]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert segments.tolist() == [[0, 0, 1, 0, 0], [0, 0, 1, 1, 1]]
    assert all(array.dtype == np.int64 and array.flags.c_contiguous for array in batch.values())


def test_one_sample_is_not_copied() -> None:
    sample = samples(4)
    ids, mask, _ = make_padder(specs(*OFFICIAL), read_recipe({}))(sample)
    assert np.shares_memory(ids, sample[0][0])
    assert mask.tolist() == [[1, 1, 1, 1]]


def test_small_integers_and_models_without_segments_are_served() -> None:
    arrays = make_padder(specs("input_ids", "attention_mask", dtype=np.int32), read_recipe({}))(samples(2))
    assert [array.dtype for array in arrays] == [np.int32, np.int32]


def test_names_of_the_recipe_hold() -> None:
    recipe = read_recipe({"inputs": {"ids": "x:0", "mask": "x:1"}})
    assert [form.role for form in input_forms(specs("x:1", "segments", "x:0"), recipe)] == ["mask", "segments", "ids"]


def test_a_model_of_one_length_gets_it() -> None:
    inputs = specs(*OFFICIAL, shape=(-1, 384))
    assert fixed_length(inputs, read_recipe({})) == 384
    assert make_padder(inputs, read_recipe({}))(samples(3))[0].shape == (1, 384)
    with pytest.raises(InvalidInputError, match="more tokens than the model takes") as caught:
        make_padder(specs(*OFFICIAL, shape=(-1, 128)), read_recipe({}))
    assert caught.value.hint == "--recipe max_length=128"


def test_everything_can_be_padded_to_the_longest_there_may_be() -> None:
    assert make_padder(specs(*OFFICIAL), read_recipe({"padding": "max"}))(samples(3))[0].shape == (1, 384)


def test_engines_that_compile_shapes_meet_a_few() -> None:
    pad = make_padder(specs(*OFFICIAL), read_recipe({"max_length": 100}), steps=True)
    assert [pad(samples(length))[0].shape[1] for length in (1, 16, 17, 96, 97, 100)] == [16, 16, 32, 96, 100, 100]


def test_a_sample_that_is_too_long_ends_the_run() -> None:
    pad = Padder((InputForm("ids", np.dtype(np.int64)),), None, 10)
    with pytest.raises(RunFailedError, match="more tokens than the model takes") as caught:
        pad(samples(11))
    assert "11" in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ([], "no input for the ids"),
        (specs("input_ids"), "no input for the mask"),
        (specs("input_ids", "tokens", "input_mask"), "more than one input for the ids"),
        (specs("input_ids", "input_mask", "pixels"), "'pixels' is none"),
        (specs("input_ids", "input_mask", dtype=np.float32), "no sequences of tokens"),
        (specs("input_ids", "input_mask", shape=(-1, 3, 384)), "no sequences of tokens"),
    ],
    ids=["none", "no mask", "two of ids", "another", "floats", "three dimensions"],
)
def test_another_model_is_refused(inputs: list[TensorSpec], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        make_padder(inputs, read_recipe({}))


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match="no input 'input_id'") as caught:
        make_padder(specs(*OFFICIAL), read_recipe({"inputs": {"ids": "input_id"}}))
    assert caught.value.expected is not None
    assert "input_ids" in caught.value.expected

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.tensors import Array
from assay.errors import InvalidInputError
from assay.harness.samples import SampleStore, make_store


def _load(indices: Sequence[int]) -> tuple[Array, ...]:
    values = np.asarray(indices, np.float32)
    return np.stack([values, values * 2], axis=1), values.reshape(-1, 1)


def test_a_batch_in_loaded_order_is_a_view() -> None:
    store = SampleStore(_load, 4)
    store.load([7, 3, 9, 1])
    wide, narrow = store.batch([3, 9, 1])
    assert wide.tolist() == [[3, 6], [9, 18], [1, 2]]
    assert narrow.ravel().tolist() == [3, 9, 1]
    assert not wide.flags.owndata


def test_a_batch_across_the_end_of_the_set_is_a_view_too() -> None:
    store = SampleStore(_load, 3)
    store.load([7, 3, 9, 1])
    wide, _ = store.batch([9, 1, 7])
    assert wide.tolist() == [[9, 18], [1, 2], [7, 14]]
    assert not wide.flags.owndata


def test_a_batch_out_of_order_is_gathered() -> None:
    store = SampleStore(_load, 4)
    store.load([7, 3, 9, 1])
    assert store.batch([1, 7, 7])[1].ravel().tolist() == [1, 7, 7]


def test_one_sample_is_one_row() -> None:
    store = SampleStore(_load, 1)
    store.load([5, 6])
    assert store.one(6)[0].tolist() == [[6, 12]]
    assert store.one(6)[0].shape == (1, 2)


def test_a_sample_named_twice_is_found() -> None:
    # MultiStream pads the loaded set with its first samples.
    store = SampleStore(_load, 8)
    store.load([4, 2, 8, 4, 2])
    assert store.batch([8, 4, 2])[1].ravel().tolist() == [8, 4, 2]


def test_unload_frees_the_memory() -> None:
    store = SampleStore(_load, 8)
    store.load([1, 2, 3])
    assert store.nbytes == (3 + 2) * 3 * 4  # the first two are there twice
    store.unload([1, 2, 3])
    assert store.nbytes == 0


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.data())
def test_every_batch_holds_what_was_asked(loaded: list[int], data: st.DataObject) -> None:
    store = SampleStore(_load, 8)
    store.load(loaded)
    wanted = data.draw(st.lists(st.sampled_from(loaded), min_size=1, max_size=16))
    assert store.batch(wanted)[1].ravel().tolist() == wanted


def _sentences(indices: Sequence[int]) -> list[tuple[Array, ...]]:
    assert len(set(indices)) == len(indices), "no sample is loaded twice"
    return [(np.arange(index, dtype=np.int32),) for index in indices]


def test_ragged_samples_are_kept_once_and_handed_on_as_they_are() -> None:
    store = make_store(_sentences, 8, ragged=True)
    store.load([5, 2, 9, 5])
    assert store.nbytes == (5 + 2 + 9) * 4
    batch = store.batch([9, 2, 9])
    assert [len(sample[0]) for sample in batch] == [9, 2, 9]
    assert batch[0] is batch[2]
    assert isinstance(store.one(5), list)
    store.unload([5, 2, 9])
    assert store.nbytes == 0


def test_a_dataset_of_two_forms_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two forms"):
        make_store(_load, 4, ragged=True).load([1, 2])
    with pytest.raises(InvalidInputError, match="two forms"):
        make_store(_sentences, 1, ragged=False).load([1, 2])

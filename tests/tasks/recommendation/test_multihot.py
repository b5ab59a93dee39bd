from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.recommendation.multihot import DENSE, LABELS, SPARSE, open_multihot

from .made import HOTS, criteo_multihot


def test_rows_are_those_of_the_arrays_and_the_first_half(tmp_path: Path) -> None:
    source = open_multihot(criteo_multihot(tmp_path, 301))
    assert (source.count, source.dense, source.hots) == (151, 13, HOTS)
    rows = source.read(40, 60)
    assert np.array_equal(rows.dense, np.load(tmp_path / DENSE)[40:60])
    with np.load(tmp_path / SPARSE) as tables:
        assert np.array_equal(rows.ids, np.concatenate([tables[str(n)][40:60] for n in range(3)], axis=1))
    assert np.array_equal(rows.targets, np.load(tmp_path / LABELS)[40:60, 0])
    assert (rows.dense.dtype, rows.ids.dtype, rows.targets.dtype) == (np.float32, np.int32, np.float32)
    assert np.array_equal(source.targets(), np.load(tmp_path / LABELS)[:151, 0])


def test_labels_without_a_second_dimension_and_wide_ids_are_taken(tmp_path: Path) -> None:
    criteo_multihot(tmp_path, 10)
    np.save(tmp_path / LABELS, np.ones(10, np.int64))
    np.savez(tmp_path / SPARSE, **{"0": np.full((10, 2), 2**40), "1": np.zeros((10, 1), np.uint8)})
    rows = open_multihot(tmp_path).read(0, 2)
    assert rows.targets.tolist() == [1, 1]
    assert rows.ids.tolist() == [[2**31 - 1] * 2 + [0]] * 2, "an id beyond 32 bits stays out of range"


@pytest.mark.parametrize("name", [DENSE, LABELS, SPARSE])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    (criteo_multihot(tmp_path) / name).unlink()
    with pytest.raises(NotFoundError, match=name):
        open_multihot(tmp_path)


@pytest.mark.parametrize("name", [DENSE, LABELS])
@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2000, 2, 2), np.float32),
        np.asfortranarray(np.zeros((2000, 13), np.float32)),
        np.zeros((2000, 13), np.complex64),
        np.zeros((2000, 0), np.float32),
    ],
    ids=["three dimensions", "Fortran", "complex", "no width"],
)
def test_other_arrays_are_told(tmp_path: Path, name: str, array: Any) -> None:
    np.save(criteo_multihot(tmp_path) / name, array)
    with pytest.raises(InvalidInputError, match="no plain table"):
        open_multihot(tmp_path)


@pytest.mark.parametrize("name", [DENSE, LABELS])
def test_rows_that_are_cut_off_are_told(tmp_path: Path, name: str) -> None:
    path = criteo_multihot(tmp_path) / name
    os.truncate(path, path.stat().st_size - 8)
    with pytest.raises(InvalidInputError, match="too short"):
        open_multihot(tmp_path)


def test_another_number_of_rows_is_told(tmp_path: Path) -> None:
    np.save(criteo_multihot(tmp_path) / LABELS, np.zeros((1999, 1), np.int32))
    with pytest.raises(InvalidInputError, match="another number of rows"):
        open_multihot(tmp_path)


def test_archives_that_are_none_packed_or_incomplete_are_told(tmp_path: Path) -> None:
    path = criteo_multihot(tmp_path, 100) / SPARSE
    good = path.read_bytes()
    for damaged in (b"", good[:200], good[:-100], b"PK" * 500):
        path.write_bytes(damaged)
        with pytest.raises(InvalidInputError, match="damaged|not where|array"):
            open_multihot(tmp_path)
    np.savez_compressed(path, **{"0": np.zeros((100, 2), np.int32)})
    with pytest.raises(InvalidInputError, match="packed"):
        open_multihot(tmp_path)
    np.savez(path, **{"0": np.zeros((100, 2), np.int32), "2": np.zeros((100, 2), np.int32)})
    with pytest.raises(InvalidInputError, match=r"0\.npy, 1\.npy"):
        open_multihot(tmp_path)
    np.savez(path, **{"0": np.zeros((100, 2), np.float32)})
    with pytest.raises(InvalidInputError, match="no whole numbers"):
        open_multihot(tmp_path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(criteo_multihot(tmp_path) / DENSE, np.array([[print]], object), allow_pickle=True)
    with pytest.raises(InvalidInputError, match="no plain table|no array"):
        open_multihot(tmp_path)


def test_memory_is_that_of_the_rows_read(tmp_path: Path) -> None:
    """No array of the file's size is ever made: the file here is larger than any memory."""
    criteo_multihot(tmp_path, 100)
    for name, width in ((DENSE, 13), (LABELS, 1)):
        with (tmp_path / name).open("wb") as stream:
            np.lib.format.write_array_header_1_0(
                stream, {"shape": (10**10, width), "fortran_order": False, "descr": "<f4"}
            )
            stream.truncate(stream.tell() + 4 * width * 10**10)
    with pytest.raises(InvalidInputError, match="another number of rows"):
        open_multihot(tmp_path)

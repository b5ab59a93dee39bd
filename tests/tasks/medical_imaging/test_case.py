from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.medical_imaging.case import read_case

IMAGE = np.arange(2 * 3 * 4, dtype=np.float32).reshape(1, 2, 3, 4)
LABEL = np.zeros((1, 2, 3, 4), np.uint8)


def kept(path: Path, value: Any, protocol: int | None = None) -> Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def refused(path: Path) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_case(path)
    assert str(path) in str(caught.value.where)
    return caught.value


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_protocol_that_python_writes_by_default(tmp_path: Path, protocol: int) -> None:
    image = read_case(kept(tmp_path / "case.pkl", [IMAGE, LABEL], protocol))
    assert np.array_equal(image, IMAGE[0])
    assert image.flags.c_contiguous


@pytest.mark.parametrize("protocol", [4, 5])
def test_columns_first_and_big_ends_and_shared_types(tmp_path: Path, protocol: int) -> None:
    fortran = np.asfortranarray(IMAGE)
    assert np.array_equal(read_case(kept(tmp_path / "f.pkl", [fortran, LABEL], protocol)), IMAGE[0])
    assert np.array_equal(read_case(kept(tmp_path / "s.pkl", [IMAGE, IMAGE], protocol)), IMAGE[0])
    error = refused(kept(tmp_path / "b.pkl", [IMAGE.astype(">f8"), LABEL], protocol))
    assert error.found is not None
    assert "f8" in error.found or "float64" in error.found


def test_names_of_older_numpy_are_known(tmp_path: Path) -> None:
    raw = pickle.dumps([IMAGE, LABEL], 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "old.pkl").write_bytes(raw)
    assert np.array_equal(read_case(tmp_path / "old.pkl"), IMAGE[0])


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def test_nothing_of_a_pickle_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for number, value in enumerate(([Evil(mark), LABEL], [IMAGE, Evil(mark)], Evil(mark))):
        error = refused(kept(tmp_path / f"{number}.pkl", value))
        assert "a call of" in error.what
    assert not mark.exists()


class Own(np.ndarray):  # type: ignore[type-arg]
    pass


@pytest.mark.parametrize(
    "value",
    [
        [IMAGE],
        [IMAGE, LABEL, LABEL],
        (IMAGE, LABEL),
        {"image": IMAGE},
        [1, 2],
        [IMAGE[0], LABEL[0]],
        [IMAGE.astype(np.float64), LABEL],
        [IMAGE, LABEL[:, :1]],
        [np.concatenate([IMAGE, IMAGE]), LABEL],
        [np.array([None, "x"]), LABEL],
        [np.zeros(3, [("a", "f4")]), LABEL],
        [np.array(["text"]), LABEL],
        [np.empty((1, 0, 3, 4), np.float32), LABEL],
        [IMAGE.view(Own), LABEL],
    ],
    ids=range(14),
)
def test_what_is_no_case(tmp_path: Path, value: Any) -> None:
    refused(kept(tmp_path / "case.pkl", value))


def test_voxels_that_are_no_numbers(tmp_path: Path) -> None:
    image = IMAGE.copy()
    image[0, 0, 0, 0] = np.inf
    assert "finite" in refused(kept(tmp_path / "case.pkl", [image, LABEL])).what


def test_a_case_that_is_cut_off_or_lies_about_its_size(tmp_path: Path) -> None:
    path = kept(tmp_path / "case.pkl", [IMAGE, LABEL])
    whole = path.read_bytes()
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        refused(path)
    path.write_bytes(whole.replace(b"K\x01K\x02K\x03K\x04t", b"K\x01K\x02K\x03K\x09t"))
    assert "bytes than its shape says" in refused(path).what
    huge = b"J" + (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(whole.replace(b"(K\x01K\x02K\x03K\x04t", b"(K\x01" + huge + huge + b"K\x04t"))
    assert "too large" in refused(path).what
    with pytest.raises(NotFoundError):
        read_case(tmp_path / "none.pkl")

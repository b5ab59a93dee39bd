from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.ctranslate2_file import kind_of, read_header, write_model

ARRAYS: dict[str, NDArray[Any]] = {
    "b/weight": np.arange(6, dtype=np.int8).reshape(2, 3),
    "a": np.array(-3, np.int16),
    "b/scale": np.array([1.5, 2.5], np.float32),
    "c": np.array(70_000, np.int32),
    "half": np.ones((2, 1, 2), np.float16),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "model.bin"
    write_model(target, "SomeSpec", 3, {name: lambda value=array: value for name, array in ARRAYS.items()})
    return target


def test_what_is_written_is_read_again(path: Path) -> None:
    header, raw = read_header(path), path.read_bytes()
    assert header.kind == kind_of(path) == "SomeSpec"
    assert list(header.variables) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        found = header.variables[name]
        assert (found.shape, found.kind, found.count) == (array.shape, array.dtype.name, array.size)
        assert raw[found.offset : found.offset + array.nbytes] == array.tobytes()


def test_numbers_are_read_where_they_lie(path: Path) -> None:
    header = read_header(path)
    assert [header.number(name) for name in ("a", "c", "b/scale", "b/weight", "none")] == [-3, 70_000, None, None, None]


def test_arrays_are_made_when_their_turn_comes(tmp_path: Path) -> None:
    made: list[str] = []
    told: list[float] = []

    def make(name: str) -> NDArray[Any]:
        assert len(told) == len(made), "the one before is written"
        made.append(name)
        return np.zeros((2, 2), np.float32)[:, ::-1]  # not in the order of memory

    target = tmp_path / "model.bin"
    write_model(target, "SomeSpec", 1, {name: lambda name=name: make(name) for name in "cab"}, told.append)
    assert made == ["a", "b", "c"]
    assert told == [16, 16, 16]
    assert read_header(target).variables["b"].shape == (2, 2)


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    target = tmp_path / "model.bin"
    for content in (b"", b"this is no model" * 64, struct.pack("<IH", 6, 9) + b"Whisp\xff\xff\0\0" * 20):
        target.write_bytes(content)
        assert kind_of(target) is None
        with pytest.raises(InvalidInputError, match="not a model file") as caught:
            read_header(target)
        assert caught.value.where == str(target)


def test_a_cut_or_damaged_file_is_told(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(20, len(whole) - 4):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError, match="cut off or damaged"):
            read_header(path)
    place = whole.index(b"half\0") + len(b"half\0")
    for changed in (b"\xff", b"\x02"):
        path.write_bytes(whole[:place] + changed + whole[place + 1 :])
        with pytest.raises(InvalidInputError, match="cut off or damaged"):
            read_header(path)
    start = len(struct.pack("<I", 6) + struct.pack("<H", 9) + b"SomeSpec\0" + struct.pack("<I", 3))
    path.write_bytes(whole[:start] + struct.pack("<I", 0xFFFFFFFF) + whole[start + 4 :])
    with pytest.raises(InvalidInputError, match="cut off or damaged"):
        read_header(path)


def test_an_old_file_has_a_kind_and_no_more(path: Path) -> None:
    path.write_bytes(struct.pack("<I", 3) + path.read_bytes()[4:])
    header = read_header(path)
    assert (header.kind, header.variables) == ("SomeSpec", {})

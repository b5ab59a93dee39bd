from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.tasks.recommendation import criteo

from .made import criteo_binary, criteo_text, table, text

RANGE = 40_000_000


def open_text(path: Path, pairs: int | None, cache: Path) -> criteo.BinaryRows:
    return criteo.open_text(path, pairs, RANGE, cache=cache, progress=SILENT)


def test_binary_rows_as_the_reference_takes_them(tmp_path: Path) -> None:
    source = criteo.open_binary(criteo_binary(tmp_path, 300) / criteo.BINARY, RANGE)
    raw = table(300)
    assert (source.count, source.dense, source.hots) == (300, 13, (1,) * 26)
    rows = source.read(100, 120)
    assert np.array_equal(rows.dense, np.log(raw[100:120, 1:14].astype(np.float32) + 1))
    assert np.array_equal(rows.ids, raw[100:120, 14:])
    assert np.array_equal(rows.targets, raw[100:120, 0])
    assert (rows.dense.dtype, rows.ids.dtype, rows.targets.dtype) == (np.float32, np.int32, np.float32)
    assert np.array_equal(source.targets(), raw[:, 0])


def test_ids_are_taken_modulo_the_range(tmp_path: Path) -> None:
    source = criteo.open_binary(criteo_binary(tmp_path, 50) / criteo.BINARY, 7)
    assert np.array_equal(source.read(0, 50).ids, table(50)[:, 14:] % 7)


@pytest.mark.parametrize("size", [0, 159, 161])
def test_a_file_of_other_than_whole_rows_is_told(tmp_path: Path, size: int) -> None:
    path = tmp_path / criteo.BINARY
    path.write_bytes(bytes(size))
    with pytest.raises(InvalidInputError, match="whole rows"):
        criteo.open_binary(path, RANGE)


def test_a_file_cut_off_after_it_was_opened_is_told(tmp_path: Path) -> None:
    path = criteo_binary(tmp_path, 50) / criteo.BINARY
    source = criteo.open_binary(path, RANGE)
    os.truncate(path, 160 * 20)
    with pytest.raises(InvalidInputError, match="became shorter"):
        source.read(10, 30)


def test_text_gives_the_rows_of_the_binary_form(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    binary = criteo.open_binary(criteo_binary(tmp_path / "b", 300) / criteo.BINARY, RANGE)
    path = tmp_path / "day_23"
    path.write_text(text(table(300)))
    source = open_text(path, 300, tmp_path / "cache")
    for one, other in zip(
        (source.read(0, 300).dense, source.read(0, 300).ids, source.targets()),
        (binary.read(0, 300).dense, binary.read(0, 300).ids, binary.targets()),
        strict=True,
    ):
        assert np.array_equal(one, other)


def test_text_is_read_in_pieces_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteo, "_PIECE", 1000)
    path = criteo_text(tmp_path, 300) / criteo.TEXT
    first = open_text(path, 300, tmp_path / "cache")
    monkeypatch.setattr(criteo, "parse_lines", None)
    again = open_text(path, 300, tmp_path / "cache")
    assert np.array_equal(first.read(0, 300).ids, again.read(0, 300).ids)
    assert np.array_equal(first.read(0, 300).ids, table(350)[:300, 14:])


@pytest.mark.parametrize("end", ["\n", ""])
def test_without_a_trace_the_first_half_is_taken(tmp_path: Path, end: str) -> None:
    path = tmp_path / "day_23"
    path.write_text(text(table(301)).rstrip("\n") + end)
    assert open_text(path, None, tmp_path / "cache").count == 151


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_last_line_may_end_with_the_file(tmp_path: Path, end: str) -> None:
    path = tmp_path / "day_23"
    path.write_text(text(table(20)).rstrip("\n") + end)
    assert np.array_equal(open_text(path, 20, tmp_path / "cache").read(0, 20).ids, table(20)[:, 14:])


def test_too_few_rows_are_told_and_nothing_is_kept(tmp_path: Path) -> None:
    path = criteo_text(tmp_path, 300, spare=0) / criteo.TEXT
    with pytest.raises(InvalidInputError, match="fewer rows than the samples need") as caught:
        open_text(path, 301, tmp_path / "cache")
    assert (caught.value.expected, caught.value.found) == ("301 rows", "300")
    assert not list((tmp_path / "cache").rglob("*.bin"))


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "day_23"
    path.write_bytes(b"1" * 1_000_000)
    with pytest.raises(InvalidInputError, match="not a row.*at most 65,536 bytes"):
        open_text(path, 5, tmp_path / "cache")

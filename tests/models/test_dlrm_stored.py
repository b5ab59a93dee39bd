from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.models import dlrm_stored
from assay.models.dlrm_stored import Block, Stored, check_stored, copy_stored, read_stored

WHOLE = np.arange(60, dtype=np.float32).reshape(10, 6)


@pytest.fixture
def parts(tmp_path: Path) -> Stored:
    """A table in three files: its upper rows, and its lower rows in two parts."""
    slices = [((0, 4), (0, 6)), ((4, 10), (0, 2)), ((4, 10), (2, 6))]
    blocks = []
    for number, ((top, bottom), (left, right)) in enumerate(slices):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(b"head" + np.ascontiguousarray(WHOLE[top:bottom, left:right]).tobytes())
        blocks.append(Block(path, 4, top, left, bottom - top, right - left))
    return Stored((10, 6), tuple(blocks))


@pytest.mark.parametrize("piece", [1, 50, 1 << 20])
def test_parts_make_up_the_tensor(tmp_path: Path, parts: Stored, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlrm_stored, "_PIECE_BYTES", piece)
    check_stored("table", parts)
    assert np.array_equal(read_stored(parts), WHOLE)
    target = tmp_path / "copy.bin"
    target.write_bytes(bytes(4096 + parts.nbytes + 8))
    copy_stored(parts, target, 4096)
    raw = target.read_bytes()
    assert raw[4096:-8] == WHOLE.tobytes()
    assert not any(raw[:4096] + raw[-8:])


def test_further_dimensions_count_as_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(WHOLE.tobytes())
    stored = Stored((5, 2, 6), (Block(path, 0, 0, 0, 5, 12),))
    check_stored("x", stored)
    assert np.array_equal(read_stored(stored), WHOLE.reshape(5, 2, 6))


@pytest.mark.parametrize(
    ("shape", "blocks", "what"),
    [
        ((10, 6), [], "no values"),
        ((), [(0, 0, 0, 1, 1)], "no values"),
        ((10, 0), [(0, 0, 0, 10, 0)], "no values"),
        ((10, 6), [(0, 0, 0, 11, 6)], "outside"),
        ((10, 6), [(0, 0, 1, 10, 6)], "outside"),
        ((10, 6), [(-4, 0, 0, 10, 6)], "outside"),
        ((10, 6), [(0, 0, 0, 0, 6)], "outside"),
        ((10, 6), [(4, 0, 0, 10, 6)], "cut off"),
        ((10, 6), [(0, 0, 0, 9, 6)], "do not make it up"),
        ((10, 6), [(0, 0, 0, 5, 6), (0, 4, 0, 5, 6)], "do not make it up"),
        ((10, 6), [(0, 0, 0, 10, 3), (0, 0, 2, 10, 3)], "do not make it up"),
    ],
)
def test_parts_that_do_not_fit_are_told(
    tmp_path: Path, shape: tuple[int, ...], blocks: list[tuple[int, int, int, int, int]], what: str
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(WHOLE.tobytes())
    with pytest.raises(InvalidInputError, match=what):
        check_stored("x", Stored(shape, tuple(Block(path, *block) for block in blocks)))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cut off"):
        check_stored("x", Stored((2,), (Block(tmp_path / "none", 0, 0, 0, 2, 1),)))

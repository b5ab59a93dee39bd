from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.recommendation.groups import QUANTILE, draw_offsets, read_offsets

PAIRS = 89_137_319
"""Rows of the first half of day 23."""


def test_the_official_samples_are_drawn() -> None:
    offsets = draw_offsets(PAIRS)
    sizes = np.diff(offsets)
    assert len(sizes) == 330_067
    assert sizes[:10].tolist() == [200, 200, 200, 200, 500, 700, 200, 100, 100, 500]
    assert (offsets[0], offsets[-1]) == (0, PAIRS)
    assert set(np.unique(sizes[:-1])) == {100, 200, 300, 400, 500, 600, 700}
    assert abs(float(sizes.mean()) - np.mean(QUANTILE)) < 1


@pytest.mark.parametrize("pairs", [1, 100, 200, 201, 399, 10_000])
def test_all_pairs_are_used_whatever_their_number(pairs: int) -> None:
    offsets = draw_offsets(pairs)
    assert offsets[-1] == pairs
    assert np.diff(offsets).min() > 0


def test_it_is_the_stream_that_one_draw_after_the_other_gives() -> None:
    random, end, expected = np.random.RandomState(7), 0, [0]
    while end < 5_000:
        end = min(end + QUANTILE[random.randint(low=0, high=20)], 5_000)
        expected.append(end)
    assert draw_offsets(5_000, seed=7).tolist() == expected


def test_no_pairs_are_told() -> None:
    with pytest.raises(InvalidInputError, match="no user-item pairs"):
        draw_offsets(0)


def test_a_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("0, 200, 200\n200, 300, 100\n300, 301, 1")
    assert read_offsets(path).tolist() == [0, 200, 300, 301]


@pytest.mark.parametrize(
    "line", ["x", "", "200, 400", "200, 400, 100", "100, 300, 200", "200, 200, 0", "200, 400, 200, 1", "300, 400, 100"]
)
def test_a_wrong_line_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "trace.txt"
    path.write_text(f"0, 200, 200\n{line}\n400, 500, 100\n")
    with pytest.raises(InvalidInputError, match=r"trace\.txt:2: .*expected 200, END, SIZE"):
        read_offsets(path)


def test_an_empty_or_missing_trace_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="missing"):
        read_offsets(tmp_path / "trace.txt")
    (tmp_path / "trace.txt").touch()
    with pytest.raises(InvalidInputError, match="no samples"):
        read_offsets(tmp_path / "trace.txt")

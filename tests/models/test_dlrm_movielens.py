from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.dlrm_movielens import FILMS, PEOPLE, RATINGS, read_movielens

from .films import movielens


def test_every_rating_is_in_one_part(tmp_path: Path) -> None:
    data = read_movielens(movielens(tmp_path, ratings=500))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [400, 50, 50]
    assert data.rows[:2] == (30, 20)
    assert data.rows == tuple(int(rows) for rows in data.rows)
    for part in (data.train, data.validation, data.test):
        assert part.dense.dtype == np.float32
        assert np.isfinite(part.dense).all()
        assert ((part.ids >= 0) & (part.ids < np.array(data.rows))).all()
        assert set(np.unique(part.targets)) <= {0.0, 1.0}


def test_the_split_is_the_same_every_time(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings=200)
    one, two = read_movielens(folder), read_movielens(folder)
    assert np.array_equal(one.test.dense, two.test.dense)
    assert one.digest == two.digest


def test_a_rating_of_4_is_liked(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings=100, rating=lambda number: number % 5 + 1)
    whole = read_movielens(folder)
    liked = sum(float(part.targets.sum()) for part in (whole.train, whole.validation, whole.test))
    assert liked == 40


def test_counts_are_of_the_training_part_only(tmp_path: Path) -> None:
    """The rows that are held back may be rated as they will: what is told of a person or film stays."""
    folder = movielens(tmp_path, ratings=300)
    data = read_movielens(folder)
    person = int(data.test.ids[0, 0])
    seen = int((data.train.ids[:, 0] == person).sum())
    assert data.test.dense[0, -2] == pytest.approx(np.log1p(seen) / 3 - 1.5, abs=1e-6)
    film = int(data.test.ids[0, 1])
    seen = int((data.train.ids[:, 1] == film).sum())
    assert data.test.dense[0, -1] == pytest.approx(np.log1p(seen) / 3 - 1.5, abs=1e-6)


@pytest.mark.parametrize("name", [RATINGS, FILMS, PEOPLE])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    (movielens(tmp_path) / name).unlink()
    with pytest.raises(NotFoundError, match=name):
        read_movielens(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        (RATINGS, "rating:float", "stars:float", "column rating is missing"),
        (RATINGS, "\n1\t", "\n1\t1\t", r"ml-100k\.inter:\d+: not a line of the table"),
        (RATINGS, "\n1\t", "\n999\t", "user_id '999' of a rating is unknown"),
        (FILMS, "\n1\t", "\n2\t", "item_id comes twice"),
        (PEOPLE, "\n1\t20", "\n1\tyoung", "column age holds no numbers"),
        (PEOPLE, "\n1\t20", "\n1\tinf", "no finite numbers"),
    ],
)
def test_other_files_are_told(tmp_path: Path, name: str, old: str, new: str, what: str) -> None:
    path = movielens(tmp_path) / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInputError, match=what):
        read_movielens(tmp_path)


def test_too_few_lines_are_told(tmp_path: Path) -> None:
    (movielens(tmp_path) / RATINGS).write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n")
    with pytest.raises(InvalidInputError, match="too few lines"):
        read_movielens(tmp_path)

"""Load curves."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.power.curves import given, read_curve, synthetic


def test_a_synthetic_load_stays_about_its_watts_and_is_always_the_same() -> None:
    values = [synthetic(200.0)(second / 10) for second in range(200)]
    assert 198 <= min(values) < 199 < 201 < max(values) <= 202
    assert values == [synthetic(200.0)(second / 10) for second in range(200)]


def test_a_given_load_keeps_each_value_until_the_next() -> None:
    curve = given([(0, 10), (5, 50), (6, 20)])
    assert [curve(second) for second in (-1, 0, 4.9, 5, 5.5, 6, 1000)] == [10, 10, 10, 50, 50, 20, 20]


def test_a_file_with_a_head(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("seconds,watts\n0,10\n2.5,30\n", encoding="utf-8")
    assert read_curve(path)(3) == 30


@pytest.mark.parametrize(
    ("content", "where"),
    [("0,10\n0,20\n", ":2"), ("0,-1\n", ":1"), ("0,10\nx,20\n", ":2"), ("0\n", ":1"), ("0,nan\n", ":1"), ("", "")],
)
def test_a_wrong_point_is_told_with_its_line(content: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInputError) as told:
        read_curve(path)
    assert told.value.where == f"{path}{where}"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_curve(tmp_path / "none")

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.recommendation.pairs import Numbers, Rows, check_source, checked_rows
from assay.tasks.recommendation.recipe import read_recipe

RECIPE = read_recipe({"dense": 2, "hots": [1, 2], "rows": [10, 5]})


@dataclass(frozen=True, slots=True)
class Made:
    """Four pairs."""

    rows: Rows
    where: Path = Path("pairs.bin")
    count: int = 4
    dense: int = 2
    hots: tuple[int, ...] = (1, 2)

    def read(self, start: int, stop: int) -> Rows:
        rows = self.rows
        return Rows(rows.dense[start:stop].copy(), rows.ids[start:stop].copy(), rows.targets[start:stop].copy())

    def targets(self) -> Numbers:
        return self.rows.targets


def made(*, dense: Any = None, ids: Any = None, targets: Any = None) -> Made:
    return Made(
        Rows(
            np.zeros((4, 2), np.float32) if dense is None else np.array(dense, np.float32),
            np.zeros((4, 3), np.int32) if ids is None else np.array(ids, np.int32),
            np.array([0, 1, 1, 0] if targets is None else targets, np.float32),
        )
    )


def test_good_rows_come_as_they_are() -> None:
    source = made(ids=[[9, 4, 4], [0, 0, 0], [1, 2, 3], [4, 4, 0]])
    check_source(source, RECIPE)
    assert checked_rows(source, 0, 3, RECIPE).ids.tolist() == [[9, 4, 4], [0, 0, 0], [1, 2, 3]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_dense_value_that_is_no_number_is_told_with_row_and_column(value: float) -> None:
    dense = np.zeros((4, 2))
    dense[2, 1] = value
    with pytest.raises(InvalidInputError, match="no finite number") as caught:
        checked_rows(made(dense=dense), 1, 4, RECIPE)
    assert caught.value.where == "pairs.bin: row 2, dense column 1"


@pytest.mark.parametrize("value", [2, 0.5, -1, np.nan])
def test_a_target_that_is_none_is_told(value: float) -> None:
    with pytest.raises(InvalidInputError, match="neither 0 nor 1") as caught:
        checked_rows(made(targets=[0, 1, 1, value]), 1, 4, RECIPE)
    assert caught.value.where == "pairs.bin: row 3"


@pytest.mark.parametrize(("column", "value", "expected"), [(0, 10, "0 to 9"), (2, 5, "0 to 4"), (1, -1, "0 to 4")])
def test_an_id_out_of_range_is_told(column: int, value: int, expected: str) -> None:
    ids = np.zeros((4, 3))
    ids[3, column] = value
    with pytest.raises(InvalidInputError, match="out of the range") as caught:
        checked_rows(made(ids=ids), 0, 4, RECIPE)
    assert caught.value.where == f"pairs.bin: row 3, id column {column}"
    assert (caught.value.expected, caught.value.found) == (expected, str(value))


def test_a_folded_id_is_in_range() -> None:
    folded = read_recipe({"dense": 2, "hots": [1, 2], "rows": [10, 5], "fold": True})
    source = made(ids=[[12, 5, 14], [-1, -1, -1], [0, 0, 0], [9, 4, 4]])
    assert checked_rows(source, 0, 4, folded).ids.tolist() == [[2, 0, 4], [9, 4, 4], [0, 0, 0], [9, 4, 4]]


def test_without_known_tables_only_what_is_below_0_is_refused() -> None:
    recipe = read_recipe({"dense": 2, "hots": [1, 2]})
    checked_rows(made(ids=np.full((4, 3), 10**9)), 0, 4, recipe)
    with pytest.raises(InvalidInputError, match="out of the range"):
        checked_rows(made(ids=np.full((4, 3), -1)), 0, 4, recipe)


def test_other_widths_are_told() -> None:
    with pytest.raises(InvalidInputError, match="dense: 13"):
        check_source(made(), read_recipe({"hots": [1, 2]}))
    with pytest.raises(InvalidInputError, match=r"26 tables, 26 ids.*\[1, 2\]"):
        check_source(made(), read_recipe({"dense": 2}))

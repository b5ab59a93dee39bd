from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.models.dlrm_movielens import read_movielens
from assay.tasks.recommendation.dataset import PairDataset, open_pairs
from assay.tasks.recommendation.groups import TRACE, draw_offsets
from assay.tasks.recommendation.recipe import read_recipe

from ...models.films import movielens
from .made import HOTS, ROWS, criteo_binary, criteo_multihot, criteo_text, table, trace

MULTIHOT = {"hots": HOTS, "rows": ROWS}


def opened(folder: Path, raw: dict[str, Any], *, limit: int | None = None) -> PairDataset:
    return open_pairs(folder, read_recipe(raw), cache=folder / "cache", limit=limit, progress=SILENT)


@pytest.mark.parametrize("make", [criteo_text, criteo_binary])
def test_samples_are_groups_of_consecutive_pairs(tmp_path: Path, make: Any) -> None:
    dataset = opened(make(tmp_path), {})
    assert dataset.sizes.tolist() == [200, 200, 200, 200, 200]
    assert (dataset.count, dataset.skipped) == (5, ())
    dense, ids, targets = dataset.load([3])[0]
    rows = table(1050 if make is criteo_text else 1000)[600:800]
    assert np.array_equal(dense, np.log(rows[:, 1:14].astype(np.float32) + 1))
    assert np.array_equal(ids, rows[:, 14:])
    assert np.array_equal(targets, rows[:, 0])
    assert np.array_equal(dataset.targets()[600:800], targets)


def test_without_a_trace_the_sizes_are_drawn(tmp_path: Path) -> None:
    (criteo_binary(tmp_path, 3000) / TRACE).unlink()
    assert np.array_equal(opened(tmp_path, {}).offsets, draw_offsets(3000))


def test_multihot_takes_the_first_half(tmp_path: Path) -> None:
    dataset = opened(criteo_multihot(tmp_path, 4001), MULTIHOT)
    assert np.array_equal(dataset.offsets, draw_offsets(2001))
    assert dataset.load([dataset.count - 1])[0][1].shape == (int(dataset.sizes[-1]), 6)


def test_a_trace_beside_the_multihot_arrays_holds(tmp_path: Path) -> None:
    criteo_multihot(tmp_path, 1000)
    (tmp_path / TRACE).write_text("0, 100, 100\n100, 500, 400\n")
    assert opened(tmp_path, MULTIHOT).sizes.tolist() == [100, 400]


def test_a_limit_takes_the_first_samples(tmp_path: Path) -> None:
    dataset = opened(criteo_binary(tmp_path), {}, limit=2)
    assert (dataset.count, len(dataset.targets())) == (2, 400)
    with pytest.raises(UsageError, match="at least one sample"):
        opened(tmp_path, {}, limit=0)


@pytest.mark.parametrize("pairs", [900, 1100])
def test_a_trace_that_does_not_cover_the_rows_is_told(tmp_path: Path, pairs: int) -> None:
    trace(criteo_binary(tmp_path), pairs)
    with pytest.raises(InvalidInputError, match="does not cover the rows") as caught:
        opened(tmp_path, {})
    assert str(caught.value.expected).startswith("1,000 pairs")
    assert caught.value.found == f"{pairs:,} pairs"


def test_rows_too_short_for_the_trace_are_told(tmp_path: Path) -> None:
    trace(criteo_text(tmp_path, spare=0), 1100)
    with pytest.raises(InvalidInputError, match="fewer rows than the samples need"):
        opened(tmp_path, {})


def test_ids_beyond_the_tables_and_counts_below_0_are_told_on_loading(tmp_path: Path) -> None:
    dataset = opened(criteo_binary(tmp_path), {"rows": [50] * 26})
    with pytest.raises(InvalidInputError, match="out of the range of its table"):
        dataset.load([0])
    rows = table(1000)
    rows[250, 4] = -2
    (tmp_path / "terabyte_processed_test.bin").write_bytes(rows.tobytes())
    opened(tmp_path, {}).load([0])
    with pytest.raises(InvalidInputError, match="no finite number") as caught:
        opened(tmp_path, {}).load([0, 1])
    assert str(caught.value.where).endswith("row 250, dense column 3")


def test_other_data_than_the_model_takes_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="other ids than the model takes"):
        opened(criteo_multihot(tmp_path), {})


def test_movielens_is_its_test_part(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings=3000)
    test = read_movielens(folder).test
    raw = {"dense": test.dense.shape[1], "hots": [1] * 6, "rows": read_movielens(folder).rows}
    dataset = opened(folder, raw)
    assert dataset.sizes.tolist() == [200, 100]
    dense, ids, targets = dataset.load([1])[0]
    assert np.array_equal(dense, test.dense[200:])
    assert np.array_equal(ids, test.ids[200:])
    assert np.array_equal(dataset.targets(), test.targets)
    ids[:] = 0
    assert dataset.load([1])[0][1].any(), "what was handed out is a copy"
    assert len(targets) == 100


def test_folders_without_pairs_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no user-item pairs that are known"):
        opened(tmp_path, {})
    with pytest.raises(NotFoundError, match="no folder"):
        opened(tmp_path / "none", {})

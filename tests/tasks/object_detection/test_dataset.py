from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, UsageError
from assay.tasks.object_detection.dataset import PictureDataset, open_pictures
from assay.tasks.object_detection.recipe import read_recipe


@pytest.fixture
def folder(coco_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(coco_folder, tmp_path / "data"))


def opened(folder: Path, *, limit: int | None = None, skip_bad: bool = False, **recipe: Any) -> PictureDataset:
    return open_pictures(
        folder,
        read_recipe({"size": 32, **recipe}),
        cache=folder.parent / "cache",
        limit=limit,
        skip_bad=skip_bad,
        progress=SILENT,
    )


def test_a_sample_is_a_picture_and_its_index(folder: Path) -> None:
    dataset = opened(folder)
    picture, index = dataset.load([7])[0]
    assert (picture.shape, picture.dtype) == ((3, 32, 32), np.float32)
    assert index.tolist() == [7]
    assert (dataset.count, dataset.sizes, dataset.skipped) == (24, None, ())


def test_samples_come_in_the_order_asked_for(folder: Path) -> None:
    assert [sample[1][0] for sample in opened(folder).load([5, 0, 9, 1])] == [5, 0, 9, 1]


def test_a_bad_picture_is_told_or_left_out(folder: Path) -> None:
    bad = folder / "val2017" / "00003.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(InvalidInputError) as caught:
        opened(folder)
    assert str(bad) in str(caught.value)
    dataset = opened(folder, skip_bad=True)
    assert (dataset.count, [each.name for each in dataset.skipped]) == (23, ["00003.jpg"])
    assert dataset.truth.pictures[3].name == "00004.jpg"
    # What is known from the first try holds for those who do not want it.
    with pytest.raises(InvalidInputError, match="decoded"):
        opened(folder)


def test_a_bad_picture_beyond_the_limit_does_no_harm(folder: Path) -> None:
    (folder / "val2017" / "00020.jpg").unlink()
    assert opened(folder, limit=20).count == 20
    with pytest.raises(InvalidInputError, match="missing"):
        opened(folder)


def test_pictures_are_tried_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(folder)
    monkeypatch.setattr("assay.tasks.object_detection.dataset.read_picture", None)
    assert opened(folder).count == 24
    for path in (folder.parent / "cache" / "object-detection").glob("*.json"):
        path.write_text("[]")
    with pytest.raises(TypeError):
        opened(folder)


def test_nothing_readable_is_told(folder: Path) -> None:
    for path in (folder / "val2017").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InvalidInputError, match="no picture of the dataset"):
        opened(folder, skip_bad=True)


def test_a_picture_that_went_away_is_told_when_it_is_loaded(folder: Path) -> None:
    dataset = opened(folder)
    (folder / "val2017" / "00002.jpg").unlink()
    with pytest.raises(InvalidInputError, match="missing"):
        dataset.load([2])


def test_a_limit_below_one_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError):
        opened(folder, limit=0)
    assert opened(folder, limit=99).count == 24

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, MachineError, UsageError
from assay.tasks.image_classification import dataset as module
from assay.tasks.image_classification.dataset import ImageDataset, open_images
from assay.tasks.image_classification.preprocess import Normaliser, decode
from assay.tasks.image_classification.recipe import read_recipe

RECIPE = {"resize": {"short_side": 24, "filter": "area"}, "crop": 16, "mean": [1, 2, 3]}
Draw = Callable[..., Path]


@pytest.fixture
def folder(draw: Draw, tmp_path: Path) -> Path:
    for number in range(5):
        draw(f"data/img_{number}_{number * 10}.png", seed=number)
    return tmp_path / "data"


def opened(
    folder: Path, recipe: dict[str, Any] = RECIPE, *, skip_bad: bool = False, limit: int | None = None
) -> ImageDataset:
    cache = folder.parent / "cache"
    return open_images(folder, read_recipe(recipe), cache=cache, limit=limit, skip_bad=skip_bad, progress=SILENT)


def prepared(folder: Path) -> list[Path]:
    return sorted(path for path in (folder.parent / "cache" / "image-classification").iterdir() if path.is_dir())


def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(module, "decode", refuse)


def test_samples_are_the_images_prepared(folder: Path) -> None:
    dataset = opened(folder)
    assert dataset.count == 5
    assert dataset.labels.tolist() == [0, 10, 20, 30, 40]
    (rows,) = dataset.load([4, 1])
    recipe = read_recipe(RECIPE)
    wanted = np.empty((2, *recipe.shape), np.float32)
    for place, name in enumerate(("img_4_40.png", "img_1_10.png")):
        Normaliser(recipe)(decode(folder / name, recipe), wanted[place])
    assert np.array_equal(rows, wanted)
    assert rows.flags.c_contiguous


def test_nothing_is_decoded_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(folder).load(range(5))[0]
    no_decoding(monkeypatch)
    assert np.array_equal(opened(folder).load(range(5))[0], first)


def test_other_numbers_from_the_same_pixels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalisation and layout are no part of what is kept."""
    opened(folder)
    no_decoding(monkeypatch)
    other = opened(folder, {**RECIPE, "mean": [0, 0, 0], "layout": "NHWC", "dtype": "uint8"})
    assert other.load([0])[0].shape == (1, 16, 16, 3)
    assert other.load([0])[0].dtype == np.uint8
    assert len(prepared(folder)) == 1


def test_a_moved_dataset_is_known_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(folder)
    folder.rename(folder.with_name("moved"))
    no_decoding(monkeypatch)
    assert opened(folder.with_name("moved")).count == 5


@pytest.mark.parametrize("change", ["content", "time", "label", "crop", "filter", "limit"])
def test_whatever_matters_is_prepared_anew(folder: Path, change: str) -> None:
    opened(folder)
    recipe, limit = dict(RECIPE), None
    image = folder / "img_0_0.png"
    if change == "content":
        image.write_bytes((folder / "img_1_10.png").read_bytes())
    elif change == "time":
        os.utime(image, ns=(1, 1))
    elif change == "label":
        image.rename(folder / "img_0_1.png")
    elif change == "crop":
        recipe["crop"] = 20
    elif change == "filter":
        recipe["resize"] = {"short_side": 24, "filter": "bilinear"}
    else:
        limit = 3
    assert opened(folder, recipe, limit=limit).count == (limit or 5)
    assert len(prepared(folder)) == 2


def test_a_limit_below_one_means_nothing(folder: Path) -> None:
    for limit in (0, -1):
        with pytest.raises(UsageError, match="at least one"):
            opened(folder, limit=limit)


# ---- images that cannot be read


def test_a_bad_image_is_named(folder: Path) -> None:
    (folder / "img_2_20.png").write_bytes(b"rubbish")
    with pytest.raises(InvalidInputError) as caught:
        opened(folder)
    assert str(caught.value.where).endswith("img_2_20.png")
    assert "--skip-bad" in str(caught.value.hint)
    assert prepared(folder) == []


def test_bad_images_are_left_out_when_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened(folder)
    (folder / "img_2_20.png").write_bytes(b"rubbish")
    for again in (False, True):
        if again:
            no_decoding(monkeypatch)
        dataset = opened(folder, skip_bad=True)
        assert dataset.count == 4
        assert dataset.labels.tolist() == [0, 10, 30, 40]
        # Indices close up: sample 2 is the image after the bad one.
        assert np.array_equal(dataset.load([2])[0], whole.load([3])[0])
        assert [skipped.name for skipped in dataset.skipped] == ["img_2_20.png"]
        assert "cannot be decoded" in dataset.skipped[0].reason


def test_a_listed_image_that_is_missing(folder: Path) -> None:
    (folder / "val_map.txt").write_text("img_0_0.png 1\nnone.png 2\n")
    with pytest.raises(InvalidInputError, match=r"none\.png.*missing"):
        opened(folder)
    assert opened(folder, skip_bad=True).skipped[0].name == "none.png"


def test_a_dataset_of_bad_images_is_refused(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"rubbish")
    with pytest.raises(InvalidInputError, match="no image of the dataset can be read"):
        opened(folder, skip_bad=True)


# ---- what is kept on disk


def damage(home: Path, kind: str) -> None:
    samples, index = home / "samples.npy", home / "index.json"
    raw = samples.read_bytes()
    if kind == "cut off":
        samples.write_bytes(raw[: len(raw) // 2])
    elif kind == "zeros":
        samples.write_bytes(raw[:128] + bytes(len(raw) - 128))
    elif kind in ("first byte", "last byte"):
        place = 128 if kind == "first byte" else len(raw) - 1
        samples.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
    elif kind == "header":
        samples.write_bytes(b"x" * 128 + raw[128:])
    elif kind == "empty":
        samples.write_bytes(b"")
    elif kind == "no samples":
        samples.unlink()
    elif kind == "pickle":
        np.save(samples, np.array([{}], object), allow_pickle=True)
    elif kind == "index":
        index.write_text("[]")
    elif kind == "label gone":
        content = json.loads(index.read_text())
        content["labels"].pop()
        index.write_text(json.dumps(content))
    else:
        index.write_text("{")


@pytest.mark.parametrize(
    "kind",
    [
        "cut off",
        "zeros",
        "first byte",
        "last byte",
        "header",
        "empty",
        "no samples",
        "pickle",
        "index",
        "label gone",
        "no json",
    ],
)
def test_damage_is_seen_and_mended(folder: Path, kind: str) -> None:
    before = opened(folder).load(range(5))[0]
    damage(prepared(folder)[0], kind)
    assert np.array_equal(opened(folder).load(range(5))[0], before)
    assert sorted(path.name for path in prepared(folder)[0].iterdir()) == ["index.json", "samples.npy"]


def test_what_a_killed_process_left_is_no_hindrance(folder: Path) -> None:
    opened(folder)
    home = prepared(folder)[0]
    home.rename(home.with_suffix(".part"))
    (home.with_suffix(".part") / "index.json").unlink()
    assert opened(folder).count == 5
    assert prepared(folder) == [home]


def test_a_full_disk_is_told_before_anything_is_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    no_decoding(monkeypatch)
    with pytest.raises(MachineError, match="no space left"):
        opened(folder)
    assert prepared(folder) == []


def test_an_interrupt_leaves_nothing_and_stops_the_others(folder: Path) -> None:
    class Impatient:
        def start(self, *arguments: object, **options: object) -> Any:
            return self

        def advance(self, amount: float = 1) -> None:
            raise KeyboardInterrupt

        def finish(self) -> None:
            self.finished = True

    impatient = Impatient()
    with pytest.raises(KeyboardInterrupt):
        open_images(
            folder,
            read_recipe(RECIPE),
            cache=folder.parent / "cache",
            limit=None,
            skip_bad=False,
            progress=impatient,  # type: ignore[arg-type]
        )
    assert impatient.finished
    assert prepared(folder) == []


def _prepare(folder: str) -> int:
    return int(opened(Path(folder)).load([0, 4])[0].sum())


def test_processes_do_not_disturb_each_other(folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        sums = pool.map(_prepare_by_path, [str(folder)] * 3)
    assert len(set(sums)) == 1
    assert len(prepared(folder)) == 1


def _prepare_by_path(folder: str) -> int:
    return _prepare(folder)


def test_the_whole_check_costs_little() -> None:
    """The images of a performance run: 1,024 crops of 224 by 224."""
    pixels = np.zeros((1024, 224, 224, 3), np.uint8)
    started = time.process_time()
    module._checksum(pixels)
    assert time.process_time() - started < 0.6

"""A small dataset in COCO's form, drawn at random, and logs of detections in it with every edge case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assay.testing import write_accuracy_log

CATEGORIES = (1, 2, 4, 7, 8, 90)
"""Ids with gaps, as COCO's have."""
PICTURES = 24
Rows = NDArray[np.float32]
Entry = tuple[int, bytes]


def document() -> dict[str, Any]:
    """Annotations of 24 pictures; the last two have no objects, some objects are crowds."""
    random = np.random.default_rng(11)
    images, annotations = [], []
    for number in range(PICTURES):
        width, height = (int(random.integers(200, 640)) for _ in range(2))
        image = 1000 - 7 * number
        images.append({"id": image, "file_name": f"{number:05d}.jpg", "width": width, "height": height})
        for _ in range(int(random.integers(1, 9)) if number < PICTURES - 2 else 0):
            x, y = random.uniform(0, 0.7, 2)
            w, h = random.uniform(0.02, 0.3, 2)
            box = [round(float(v), 2) for v in (x * width, y * height, w * width, h * height)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(random.choice(CATEGORIES)),
                    "bbox": box,
                    "area": round(box[2] * box[3], 3),
                    "iscrowd": int(random.random() < 0.08),
                }
            )
    categories = [{"id": number, "name": f"class {number}", "supercategory": "all"} for number in CATEGORIES]
    return {"images": images, "annotations": annotations, "categories": categories}


def detections(*, positions: bool) -> list[Rows]:
    """What a fair detector finds in each picture: most objects, moved a little, and some that are not there."""
    random = np.random.default_rng(12)
    truth = document()
    found = []
    for number, image in enumerate(truth["images"]):
        rows = []
        for entry in truth["annotations"]:
            if entry["image_id"] != image["id"] or random.random() < 0.15:
                continue
            x, y, w, h = entry["bbox"]
            move = random.normal(0, 0.06, 4) * [w, h, w, h]
            box = np.array([y, x, y + h, x + w]) + move[[1, 0, 3, 2]]
            category = entry["category_id"] if random.random() < 0.9 else int(random.choice(CATEGORIES))
            rows.append([*box / ([image["height"], image["width"]] * 2), random.uniform(0.3, 1), category])
        for _ in range(4):
            y, x = random.uniform(0, 0.7, 2)
            rows.append([y, x, y + 0.2, x + 0.2, random.uniform(0.05, 0.6), random.choice(CATEGORIES)])
        rows.sort(key=lambda row: -row[4])
        made = np.array([[number, *row] for row in rows], np.float32)
        if positions:
            made[:, 6] = [CATEGORIES.index(int(value)) + 1 for value in made[:, 6]]
        found.append(made)
    return found


def plain(found: list[Rows]) -> list[Entry]:
    return [(number, rows.tobytes()) for number, rows in enumerate(found)]


def shuffled(found: list[Rows]) -> list[Entry]:
    entries = plain(found)
    return [entries[index] for index in np.random.default_rng(3).permutation(len(entries))]


def duplicates(found: list[Rows]) -> list[Entry]:
    """Some samples twice; what comes second is another picture's and does not count."""
    return [*plain(found), *((number, found[number + 1].tobytes()) for number in range(0, 20, 3))]


def empty(found: list[Rows]) -> list[Entry]:
    """Every third picture has no detections, told in three ways."""
    shorts = (b"", np.zeros(1, np.float32).tobytes(), np.ones(6, np.float32).tobytes())
    return [(number, shorts[number % 9 // 3] if number % 3 == 0 else rows) for number, rows in plain(found)]


def ties(found: list[Rows]) -> list[Entry]:
    """Few different scores, so that order decides."""
    tied = [rows.copy() for rows in found]
    for rows in tied:
        rows[:, 5] = np.ceil(rows[:, 5] * 3) / 3
    return shuffled(tied)


def missing(found: list[Rows]) -> list[Entry]:
    """A log that was cut off: the pictures that are not in it do not count."""
    return plain(found)[:15]


def unknown(found: list[Rows]) -> list[Entry]:
    """Some classes that no category has."""
    other = [rows.copy() for rows in found]
    for rows in other:
        rows[::4, 6] = 0
    return plain(other)


def one_picture(found: list[Rows]) -> list[Entry]:
    return [(number, rows if number == 3 else b"") for number, rows in plain(found)]


CASES: dict[str, Callable[[list[Rows]], list[Entry]]] = {
    "plain": plain,
    "shuffled": shuffled,
    "duplicates": duplicates,
    "empty": empty,
    "ties": ties,
    "missing": missing,
    "unknown": unknown,
    "one picture": one_picture,
}


def write_dataset(folder: Path, *, openimages: bool = False) -> Path:
    """The dataset as files: annotations and pictures of noise."""
    truth = document()
    name = "openimages-mlperf.json" if openimages else "instances_val2017.json"
    pictures = folder / ("validation/data" if openimages else "val2017")
    for each in (folder / "annotations", pictures):
        each.mkdir(parents=True, exist_ok=True)
    (folder / "annotations" / name).write_text(json.dumps(truth), encoding="utf-8")
    for number, image in enumerate(truth["images"]):
        pixels = np.random.default_rng(number).integers(
            0, 256, (image["height"] // 8, image["width"] // 8, 3), np.uint8
        )
        scaled = cv2.resize(pixels, (image["width"], image["height"]), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(pictures / image["file_name"]), scaled)
    return folder


def write_case(path: Path, name: str, *, positions: bool) -> Path:
    """A log as LoadGen writes it."""
    return write_accuracy_log(path, CASES[name](detections(positions=positions)))


@pytest.fixture(scope="session")
def coco_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COCO 2017's layout, made small."""
    return write_dataset(tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="session")
def openimages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of OpenImages for MLPerf, made small."""
    return write_dataset(tmp_path_factory.mktemp("openimages"), openimages=True)


@pytest.fixture
def case_log(tmp_path: Path) -> Callable[..., Path]:
    """Write the log of a case; returns its path."""

    def write(name: str, *, positions: bool = False) -> Path:
        return write_case(tmp_path / "mlperf_log_accuracy.json", name, positions=positions)

    return write

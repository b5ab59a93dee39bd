from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from assay.assets.layouts import check_layout, coco
from assay.errors import InvalidInputError

GOOD: dict[str, Any] = {
    "images": [{"id": n, "file_name": f"{n:012d}.jpg", "height": 48, "width": 64} for n in range(4)],
    "annotations": [{"image_id": 1, "category_id": 7, "bbox": [1, 2.5, 3, 4]}],
    "categories": [{"id": 7, "name": "train"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four images of the 5,000."""
    for name in ("annotations", "val2017"):
        (tmp_path / name).mkdir()
    for image in GOOD["images"]:
        (tmp_path / "val2017" / image["file_name"]).write_bytes(b"x")
    return write(tmp_path, GOOD)


def write(folder: Path, document: object) -> Path:
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(document))
    return folder


def test_a_part_is_counted_on_purpose_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="expected 5,000; found 4"):
        check_layout("coco2017", folder)
    found = check_layout("coco2017", folder, partial=True)
    assert (found.path, found.samples, found.partial) == (folder, 4, True)
    monkeypatch.setattr(coco, "SAMPLES", 4)
    assert not check_layout("coco2017", folder).partial
    monkeypatch.setattr(coco, "SAMPLES", 3)
    with pytest.raises(InvalidInputError, match="expected 1 to 3; found 4"):
        check_layout("coco2017", folder, partial=True)


def test_missing_images_are_named_even_of_a_part(folder: Path) -> None:
    (folder / "val2017" / "000000000002.jpg").unlink()
    with pytest.raises(InvalidInputError, match=r"1 of 4 images are missing; found no 000000000002\.jpg"):
        check_layout("coco2017", folder, partial=True)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("images", None, "images is no list"),
        ("images", [3], r"images\[0\] is no object"),
        ("images", [{"id": 1, "file_name": "x", "height": 1}], r"images\[0\]\.width is wrong; found nothing"),
        ("images", [{"id": True, "file_name": "x", "height": 1, "width": 1}], r"images\[0\]\.id is wrong"),
        ("images", [GOOD["images"][1], GOOD["images"][1]], "two images"),
        ("annotations", [{"image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4]}], "image_id is not in the file"),
        ("annotations", [{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}], "category_id is not in the file"),
        ("annotations", [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3]}], "is no box"),
        ("annotations", [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, "x"]}], "is no box"),
        ("annotations", [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, float("nan")]}], "is no box"),
        ("categories", [{"id": 7}], r"categories\[0\]\.name is wrong"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_told_with_its_place(folder: Path, key: str, value: object, message: str) -> None:
    document = copy.deepcopy(GOOD) | {key: value}
    with pytest.raises(InvalidInputError, match=message) as caught:
        check_layout("coco2017", write(folder, document), partial=True)
    assert "instances_val2017.json" in str(caught.value.where)


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a\\x.jpg", ""])
def test_a_name_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    document = copy.deepcopy(GOOD)
    document["images"][0]["file_name"] = name
    with pytest.raises(InvalidInputError, match="leaves the folder"):
        check_layout("coco2017", write(folder, document), partial=True)


def test_what_is_not_there_or_no_json_is_told(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="not a JSON object"):
        check_layout("coco2017", write(folder, []))
    (folder / "annotations" / "instances_val2017.json").write_text("{")
    with pytest.raises(InvalidInputError, match="not JSON"):
        check_layout("coco2017", folder)
    (folder / "annotations" / "instances_val2017.json").unlink()
    with pytest.raises(InvalidInputError, match=r"instances_val2017\.json is missing") as caught:
        check_layout("coco2017", folder)
    assert "val2017.zip" in str(caught.value.hint)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.tasks.object_detection.annotations import find_truth
from assay.tasks.object_detection.classes import PACKAGED, category_id, coco_categories


def picture(path: Path, size: tuple[int, int] = (40, 20)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def yolo(folder: Path, *lines: str, classes: str | None = None) -> Path:
    picture(folder / "images" / "a.png")
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels" / "a.txt").write_text("\n".join(lines))
    if classes is not None:
        (folder / "classes.txt").write_text(classes)
    return folder


def coco(folder: Path, **changes: Any) -> Path:
    document: dict[str, Any] = {
        "images": [{"id": 5, "file_name": "a.png", "width": 40, "height": 20}],
        "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "person"}],
        "annotations": [{"image_id": 5, "category_id": 3, "bbox": [1, 2, 10, 5]}],
    }
    (folder / "annotations").mkdir()
    picture(folder / "val2017" / "a.png")
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps({**document, **changes}))
    return folder


def refused(folder: Path) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        find_truth(folder)
    return caught.value


def test_cocos_form_keeps_its_order_and_ids(coco_folder: Path) -> None:
    truth = find_truth(coco_folder)
    assert len(truth.pictures) == 24
    assert [truth.pictures[row].id for row in (0, 1)] == [1000, 993]
    assert [number for number, _ in truth.categories] == [1, 2, 4, 7, 8, 90]
    assert all(entry["iscrowd"] in (0, 1) for entry in truth.objects)
    assert all(each.path.is_file() for each in truth.pictures)


def test_the_layout_of_openimages(openimages_folder: Path) -> None:
    truth = find_truth(openimages_folder)
    assert truth.pictures[0].path.parent.name == "data"
    assert len(truth.objects) > 50


def test_what_an_annotation_may_lack(tmp_path: Path) -> None:
    (entry,) = find_truth(coco(tmp_path)).objects
    assert (entry["id"], entry["area"], entry["iscrowd"]) == (1, 50.0, 0)


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "b/../../a.png"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    images = [{"id": 5, "file_name": name, "width": 40, "height": 20}]
    assert "leaves the folder" in refused(coco(tmp_path, images=images)).what


def test_annotations_of_no_images_are_refused(tmp_path: Path) -> None:
    assert "no images" in refused(coco(tmp_path, images=[], annotations=[])).what


def test_yolos_boxes_become_pixels_under_cocos_ids(tmp_path: Path) -> None:
    truth = find_truth(yolo(tmp_path, "0 0.5 0.5 0.5 0.5", "79 0.25 0.25 0.1 0.2"))
    assert [entry["category_id"] for entry in truth.objects] == [1, 90]
    assert truth.objects[0]["bbox"] == pytest.approx([10, 5, 20, 10])
    assert truth.objects[0]["area"] == pytest.approx(200)


def test_classes_of_ones_own(tmp_path: Path) -> None:
    truth = find_truth(yolo(tmp_path, "1 0.5 0.5 0.5 0.5", classes="bolt\nnut\n"))
    assert truth.categories == ((1, "bolt"), (2, "nut"))
    assert truth.objects[0]["category_id"] == 2
    assert "class 0 to 1" in str(refused(yolo(tmp_path, "2 0.5 0.5 0.5 0.5")).expected)


def test_a_picture_without_a_file_of_boxes_has_none(tmp_path: Path) -> None:
    picture(yolo(tmp_path, "0 0.5 0.5 0.5 0.5") / "images" / "b.png")
    truth = find_truth(tmp_path)
    assert [each.name for each in truth.pictures] == ["a.png", "b.png"]
    assert {entry["image_id"] for entry in truth.objects} == {1}


def test_listed_objects(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "objects.txt").write_text("a.png: person, traffic light\n\n")
    truth = find_truth(tmp_path)
    assert truth.expected == ((1, 10),)
    assert not truth.objects


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.png person", "line of a new name"),
        ("a.png: person\na.png: cat", "line of a new name"),
        ("a.png: persn", "no class 'persn'"),
        ("../a.png: person", "leaves the folder"),
        ("a.png:", "names no objects"),
    ],
    ids=["no colon", "twice", "misspelt", "outside", "nothing"],
)
def test_a_wrong_list_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "objects.txt").write_text(text)
    error = refused(tmp_path)
    assert said in error.what
    assert "objects.txt" in str(error.where)


def test_packaged_pictures_are_known_by_name(tmp_path: Path) -> None:
    for name in ("chelsea.png", "coffee.png"):
        picture(tmp_path / name)
    assert find_truth(tmp_path).expected == ((17,), (47, 67, 50))
    for name in PACKAGED:
        assert all(category_id(each, name) for each in PACKAGED[name])


def test_other_folders_are_refused_with_what_is_there(tmp_path: Path) -> None:
    assert refused(tmp_path).found == "an empty folder"
    picture(tmp_path / "mine.png")
    error = refused(tmp_path)
    assert error.found == "mine.png"
    assert "objects.txt" in str(error.expected)
    with pytest.raises(NotFoundError):
        find_truth(tmp_path / "absent")


def test_cocos_categories_are_80_of_90() -> None:
    categories = coco_categories()
    assert (len(categories), categories[0], categories[-1]) == (80, (1, "person"), (90, "toothbrush"))
    assert dict(categories)[44] == "bottle"
    with pytest.raises(AssayError, match="no class"):
        category_id("unicorn", "here")


def test_some_of_the_pictures(coco_folder: Path) -> None:
    truth = find_truth(coco_folder)
    assert [each.id for each in truth.of([2, 0]).pictures] == [986, 1000]

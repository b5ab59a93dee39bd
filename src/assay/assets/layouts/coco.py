"""COCO 2017 validation, as the reference of round v2.0 reads it, and the form of COCO's annotation files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.assets.layouts.common import Checked, checked, entries, need_files, need_folder, read_object
from assay.errors import InvalidInputError

SAMPLES = 5_000
_HINT = (
    "unpack val2017.zip and annotations_trainval2017.zip into one folder, which then holds val2017/ and "
    "annotations/instances_val2017.json"
)


def check_coco2017(path: Path, partial: bool) -> Checked:
    """COCO 2017 validation: ``annotations/instances_val2017.json`` and 5,000 images in ``val2017``.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    annotations = path / "annotations" / "instances_val2017.json"
    images = read_coco_images(annotations, _HINT)
    found = checked(path, len(images), SAMPLES, what="images", where=annotations, partial=partial, hint=_HINT)
    need_files(path / "val2017", images, what="images", hint=_HINT)
    return found


def read_coco_images(path: Path, hint: str) -> list[str]:
    """File names of the images of an annotation file, after checking its form as :func:`read_coco` does.

    Raises:
        InvalidInputError: for what is missing or wrong, with the entry.
    """
    return [image["file_name"] for image in read_coco(path, hint)["images"]]


def read_coco(path: Path, hint: str) -> dict[str, Any]:
    """An annotation file in COCO's form, checked.

    Each image needs ``id``, ``file_name``, ``height`` and ``width``; each annotation an ``image_id`` and a
    ``category_id`` that are there, and a ``bbox`` of four numbers.

    Raises:
        InvalidInputError: for what is missing or wrong, with the entry.
    """
    document = read_object(path, hint)
    sizes: dict[str, type | tuple[type, ...]] = {"id": int, "file_name": str, "height": int, "width": int}
    images = entries(document.get("images"), "images", sizes, path)
    categories = entries(document.get("categories"), "categories", {"id": int, "name": str}, path)
    boxes = {"image_id": int, "category_id": int, "bbox": list}
    known = {image["id"] for image in images}, {category["id"] for category in categories}
    for number, entry in enumerate(entries(document.get("annotations"), "annotations", {**boxes}, path)):
        _check_annotation(entry, number, *known, path)
    if len(known[0]) != len(images) or len({image["file_name"] for image in images}) != len(images):
        raise InvalidInputError("two images have one id or one name", where=path)
    return document


def _check_annotation(entry: dict[str, Any], number: int, images: set[int], categories: set[int], path: Path) -> None:
    box = entry["bbox"]
    if len(box) != 4 or not all(isinstance(value, (int, float)) and abs(value) < 1e6 for value in box):
        raise InvalidInputError(f"annotations[{number}].bbox is no box", where=path, found=repr(box)[:60])
    for key, known in (("image_id", images), ("category_id", categories)):
        if entry[key] not in known:
            raise InvalidInputError(
                f"annotations[{number}].{key} is not in the file", where=path, found=str(entry[key])
            )

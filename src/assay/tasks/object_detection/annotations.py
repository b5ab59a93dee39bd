"""Which pictures a folder holds and what is to be found in them.

Known are the layouts of OpenImages for MLPerf and of COCO 2017 (annotations in COCO's form, whose order of images is
LoadGen's), YOLO's (``images`` and ``labels``, sorted by name), and pictures whose objects are listed without boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from assay.assets.layouts.coco import read_coco
from assay.assets.layouts.openimages import images_folder
from assay.assets.layouts.yolo import YoloBox, class_names, pictures_of, read_boxes
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.object_detection.classes import PACKAGED, category_id, coco_categories
from assay.tasks.object_detection.picture import picture_size

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_LIST = "objects.txt"
_MAX_LIST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a dataset.

    Attributes:
        id: in the annotations.
        name: as the annotations name its file.
        width: in pixels, as the annotations say.
        height: likewise.
    """

    id: int
    path: Path
    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Truth:
    """Pictures in LoadGen's index order and what is to be found in them.

    Attributes:
        categories: id and name of every class, in the order of the annotations.
        objects: annotations in COCO's form (``id image_id category_id bbox area iscrowd``).
        expected: where there are no boxes, the category ids that each picture shows.
    """

    pictures: tuple[Picture, ...]
    categories: tuple[tuple[int, str], ...]
    objects: Sequence[Mapping[str, Any]]
    expected: tuple[tuple[int, ...], ...] | None = None

    def of(self, rows: Sequence[int]) -> Truth:
        """The same with some of the pictures only; objects of the others stay, they are not looked for."""
        expected = None if self.expected is None else tuple(self.expected[row] for row in rows)
        return replace(self, pictures=tuple(self.pictures[row] for row in rows), expected=expected)


def find_truth(source: Path) -> Truth:
    """Pictures and objects of a dataset.

    Raises:
        NotFoundError: when there is nothing at this path.
        InvalidInputError: when the folder has no known layout, or its annotations are wrong.
    """
    if not source.is_dir():
        raise NotFoundError("the dataset is not there, or no folder", where=source)
    annotations = source / "annotations"
    if (listing := annotations / "openimages-mlperf.json").is_file():
        return _coco_form(listing, images_folder(source))
    if (listing := annotations / "instances_val2017.json").is_file():
        return _coco_form(listing, source / "val2017")
    if (source / "images").is_dir() and (source / "labels").is_dir():
        return _yolo(source)
    return _listed(source)


def _coco_form(listing: Path, folder: Path) -> Truth:
    document = read_coco(listing, "make it with the reference's own tool")
    pictures = tuple(
        Picture(
            image["id"],
            folder / _inside(image["file_name"], listing),
            image["file_name"],
            image["width"],
            image["height"],
        )
        for image in document["images"]
    )
    if not pictures:
        raise InvalidInputError("the annotations name no images", where=listing)
    categories = tuple((category["id"], category["name"]) for category in document["categories"])
    objects = [_object(entry, number) for number, entry in enumerate(document["annotations"], 1)]
    return Truth(pictures, categories, objects)


def _object(entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    """An annotation with what pycocotools asks for; area and crowd are not in every file."""
    x, y, width, height = (float(value) for value in entry["bbox"])
    own, area = entry.get("id"), entry.get("area")
    return {
        "id": own if isinstance(own, int) else number,
        "image_id": entry["image_id"],
        "category_id": entry["category_id"],
        "bbox": [x, y, width, height],
        "area": float(area) if isinstance(area, (int, float)) else width * height,
        "iscrowd": int(bool(entry.get("iscrowd", 0))),
    }


def _yolo(source: Path) -> Truth:
    names = class_names(source)
    categories = coco_categories() if names is None else tuple(enumerate(names, 1))
    pictures: list[Picture] = []
    objects: list[dict[str, Any]] = []
    for number, path in enumerate(pictures_of(source), 1):
        pictures.append(Picture(number, path, path.name, *_size(path)))
        for box in read_boxes(source / "labels" / f"{path.stem}.txt", len(categories)):
            objects.append(_from_yolo(box, pictures[-1], categories[box.label][0], len(objects) + 1))
    if not pictures:
        raise InvalidInputError("no pictures here", where=source / "images", expected=" ".join(_PICTURES))
    return Truth(tuple(pictures), categories, objects)


def _from_yolo(box: YoloBox, picture: Picture, category: int, number: int) -> dict[str, Any]:
    width, height = box.width * picture.width, box.height * picture.height
    left, top = box.x * picture.width - width / 2, box.y * picture.height - height / 2
    return {
        "id": number,
        "image_id": picture.id,
        "category_id": category,
        "bbox": [left, top, width, height],
        "area": width * height,
        "iscrowd": 0,
    }


def _listed(source: Path) -> Truth:
    """Pictures whose objects a list names, or that are known by their names."""
    listing = source / _LIST
    if listing.is_file():
        found = _read_list(listing)
    else:
        names = sorted(path.name for path in source.iterdir() if path.suffix.lower() in _PICTURES)
        if not names or any(name not in PACKAGED for name in names):
            raise _unknown_layout(source)
        found = {name: tuple(category_id(each, name) for each in PACKAGED[name]) for name in names}
    pictures = tuple(
        Picture(number, source / _inside(name, listing), name, *_size(source / name))
        for number, name in enumerate(found, 1)
    )
    return Truth(pictures, coco_categories(), (), tuple(found.values()))


def _read_list(listing: Path) -> dict[str, tuple[int, ...]]:
    """Category ids by file name from lines ``name: class, class``."""
    with listing.open("rb") as stream:
        text = stream.read(_MAX_LIST_BYTES).decode("utf-8", "replace")
    found: dict[str, tuple[int, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, classes = line.partition(":")
        where = f"{listing}:{number}"
        if not line.strip():
            continue
        if not colon or not name.strip() or name.strip() in found:
            raise InvalidInputError("not a `name: class, class` line of a new name", where=where, found=line[:60])
        _inside(name.strip(), listing)
        found[name.strip()] = tuple(category_id(each.strip(), where) for each in classes.split(",") if each.strip())
    if not any(found.values()):
        raise InvalidInputError("the list names no objects", where=listing)
    return found


def _size(path: Path) -> tuple[int, int]:
    """Width and height; one pixel for what cannot be read, which whoever reads it tells with the reason."""
    try:
        return picture_size(path)
    except InvalidInputError:
        return 1, 1


def _inside(name: str, where: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        raise InvalidInputError("a file's name leaves the folder", where=where, found=name[:60])
    return path


def _unknown_layout(source: Path) -> InvalidInputError:
    names = sorted(path.name for path in source.iterdir())
    return InvalidInputError(
        "no pictures with annotations here",
        where=source,
        expected="annotations/openimages-mlperf.json, annotations/instances_val2017.json and val2017/, images/ and "
        f"labels/ (YOLO), or {_LIST} with `name: class, class` lines",
        found=(", ".join(names[:4]) + (", ..." if len(names) > 4 else "")) or "an empty folder",
    )

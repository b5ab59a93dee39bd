"""Pictures in ``images``, their boxes in ``labels`` as YOLO writes them, and COCO val2017's first 128 in that form."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from assay.assets.layouts.common import Checked, checked, need_folder
from assay.errors import InvalidInputError

SAMPLES = 128
_CLASSES = 80
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_MAX_BYTES = 1 << 20
_MAX_PICTURES = 1_000_000
_HINT = (
    "images/ holds the first 128 pictures of COCO val2017 (000000000139.jpg ...), labels/ a text file for each, with "
    "`class x y width height` lines: class 0 to 79, centre and size as parts of the picture's side"
)


@dataclass(frozen=True, slots=True)
class YoloBox:
    """A box: class from 0, centre and size as parts of the picture's width and height."""

    label: int
    x: float
    y: float
    width: float
    height: float


def check_coco_val2017_128(path: Path, partial: bool) -> Checked:
    """The first 128 pictures of COCO val2017 in ``images``, their boxes in ``labels``.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    for folder in (path, path / "images", path / "labels"):
        if not folder.exists():
            raise InvalidInputError(f"{folder.name} is missing", where=path, hint=_HINT)
        need_folder(folder, _HINT)
    pictures = pictures_of(path)
    found = checked(path, len(pictures), SAMPLES, what="pictures", where=path / "images", partial=partial, hint=_HINT)
    boxes = sum(len(read_boxes(path / "labels" / f"{picture.stem}.txt", _CLASSES)) for picture in pictures)
    if not boxes:
        raise InvalidInputError("no picture has a box", where=path / "labels", hint=_HINT)
    return found


def pictures_of(path: Path) -> list[Path]:
    """The pictures in ``images``, sorted by name.

    Raises:
        InvalidInputError: when there are too many, or two would share a file of boxes.
    """
    found = islice(
        (item for item in (path / "images").iterdir() if item.suffix.lower() in _PICTURES), _MAX_PICTURES + 1
    )
    pictures = sorted(found, key=lambda item: item.name)
    if len(pictures) > _MAX_PICTURES:
        raise InvalidInputError("too many pictures", where=path / "images", expected=f"at most {_MAX_PICTURES:,}")
    if len({item.stem for item in pictures}) < len(pictures):
        raise InvalidInputError("two pictures differ only in the ending of their names", where=path / "images")
    return pictures


def class_names(path: Path) -> list[str] | None:
    """Names of the classes from ``classes.txt``, one a line; None where there is no such file."""
    listing = path / "classes.txt"
    if not listing.is_file():
        return None
    names = [line.strip() for line in _text(listing).splitlines() if line.strip()]
    if not names:
        raise InvalidInputError("the list of classes is empty", where=listing)
    return names


def read_boxes(path: Path, classes: int) -> list[YoloBox]:
    """The boxes of one picture; none when it has no file.

    Args:
        path: the picture's file of boxes.
        classes: classes there are.

    Raises:
        InvalidInputError: for a line that is no box, with its number.
    """
    if not path.is_file():
        return []
    return [
        _box(line, classes, f"{path}:{number}")
        for number, line in enumerate(_text(path).splitlines(), 1)
        if line.strip()
    ]


def _box(line: str, classes: int, where: str) -> YoloBox:
    parts = line.split()
    expected = f"`class x y width height`, class 0 to {classes - 1}, the others 0 to 1"
    try:
        label, numbers = int(parts[0]), [float(part) for part in parts[1:]]
    except ValueError as error:
        raise InvalidInputError("not a line of a box", where=where, expected=expected, found=line[:60]) from error
    if len(numbers) != 4 or not 0 <= label < classes or not all(0 <= number <= 1 for number in numbers):
        raise InvalidInputError("not a line of a box", where=where, expected=expected, found=line[:60])
    return YoloBox(label, *numbers)


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise InvalidInputError("the file is too large", where=path, expected=f"at most {_MAX_BYTES >> 20} MiB")
    return raw.decode("utf-8", "replace")

"""Which images a folder holds and what they are labelled."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.errors import InvalidInputError, NotFoundError

_NAMED = re.compile(r"^.+_(?P<label>[0-9]{1,5})\.(?:jpe?g|png)$", re.IGNORECASE)
_LABEL = re.compile(r"[0-9]{1,5}")
_LISTS = ("val_map.txt", "labels.txt", "labels.csv")
_MAX_LIST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file and its class.

    Attributes:
        name: the file's name as the dataset gives it, relative to its folder.
    """

    path: Path
    label: int
    name: str


def find_images(source: Path) -> list[LabelledImage]:
    """The images of a dataset in LoadGen's index order.

    Known are a list beside the images, whose order holds as in the reference (``val_map.txt`` or ``labels.txt`` with
    ``name label`` lines, ``labels.csv`` with two columns), and labels in the names (``*_LABEL.jpg``, sorted by name).
    ``source`` is the folder, or such a list itself.

    Raises:
        NotFoundError: when there is nothing at this path.
        InvalidInputError: when the folder is neither, or a line of the list is wrong.
    """
    if source.is_file():
        return _listed(source.parent, source)
    if not source.is_dir():
        raise NotFoundError("the dataset is not there", where=source)
    for name in _LISTS:
        if (source / name).is_file():
            return _listed(source, source / name)
    names = sorted(path.name for path in source.iterdir())
    images = [
        LabelledImage(source / name, int(match["label"]), name)
        for name in names
        if (match := _NAMED.match(name)) and not name.startswith("ILSVRC2012_val_") and (source / name).is_file()
    ]
    if not images:
        raise _unknown_layout(source, names)
    return images


def _unknown_layout(folder: Path, names: list[str]) -> InvalidInputError:
    hint = None
    if any(name.startswith("ILSVRC2012_val_") for name in names):
        hint = "put val_map.txt (lines `ILSVRC2012_val_00000001.JPEG 65`) beside the images"
    else:
        inner = [name for name in names if any((folder / name / one).is_file() for one in _LISTS)]
        hint = f"give {folder / inner[0]}" if inner else None
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return InvalidInputError(
        "no labelled images here",
        where=folder,
        expected="val_map.txt or labels.txt with `name label` lines, labels.csv, or images named *_LABEL.jpg",
        found=shown or "an empty folder",
        hint=hint,
    )


def _listed(folder: Path, listing: Path) -> list[LabelledImage]:
    images = [
        LabelledImage(folder / _inside(name, where), _label(label, where), name)
        for name, label, where in _entries(listing)
    ]
    if not images:
        raise InvalidInputError("the list is empty", where=listing)
    return images


def _entries(listing: Path) -> Iterator[tuple[str, str, str]]:
    """Name, label and place of every entry."""
    if listing.stat().st_size > _MAX_LIST_BYTES:
        raise InvalidInputError("the list is too large", where=listing, expected=f"at most {_MAX_LIST_BYTES >> 20} MiB")
    try:
        lines = listing.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError("the list is not UTF-8 text", where=listing) from error
    as_csv = listing.suffix.lower() == ".csv"
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{listing}:{number}"
        parts = _csv_cells(line, where) if as_csv else line.rsplit(maxsplit=1)
        if as_csv and number == 1 and len(parts) == 2 and not _LABEL.fullmatch(parts[1]):
            continue  # the header
        if len(parts) != 2:
            expected = "`path,label`" if as_csv else "`name label`"
            raise InvalidInputError(f"not a {expected} line", where=where, found=line[:60])
        yield parts[0].strip(), parts[1], where


def _csv_cells(line: str, where: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        raise InvalidInputError(f"not a line of CSV: {error}", where=where, found=line[:60]) from error


def _inside(name: str, where: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        raise InvalidInputError("the name leaves the folder", where=where, found=name[:60])
    return path


def _label(text: str, where: str) -> int:
    if not _LABEL.fullmatch(text):
        raise InvalidInputError("the label is no number", where=where, expected="0 .. 99999", found=text[:60])
    return int(text)

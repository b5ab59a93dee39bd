"""Which images a folder holds and what they are labelled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.errors import InvalidInputError

_NAMED = re.compile(r"^(?P<stem>.+)_(?P<label>\d{1,4})\.(?:jpe?g|png)$", re.IGNORECASE)
_LISTS = ("val_map.txt", "labels.txt")


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file and its class, 0..999."""

    path: Path
    label: int


def find_images(folder: Path) -> list[LabelledImage]:
    """The images of a folder in LoadGen's index order.

    Two layouts are known: a list (``val_map.txt`` or ``labels.txt`` with ``name label`` lines; their order holds, as in
    the reference), and labels in the names (``*_LABEL.jpg``, sorted by name).

    Raises:
        InvalidInputError: when the folder is neither, or a line or a listed file is wrong.
    """
    for name in _LISTS:
        if (folder / name).is_file():
            return _listed(folder, folder / name)
    images = [
        LabelledImage(path, int(match["label"]))
        for path in sorted(folder.iterdir() if folder.is_dir() else ())
        if (match := _NAMED.match(path.name)) and path.is_file()
    ]
    if not images:
        raise InvalidInputError(
            "no labelled images here",
            where=folder,
            expected=f"{' or '.join(_LISTS)} with `name label` lines, or images named *_LABEL.jpg",
        )
    return images


def _listed(folder: Path, listing: Path) -> list[LabelledImage]:
    images: list[LabelledImage] = []
    for number, line in enumerate(listing.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[1].isdigit():
            raise InvalidInputError("not a `name label` line", where=f"{listing}:{number}", found=line[:60])
        name = PurePosixPath(parts[0])
        if name.is_absolute() or ".." in name.parts:
            raise InvalidInputError("the name leaves the folder", where=f"{listing}:{number}", found=str(name))
        images.append(LabelledImage(folder / name, int(parts[1])))
    if not images:
        raise InvalidInputError("the list is empty", where=listing)
    return images

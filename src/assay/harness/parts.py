"""The files of a model that has several parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.protocol import MODEL


def part_files(model: Path, parts: Mapping[str, str]) -> dict[str, Path]:
    """The file of each part of a model; the model itself when it has none.

    Args:
        model: file, or folder of the parts.
        parts: name of each part to its file in the folder.

    Raises:
        InvalidInputError: when a part's name leads out of the folder.
        NotFoundError: when it is not there.
    """
    if not parts:
        return {MODEL: model}
    found = {}
    for name, inside in parts.items():
        relative = PurePosixPath(inside)
        if relative.is_absolute() or ".." in relative.parts:
            raise InvalidInputError(f"part {name!r} lies outside the model's folder", where=model, found=inside)
        found[name] = model / relative
        if not found[name].exists():
            names = ", ".join(parts.values())
            raise NotFoundError(f"the model has no part {name!r}", where=found[name], expected=f"a folder with {names}")
    return found

"""What the layouts of all datasets ask: counts, files that a list names, entries of JSON files, all bounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from assay.base.files import machine_errors, read_json
from assay.errors import InvalidInputError, NotFoundError

MAX_JSON = 1 << 30


@dataclass(frozen=True, slots=True)
class Checked:
    """A folder that has the layout.

    Attributes:
        path: what the task opens: the folder, or the file where the dataset is one.
        samples: how many there are.
        partial: fewer than the whole dataset.
    """

    path: Path
    samples: int
    partial: bool


def need_folder(path: Path, hint: str) -> None:
    """Raises: InvalidInputError: when it is a file."""
    if not path.is_dir():
        raise InvalidInputError("a file, where the dataset's folder is needed", where=path, hint=hint)


def need_file(path: Path, hint: str) -> Path:
    """The path itself, which has to be a file.

    Raises:
        InvalidInputError: when it is not there, naming it and its folder.
    """
    if not path.is_file():
        raise InvalidInputError(f"{path.name} is missing", where=path.parent, hint=hint)
    return path


def checked(path: Path, found: int, whole: int, *, what: str, where: Path, partial: bool, hint: str) -> Checked:
    """The outcome, when the number of samples is right.

    Args:
        path: what the task opens.
        found: samples there are.
        whole: samples of the whole dataset.
        what: a sample's name in the plural.
        where: the list that was counted, for the error.
        partial: fewer are allowed, if there is one.
        hint: what to do.

    Raises:
        InvalidInputError: when the number is another one.
    """
    if found != whole and not (partial and 0 < found < whole):
        raise InvalidInputError(
            f"not the {what} of the whole dataset",
            where=where,
            expected=f"{'1 to ' if partial else ''}{whole:,}",
            found=f"{found:,}",
            hint=hint if partial or not 0 < found < whole else f"{hint}; to use a part of it on purpose: --partial",
        )
    return Checked(path, found, found < whole)


def need_files(folder: Path, names: Iterable[str], *, what: str, hint: str) -> None:
    """Check that every file of a list is there.

    Raises:
        InvalidInputError: with the number of missing ones and the first three, or for a name that leaves the folder.
    """
    listed = list(names)
    for name in listed:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not name:
            raise InvalidInputError(f"a name that leaves the folder: {name[:60]!r}", where=folder)
    with machine_errors(folder):
        present = {
            (parent, item.name)
            for parent in {str(PurePosixPath(name).parent) for name in listed}
            if (folder / parent).is_dir()
            for item in (folder / parent).iterdir()
        }
    missing = [name for name in listed if (str(PurePosixPath(name).parent), PurePosixPath(name).name) not in present]
    if missing:
        raise InvalidInputError(
            f"{len(missing):,} of {len(listed):,} {what} are missing",
            where=folder,
            found=f"no {', '.join(missing[:3])}",
            hint=hint,
        )


def read_object(path: Path, hint: str) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        InvalidInputError: when it is not there, no JSON, too large, or holds something else.
    """
    value = _read(path, hint)
    if not isinstance(value, dict):
        raise InvalidInputError("not a JSON object", where=path, found=type(value).__name__)
    return value


def read_list(path: Path, hint: str) -> list[Any]:
    """A JSON file that holds a list.

    Raises:
        InvalidInputError: when it is not there, no JSON, too large, or holds something else.
    """
    value = _read(path, hint)
    if not isinstance(value, list):
        raise InvalidInputError("not a JSON list", where=path, found=type(value).__name__)
    return value


def _read(path: Path, hint: str) -> Any:
    try:
        return read_json(path, max_bytes=MAX_JSON)
    except NotFoundError as error:
        raise InvalidInputError(f"{path.name} is missing", where=path.parent, hint=hint) from error


def entries(value: Any, key: str, fields: dict[str, type | tuple[type, ...]], where: Path) -> list[dict[str, Any]]:
    """The entries of a list, each an object with fields of given types.

    Args:
        value: the list as it was read.
        key: what the list is called in the file, for errors.
        fields: name and type of what every entry has to have.
        where: the file.

    Raises:
        InvalidInputError: with the number of the first entry that is wrong, and the field.
    """
    if not isinstance(value, list):
        raise InvalidInputError(f"{key} is no list", where=where, found=type(value).__name__)
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise InvalidInputError(f"{key}[{number}] is no object", where=where, found=type(entry).__name__)
        for name, kind in fields.items():
            if not isinstance(entry.get(name), kind) or isinstance(entry[name], bool):
                found = repr(entry[name])[:60] if name in entry else "nothing"
                raise InvalidInputError(f"{key}[{number}].{name} is wrong", where=where, found=found)
    return value

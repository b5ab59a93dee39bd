"""Archives from strangers: nothing leaves the folder, nothing grows without bound."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from assay.base.files import machine_errors
from assay.base.units import format_size
from assay.errors import InvalidInputError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an archive may hold at most.

    Attributes:
        total: bytes of all files together, unpacked.
        entries: files and folders.
    """

    total: int = 200 << 30
    entries: int = 500_000


def extract_archive(archive: Path, folder: Path, bounds: Bounds | None = None) -> int:
    """Unpack a zip or tar archive into ``folder``; returns the bytes written.

    Only plain files and folders are written. Links, devices and names that are absolute or contain ``..`` end it.

    Raises:
        InvalidInputError: for such an entry, a damaged archive, or one beyond the bounds.
    """
    limits = bounds or Bounds()
    written = entries = 0
    root = folder.resolve()
    try:
        for name, stream in _entries(archive):
            entries += 1
            if entries > limits.entries:
                raise InvalidInputError(
                    "the archive has too many entries", where=archive, expected=f"at most {limits.entries}"
                )
            target = inside(root, name, archive)
            with machine_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                written += _write(stream, target, limits.total - written, archive)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise InvalidInputError(f"the archive is damaged: {error}", where=archive, hint="fetch it again") from error
    return written


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                if (info.external_attr >> 16) & 0o170000 == 0o120000:
                    raise InvalidInputError(f"the archive holds a link: {info.filename}", where=archive)
                if not info.is_dir():
                    with zipped.open(info) as stream:
                        yield info.filename, stream
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            if member.isdir():
                continue
            content = tarred.extractfile(member) if member.isreg() else None
            if content is None:
                raise InvalidInputError(
                    f"the archive holds something that is no plain file: {member.name}", where=archive
                )
            yield member.name, content


def inside(root: Path, name: str, archive: Path) -> Path:
    """Where a member goes below ``root``.

    Raises:
        InvalidInputError: when that would be outside.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or not path.parts or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise InvalidInputError(f"the archive wants to write outside its folder: {name!r}", where=archive)
    return root.joinpath(*path.parts)


def _write(stream: IO[bytes], target: Path, left: int, archive: Path) -> int:
    count = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            count += len(chunk)
            if count > left:
                raise InvalidInputError(
                    "the archive is too large when unpacked",
                    where=archive,
                    expected=f"at most {format_size(left)} more",
                )
            out.write(chunk)
    return count

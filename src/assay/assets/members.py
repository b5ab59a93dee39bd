"""The files of a package, whatever kind of archive it is: wheel (zip), npm tarball (tar.gz), Debian package (ar, tar).

Nothing is written here; :mod:`assay.assets.selection` takes what is asked for.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from assay.assets.streams import Forward, Part, decompressed
from assay.errors import InvalidInputError

MAX_BYTES = 4 << 30
MAX_MEMBERS = 20_000
_MAX_HEADER = 16 << 10
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60
_DAMAGES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: its path as packages are written about: no leading ``./``, no top folder of an npm package.
        plain: an ordinary file: no folder, link or device.
        open: its content; valid until the next member is asked for.
    """

    name: str
    plain: bool
    open: Callable[[], IO[bytes]]


@contextlib.contextmanager
def told_as_damaged(archive: Path) -> Iterator[None]:
    """Turn what the libraries raise for a damaged archive into an error of ours.

    Raises:
        InvalidInputError: for those.
    """
    try:
        yield
    except (*_DAMAGES, ValueError, OverflowError, NotImplementedError, RuntimeError) as error:
        raise InvalidInputError(
            f"the archive is damaged: {error}", where=archive.name, hint="fetch it again"
        ) from error


def zip_members(archive: Path) -> Iterator[Member]:
    """The members of a zip, such as a wheel.

    Raises:
        InvalidInputError: when it has too many.
        zipfile.BadZipFile: and others of the library, see :func:`told_as_damaged`.
    """
    with zipfile.ZipFile(archive) as zipped:
        entries = zipped.infolist()
        _check_count(len(entries), archive)
        for entry in entries:
            link = (entry.external_attr >> 16) & 0o170000 == 0o120000
            yield Member(_clean(entry.filename), not entry.is_dir() and not link, _opener(zipped, entry))


def _opener(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: zipped.open(entry)


def npm_members(archive: Path) -> Iterator[Member]:
    """The members of an npm tarball, without its top folder (``package`` by custom).

    Raises:
        InvalidInputError: when it is too large or has too many.
        tarfile.TarError: and others of the library, see :func:`told_as_damaged`.
    """
    with archive.open("rb") as stream, gzip.GzipFile(fileobj=stream, mode="rb") as content:
        for member in _tar_members(content, archive):
            yield Member(member.name.partition("/")[2], member.plain, member.open)


def deb_members(archive: Path) -> Iterator[Member]:
    """The files a Debian package installs, as paths from the root; its scripts are never looked at.

    The form is that of deb(5): an ar archive of ``debian-binary``, ``control.tar*`` and ``data.tar*``.

    Raises:
        InvalidInputError: when it is no Debian package, too large, or has too many members.
        MissingDependencyError: when it is compressed with zstd and no library is there for it.
        tarfile.TarError: and others of the library, see :func:`told_as_damaged`.
    """
    with archive.open("rb") as stream:
        name, size = _find_data(stream, archive)
        yield from _tar_members(decompressed(name, Part(stream, size)), archive)


def _find_data(stream: IO[bytes], archive: Path) -> tuple[str, int]:
    """Name and size of ``data.tar*``; the stream is left at its first byte."""
    if stream.read(len(_AR_MAGIC)) != _AR_MAGIC:
        raise InvalidInputError("no Debian package: it is no ar archive", where=archive.name)
    for _ in range(16):
        header = stream.read(_AR_HEADER)
        if not header:
            break
        size = header[48:58].strip()
        if len(header) != _AR_HEADER or header[58:] != b"`\n" or not size.isdigit():
            raise InvalidInputError("the archive is damaged: no ar header", where=archive.name, hint="fetch it again")
        name = header[:16].decode("ascii", "replace").strip().removesuffix("/")
        if name.startswith("data.tar"):
            return name, int(size)
        stream.seek(int(size) + int(size) % 2, io.SEEK_CUR)
    raise InvalidInputError("no Debian package: it has no data.tar", where=archive.name)


def _tar_members(content: io.RawIOBase | gzip.GzipFile, archive: Path) -> Iterator[Member]:
    forward = cast("IO[bytes]", Forward(content, MAX_BYTES, archive))
    with tarfile.open(fileobj=forward, mode="r:") as tarred:
        for count, entry in enumerate(tarred, 1):
            _check_count(count, archive)
            # The library keeps every header it has read.
            if len(entry.name) + sum(len(key) + len(value) for key, value in entry.pax_headers.items()) > _MAX_HEADER:
                raise InvalidInputError("the archive has a header that is too large", where=archive.name)
            yield Member(_clean(entry.name), entry.isreg() and not entry.issparse(), _extractor(tarred, entry))


def _extractor(tarred: tarfile.TarFile, entry: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    return lambda: cast("IO[bytes]", tarred.extractfile(entry))


def _clean(name: str) -> str:
    return str(PurePosixPath(name))


def _check_count(count: int, archive: Path) -> None:
    if count > MAX_MEMBERS:
        raise InvalidInputError(
            "the package has too many files", where=archive.name, expected=f"at most {MAX_MEMBERS:,}"
        )

"""Archives that strangers upload: unpacked onto the disk with nothing outside the folder and nothing without a bound.

Taken are ``.tar``, ``.tar.gz``, ``.tar.xz`` and ``.zip``, told by their content. Archives within are files like others.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import shutil
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assay.base.files import machine_errors
from assay.base.units import format_size
from assay.errors import InvalidInputError
from assay.playground.security.config import UploadLimits

_CHUNK = 1 << 20
# No part of an archive that is read in one piece may be larger: names, extended headers, the list of a zip.
_PIECE = 64 << 20
_TAR_PIECE = 4 << 20
_XZ_MEMORY = 256 << 20
# Small archives compress as well as they like.
_FREE_OF_RATIO = 16 << 20
_LONGEST_PATH, _LONGEST_NAME = 1024, 255
_LINK, _FOLDER, _FILE = 0o120000, 0o040000, 0o100000
_FORMS = ".tar, .tar.gz, .tar.xz or .zip"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was in an archive.

    Attributes:
        files: how many.
        size: bytes of all of them.
    """

    files: int
    size: int


def unpack(archive: Path, folder: Path, limits: UploadLimits | None = None) -> Unpacked:
    """Unpack an archive into a folder that is made, or empty; after an error nothing is left in it.

    Only plain files and folders are written, as files that cannot be run. Links, devices, names that leave the folder,
    that are not UTF-8 or differ in case only end it.

    Raises:
        InvalidInputError: for such an entry, a damaged archive, or one beyond the bounds.
        MachineError: when the disk is full or cannot be written.
    """
    writer = _Writer(archive, folder, limits or UploadLimits())
    with machine_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInputError("the folder to unpack into is not empty", where=folder)
    try:
        with _damage(archive):
            for entry in _entries(archive, writer.limits):
                writer.take(entry)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Unpacked(writer.files, writer.size)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of an archive, or a folder (no content)."""

    name: str
    content: IO[bytes] | None


@contextlib.contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """What libraries say of a broken archive, as an error of ours."""
    try:
        yield
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        UnicodeError,
        NotImplementedError,
        RecursionError,
        ValueError,
        OverflowError,
        OSError,
        struct.error,
    ) as error:
        words = str(error)[:100] or type(error).__name__
        raise InvalidInputError(f"the archive is damaged: {words}", where=archive.name) from error


# ---- reading


def _entries(archive: Path, limits: UploadLimits) -> Iterator[_Entry]:
    packed = archive.stat().st_size
    if packed > limits.max_bytes:
        raise InvalidInputError(
            "the archive is too large", where=archive.name, expected=f"at most {format_size(limits.max_bytes)}"
        )
    with archive.open("rb") as raw:
        start = raw.read(512)
        raw.seek(0)
        if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _zip_entries(archive)
        elif start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                yield from _tar_entries(stream, archive, packed, limits)
        elif start[:6] == b"\xfd7zXZ\x00":
            with io.BufferedReader(_Xz(raw), _CHUNK) as stream:
                yield from _tar_entries(stream, archive, packed, limits)
        elif start[257:262] == b"ustar":
            yield from _tar_entries(raw, archive, packed, limits)
        else:
            raise InvalidInputError("not an archive that can be unpacked", where=archive.name, expected=_FORMS)


class _Xz(io.RawIOBase):
    """The content of an xz stream, unpacked with bounded memory."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; 0 at the end."""
        while not self._unpack.eof:
            data = self._raw.read(_CHUNK) if self._unpack.needs_input else b""
            if not data and self._unpack.needs_input:
                raise EOFError("it ends in the middle")
            piece = self._unpack.decompress(data, max_length=len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
        if self._unpack.unused_data or self._raw.read(1):
            raise lzma.LZMAError("there is more after its end")
        return 0


class _Forward:
    """A stream for tarfile that is read once, in pieces of bounded size, with the bytes of it counted.

    tarfile reads a header's extension as large as it says in one piece; here that ends it.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, archive: Path, packed: int, limits: UploadLimits) -> None:
        self._stream, self._archive, self._packed, self._limits = stream, archive, packed, limits
        self._at = 0
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if not 0 <= size <= _TAR_PIECE:
            raise tarfile.ReadError("it has a header that is too large")
        parts, left = [], size
        while left and (piece := self._stream.read(left)):
            parts.append(piece)
            left -= len(piece)
        data = b"".join(parts)
        self._at += len(data)
        self.last = data
        # Headers and padding count as much as files do: half a kilobyte each.
        most = self._limits.max_unpacked + 2048 * self._limits.max_files
        _check_growth(self._at, most, self._packed, self._limits.max_ratio, self._archive)
        return data

    def tell(self) -> int:
        """Bytes that were read."""
        return self._at

    def seek(self, position: int, whence: int = 0) -> int:
        """Go on, never back."""
        if whence != 0 or position < self._at:
            raise tarfile.ReadError("it would have to be read backwards")
        while self._at < position:
            if not self.read(min(_CHUNK, position - self._at)):
                raise tarfile.ReadError("it ends in the middle")
        return self._at


def _tar_entries(
    stream: IO[bytes] | gzip.GzipFile, archive: Path, packed: int, limits: UploadLimits
) -> Iterator[_Entry]:
    forward = _Forward(stream, archive, packed, limits)
    with tarfile.TarFile(fileobj=forward, mode="r", encoding="utf-8", errors="strict") as tarred:  # type: ignore[arg-type]
        while (member := tarred.next()) is not None:
            # tarfile remembers every entry; nobody asks for them again.
            tarred.members.clear()  # type: ignore[attr-defined]
            if member.isdir():
                yield _Entry(member.name, None)
                continue
            content = tarred.extractfile(member) if member.isreg() and not member.issparse() else None
            if content is None:
                raise _refused("holds something that is no plain file", archive, member.name)
            yield _Entry(member.name, content)
    # tarfile takes a broken header for the end; the real one is a block of zeros. What follows is read for its checksum.
    if forward.last != bytes(512):
        raise tarfile.ReadError("it ends in the middle")
    while forward.read(_CHUNK):
        pass


class _Pieces(io.BufferedReader):
    """A file for zipfile of which no part larger than the bound is read at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        data = super().read(_PIECE + 1 if size is None or size < 0 or size > _PIECE else size)
        if len(data) > _PIECE:
            raise zipfile.BadZipFile("its list of files is too large")
        return data


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with _Pieces(io.FileIO(archive)) as raw, zipfile.ZipFile(raw) as zipped:
        for info in zipped.infolist():
            kind = (info.external_attr >> 16) & 0o170000
            if "\0" in info.orig_filename or kind not in (0, _FILE, _FOLDER):
                raise _refused("holds something that is no plain file", archive, info.filename)
            if not info.filename.isascii() and not info.flag_bits & 0x800:
                raise _refused("holds a name that is not UTF-8", archive, info.filename)
            if info.flag_bits & 0x1:
                raise _refused("is encrypted", archive, info.filename)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused("is compressed in an unusual way", archive, info.filename)
            if info.is_dir():
                yield _Entry(info.orig_filename, None)
                continue
            with zipped.open(info) as content:
                yield _Entry(info.orig_filename, content)


# ---- writing


class _Writer:
    """Writes entries below one folder and counts them."""

    def __init__(self, archive: Path, folder: Path, limits: UploadLimits) -> None:
        self.limits = limits
        self.files = self.size = 0
        self._archive, self._folder, self._packed = archive, folder, archive.stat().st_size
        self._entries = 0
        # Each path without its case, and how it was written; whether it is a folder.
        self._seen: dict[str, tuple[str, bool]] = {}

    def take(self, entry: _Entry) -> None:
        """Write a file or make a folder."""
        self._entries += 1
        # Folders are bounded, too: at most as many as files.
        if self._entries > 2 * self.limits.max_files or self.files >= self.limits.max_files:
            raise InvalidInputError(
                "the archive has too many files", where=self._archive.name, expected=f"at most {self.limits.max_files}"
            )
        parts = self._parts(entry.name)
        if not parts:
            return
        self._claim(parts, folder=entry.content is None)
        target = self._folder.joinpath(*parts)
        with machine_errors(target):
            if entry.content is None:
                target.mkdir(parents=True, exist_ok=True)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
        self.files += 1
        self._write(entry.content, target)

    def _parts(self, name: str) -> tuple[str, ...]:
        """The parts of a name that stays inside."""
        try:
            encoded = name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _refused("holds a name that is not UTF-8", self._archive, name) from error
        parts = [part for part in name.split("/") if part not in ("", ".")]
        drive = bool(parts) and len(parts[0]) >= 2 and parts[0][1] == ":"
        if name.startswith("/") or "\\" in name or ".." in parts or drive:
            raise _refused("wants to write outside its folder", self._archive, name)
        if any(unicodedata.category(each) in ("Cc", "Cs") for each in name):
            raise _refused("holds a name with control characters", self._archive, name)
        if len(encoded) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
            raise _refused("holds a name that is too long", self._archive, name)
        if len(parts) > self.limits.max_depth:
            raise _refused(f"has folders deeper than {self.limits.max_depth}", self._archive, name)
        return tuple(parts)

    def _claim(self, parts: tuple[str, ...], *, folder: bool) -> None:
        """Note a path and its folders; no two may be one on a disk that does not tell case."""
        for length in range(1, len(parts) + 1):
            path, is_folder = "/".join(parts[:length]), folder or length < len(parts)
            before, was_folder = self._seen.setdefault(_folded(path), (path, is_folder))
            if before != path:
                raise _refused("holds names that differ in case only", self._archive, path)
            if was_folder != is_folder:
                raise _refused("holds a file and a folder of one name", self._archive, path)
        if not folder:
            key = "\0" + "/".join(parts)
            if key in self._seen:
                raise _refused("holds a file twice", self._archive, "/".join(parts))
            self._seen[key] = ("", False)

    def _write(self, content: IO[bytes], target: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        with machine_errors(target):
            descriptor = os.open(target, flags, 0o644)
        with os.fdopen(descriptor, "wb") as out:
            while chunk := content.read(_CHUNK):
                self.size += len(chunk)
                _check_growth(self.size, self.limits.max_unpacked, self._packed, self.limits.max_ratio, self._archive)
                with machine_errors(target):
                    out.write(chunk)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _check_growth(size: int, most: int, packed: int, ratio: float, archive: Path) -> None:
    """Refuse what grows too large, or too much, while it is unpacked."""
    if size > most:
        raise InvalidInputError(
            "the archive is too large when unpacked", where=archive.name, expected=f"at most {format_size(most)}"
        )
    if size > _FREE_OF_RATIO and size > packed * ratio:
        raise InvalidInputError(
            "the archive grows too much when unpacked", where=archive.name, expected=f"at most {ratio:g} times its size"
        )


def _refused(what: str, archive: Path, name: str) -> InvalidInputError:
    shown = name.encode("utf-8", "backslashreplace").decode()[:120]
    return InvalidInputError(f"the archive {what}: {shown!r}", where=archive.name)

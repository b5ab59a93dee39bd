"""Streams of bytes out of files from strangers: a part of a file, what is compressed in it, and a bound on both."""

from __future__ import annotations

import gzip
import importlib
import io
import lzma
from pathlib import Path
from typing import IO, Any, cast

from assay.base.units import format_size
from assay.errors import InvalidInputError, MissingDependencyError

_CHUNK = 1 << 20
# Members are read in pieces of this size, and no header is larger unless it is an attack.
_MAX_READ = 1 << 20
_MAX_WINDOW = 128 << 20


class Part(io.RawIOBase):
    """Some bytes of an open file, read in order.

    Args:
        stream: the file, at the first of these bytes; nobody else reads it meanwhile.
        size: how many bytes they are.
    """

    def __init__(self, stream: IO[bytes], size: int) -> None:
        super().__init__()
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        """True: it can be read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes.

        Raises:
            EOFError: when the file ends before the part does.
        """
        data = self._stream.read(min(len(buffer), self._left))
        if not data and self._left and len(buffer):
            raise EOFError("the file ends in the middle")
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class Unxz(io.RawIOBase):
    """What an xz stream holds, with a bound on the memory its dictionary may take."""

    def __init__(self, stream: io.RawIOBase) -> None:
        super().__init__()
        self._stream = stream
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_WINDOW)

    def readable(self) -> bool:
        """True: it can be read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes.

        Raises:
            EOFError: when the compressed data end too early.
            lzma.LZMAError: when they are damaged.
        """
        while len(buffer) and not self._decompressor.eof:
            more = (self._stream.read(_CHUNK) or b"") if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not more:
                raise EOFError("the compressed data end too early")
            data = self._decompressor.decompress(more, max_length=len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0


class Forward:
    """A stream that is only read onwards, up to a number of bytes; enough of a file for :mod:`tarfile`.

    Args:
        stream: what is read.
        limit: bytes it may give.
        where: the file it comes from, for errors.
    """

    def __init__(self, stream: io.RawIOBase | gzip.GzipFile, limit: int, where: Path) -> None:
        self._stream, self._limit, self._where = stream, limit, where
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, fewer only at the end.

        Raises:
            InvalidInputError: when that is more than a header can be, or beyond the limit.
        """
        if not 0 <= size <= _MAX_READ:
            raise InvalidInputError(
                "the archive has a header that is too large",
                where=self._where,
                expected=f"at most {format_size(_MAX_READ)}",
            )
        parts: list[bytes] = []
        while size and (data := self._stream.read(size)):
            parts.append(data)
            size -= len(data)
            self._position += len(data)
            if self._position > self._limit:
                raise InvalidInputError(
                    "the archive is too large when unpacked",
                    where=self._where,
                    expected=f"at most {format_size(self._limit)}",
                )
        return b"".join(parts)

    def tell(self) -> int:
        """Bytes read or passed so far."""
        return self._position

    def seek(self, position: int) -> int:
        """Pass over bytes; one that lies beyond the end is the end.

        Raises:
            OSError: when it lies before what was read.
            InvalidInputError: when it lies beyond the limit.
        """
        if position < self._position:
            raise io.UnsupportedOperation("the archive cannot be read backwards")
        while self._position < position and self.read(min(_CHUNK, position - self._position)):
            pass
        return self._position


def decompressed(name: str, stream: io.RawIOBase) -> io.RawIOBase | gzip.GzipFile:
    """What a compressed stream holds, by the end of its name (``.gz``, ``.xz``, ``.zst`` or none of them).

    Raises:
        MissingDependencyError: for zstd without its library.
    """
    if name.endswith(".xz"):
        return Unxz(stream)
    if name.endswith((".gz", ".tgz")):
        return gzip.GzipFile(fileobj=cast("IO[bytes]", stream), mode="rb")
    if not name.endswith(".zst"):
        return stream
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError as error:
        raise MissingDependencyError(
            "the package is compressed with zstd, which needs a library that is not installed",
            where=name,
            hint="pip install zstandard",
        ) from error
    reader: io.RawIOBase = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(stream)
    return reader

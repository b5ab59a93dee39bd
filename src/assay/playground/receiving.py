"""A form with one file in it, written to the disk as it comes: size and SHA-256 are known when its last byte is."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from assay.base.files import machine_errors
from assay.base.units import format_size
from assay.errors import InvalidInputError
from assay.playground.accounts.refusals import TooLargeError

_MOST_FIELDS = 100
_LONGEST_FIELD = 8192
_LONGEST_HEADER = 4096
_DIGEST = re.compile(r"\s*sha-256\s*=\s*:?([A-Za-z0-9+/=_-]{43,64}):?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """What came.

    Attributes:
        file_name: as it was sent; empty when no file was.
        size: bytes of the file.
        sha256: of the file, as 64 hex digits.
        fields: the other fields, each with all of its values.
    """

    file_name: str
    size: int
    sha256: str
    fields: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """The last value of a field, without blanks around it; empty when it was not sent."""
        return (self.fields.get(name) or ("",))[-1].strip()

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a field that are not empty, each once."""
        return tuple(dict.fromkeys(each.strip() for each in self.fields.get(name, ()) if each.strip()))


@dataclass(slots=True)
class _Part:
    """A part of the form that is coming in."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None
    value: bytearray = field(default_factory=bytearray)


class Receiver:
    """Takes a form piece by piece.

    Args:
        content_type: of the request; says where parts begin.
        target: where the file goes; it is made new.
        most: bytes that the file may have.

    Raises:
        InvalidInputError: when the request is no form with files.
    """

    def __init__(self, content_type: str, target: Path, most: int) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise InvalidInputError("no form with a file", expected="Content-Type: multipart/form-data; boundary=...")
        self.target, self._most = target, most
        self._stream: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self._size, self._file_name = 0, ""
        self._fields: dict[str, list[str]] = {}
        self._count = 0
        self._part = _Part()
        self._header, self._header_value = bytearray(), bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInputError: when they are no form, or one with too many fields or two files.
            TooLargeError: when the file is larger than it may be.
            MachineError: when the disk is full.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise InvalidInputError(f"the form is damaged: {str(error)[:100]}") from error

    def finish(self) -> Received:
        """What came, when all is there.

        Raises:
            InvalidInputError: when the form breaks off.
        """
        self.close()
        if not self._ended:
            raise InvalidInputError("the form breaks off before its end")
        fields = {name: tuple(values) for name, values in self._fields.items()}
        return Received(self._file_name, self._size, self._hash.hexdigest(), fields)

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            with machine_errors(self.target):
                self._stream.close()
            self._stream = None

    def discard(self) -> None:
        """Let go of the file and remove it."""
        with contextlib.suppress(OSError):
            if self._stream is not None:
                self._stream.close()
            self.target.unlink(missing_ok=True)

    # ---- called by the parser

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_FIELDS:
            raise InvalidInputError("the form has too many fields", expected=f"at most {_MOST_FIELDS}")
        self._part = _Part()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_ends(self) -> None:
        if len(self._header) + len(self._header_value) > _LONGEST_HEADER:
            raise InvalidInputError("a field of the form has a header that is too long")
        name = self._header.decode("latin-1").strip().lower()
        self._part.headers[name] = self._header_value.decode("latin-1")
        self._header, self._header_value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", ""))
        self._part.name = _text(options.get(b"name", b""))[:200]
        name = options.get(b"filename")
        self._part.file_name = None if name is None else _text(name)[-1000:]
        if self._part.file_name:
            if self._file_name:
                raise InvalidInputError(
                    "there is more than one file", hint="pack them into one archive: tar -czf results.tar.gz FOLDER"
                )
            self._file_name = self._part.file_name
            with machine_errors(self.target):
                self.target.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.target.open("xb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self._write(memoryview(data)[start:end])
            return
        self._part.value += data[start:end]
        if len(self._part.value) > _LONGEST_FIELD:
            raise InvalidInputError(
                f"the field {self._part.name[:80]!r} is too long", expected=f"at most {_LONGEST_FIELD} bytes"
            )

    def _write(self, data: memoryview) -> None:
        if self._stream is None:
            # A browser without a chosen file sends one without a name; it has no content.
            if len(data):
                raise InvalidInputError("the file has no name")
            return
        self._size += len(data)
        if self._size > self._most:
            raise TooLargeError(
                "the file is too large",
                expected=f"at most {format_size(self._most)}",
                hint="assay truncate cuts accuracy logs; leave out code/ and models",
            )
        self._hash.update(data)
        with machine_errors(self.target):
            self._stream.write(data)

    def _end(self) -> None:
        if self._part.file_name is None:
            self._fields.setdefault(self._part.name, []).append(_text(bytes(self._part.value)))

    def _all(self) -> None:
        self._ended = True


def check_digest(received: Received, header: str) -> None:
    """Refuse a file that is another one than its sender says, in the header ``Digest`` or the field ``sha256``.

    Raises:
        InvalidInputError: when its SHA-256 differs, or what is said is none.
    """
    for said in (header, f"sha-256={received.one('sha256')}" if received.one("sha256") else ""):
        if not said:
            continue
        match = _DIGEST.fullmatch(said)
        wanted = _hex_of(match[1]) if match else None
        if wanted is None:
            raise InvalidInputError("no digest", expected="Digest: sha-256=...", found=said[:100])
        if wanted != received.sha256:
            raise InvalidInputError(
                "the file did not arrive as it was sent: its SHA-256 differs",
                expected=wanted,
                found=received.sha256,
                hint="send it again",
            )


def _hex_of(text: str) -> str | None:
    """A SHA-256 in hex or base64 as hex; None when it is none."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return text.lower()
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")

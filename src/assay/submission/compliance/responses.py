"""LoadGen's accuracy logs, read for comparing responses sample by sample.

A log is one JSON list with an entry to a line, and may have gigabytes; published ones are cut in the middle to 8 KiB
(tools/submission/truncate_accuracy_log.py). A whole one is read line by line; of a cut one the entries that are still
there are taken.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from assay.base.files import open_regular

_MAX_LINE = 256 << 20
_MAX_BYTES = 16 << 30
_MAX_OTHER = 32 << 20
_MAX_CUT = 1 << 20
_HEAD = 8
_CUT = b"\n\n...\n\n"
_ENTRY = re.compile(rb'\{ ?"seq_id" ?: ?\d{1,20}, "qsl_idx" ?: ?(\d{1,18}), "data" ?: ?"([0-9A-Fa-f]*)"')


class _Entry(msgspec.Struct, gc=False):
    qsl_idx: int
    data: str


_decode = msgspec.json.Decoder(_Entry).decode
_decode_all = msgspec.json.Decoder(list[_Entry]).decode


@dataclass(frozen=True, slots=True)
class Response:
    """What is kept of a sample's response.

    Attributes:
        head: its first 8 bytes; None when the text is not hexadecimal.
        size: bytes.
        digest: BLAKE2 of its text.
    """

    head: bytes | None
    size: int
    digest: bytes


@dataclass(slots=True)
class AccuracyLog:
    """An accuracy log.

    Attributes:
        whole: nothing was cut away.
        problem: why it could not be read; empty when it could.
        entries: index of the sample and its response, in the order of the log; of a whole log all of them.
        sha256: of the file, for whole logs.
        missing: there is no such file.
    """

    whole: bool = False
    problem: str = ""
    entries: list[tuple[int, Response]] = field(default_factory=list)
    sha256: str = ""
    missing: bool = False


def read_accuracy_log(path: str) -> AccuracyLog:
    """Read ``mlperf_log_accuracy.json``.

    Bounds: files of 16 GiB, lines of 256 MiB; a file that is not laid out as LoadGen does, 32 MiB. Of a response 40
    bytes are kept, whatever its size.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            return _read(file, size)
    except FileNotFoundError:
        return AccuracyLog(problem="not there", missing=True)
    except OSError as error:
        return AccuracyLog(problem=error.strerror or str(error))
    except ValueError as error:
        return AccuracyLog(problem=str(error))


def _read(file: io.FileIO, size: int) -> AccuracyLog:
    if size > _MAX_BYTES:
        return AccuracyLog(problem=f"larger than {_MAX_BYTES >> 30} GiB")
    if size <= _MAX_CUT:
        raw = file.read(size + 1)
        if _CUT in raw or not raw.rstrip().endswith(b"]"):
            return _cut(raw, "it is truncated")
        file.seek(0)
    found = AccuracyLog(whole=True)
    digest = hashlib.sha256()
    try:
        for line in _lines(file, digest):
            entry = _decode(line)
            found.entries.append((entry.qsl_idx, _response(entry.data)))
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError, _LayoutError):
        return _other_layout(file, size)
    found.sha256 = digest.hexdigest()
    return found


class _LayoutError(Exception):
    """The file is not laid out as LoadGen does."""


def _lines(file: io.FileIO, digest: hashlib._Hash) -> Iterator[bytes]:
    """Entries of the list, one by one, without the commas between them."""
    stream = io.BufferedReader(file, 1 << 20)
    try:
        if not _is(b"[", _next(stream, digest)):
            raise _LayoutError
        comma: bool | None = None
        while not _is(b"]", line := _next(stream, digest)):
            if comma is False:
                raise _LayoutError
            text = line.strip()
            comma = text.endswith(b",")
            yield text[:-1] if comma else text
        if comma or _next(stream, digest):
            raise _LayoutError
    finally:
        stream.detach()


def _next(stream: io.BufferedReader, digest: hashlib._Hash) -> bytes:
    line = stream.readline(_MAX_LINE + 1)
    if len(line) > _MAX_LINE:
        raise _LayoutError
    digest.update(line)
    return line


def _is(bracket: bytes, line: bytes) -> bool:
    """Whether it is the line of a bracket.

    Raises:
        _LayoutError: at the end of the file.
    """
    if not line:
        raise _LayoutError
    return line.strip() == bracket


def _other_layout(file: io.FileIO, size: int) -> AccuracyLog:
    """A file that is no LoadGen log to the letter: any JSON list of entries, when it is small."""
    if size > _MAX_OTHER:
        return AccuracyLog(problem="not laid out as LoadGen writes it")
    file.seek(0)
    raw = file.read(size + 1)
    try:
        entries = _decode_all(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        problem = f"no list of responses: {error}"[:200]
        return _cut(raw, problem) if size <= _MAX_CUT else AccuracyLog(problem=problem)
    responses = [(entry.qsl_idx, _response(entry.data)) for entry in entries]
    return AccuracyLog(whole=True, entries=responses, sha256=hashlib.sha256(raw).hexdigest())


def _cut(raw: bytes, problem: str) -> AccuracyLog:
    """The entries that are whole in what is left of a log."""
    entries = [(int(index), _response(data.decode("ascii"))) for index, data in _ENTRY.findall(raw)]
    return AccuracyLog(problem=problem, entries=entries)


def _response(text: str) -> Response:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return Response(None, 0, digest)
    return Response(raw[:_HEAD], len(raw), digest)

"""The bytes that a cut log and its ``accuracy.txt`` get.

Source: ``tools/submission/truncate_accuracy_log.py`` of mlcommons/inference, tags v2.0 to v3.1: the hash of the whole
log is written to ``accuracy.txt``; of the log the first and the last 4096 characters stay, with dots between them.
"""

from __future__ import annotations

import io
import os
import re

from assay.base.files import open_regular

LOG, TEXT = "mlperf_log_accuracy.json", "accuracy.txt"
VIEW = 4096
"""Characters that stay at either end; a log with fewer bytes stays whole (v3.1; the tools before it break off)."""
MAX_TEXT = 64 << 20
_GAP = "\n\n...\n\n"
_HASH = re.compile(r"^hash=(\w+)$")


def recorded_hash(text: bytes) -> str | None:
    """The first hash that ``accuracy.txt`` names on a line of its own."""
    return next((match[1] for line in _lines(text) if (match := _HASH.match(line))), None)


def has_hash(text: bytes, digest: str) -> bool:
    """Whether a line of ``accuracy.txt`` names this hash."""
    return any((match := _HASH.match(line)) and match[1] == digest for line in _lines(text))


def with_hash(text: bytes | None, digest: str) -> bytes:
    """``accuracy.txt`` with the hash on a line of its own at the end.

    The official tool writes no line end before it, so that a hash glued to an unfinished last line is never found.
    """
    before = text or b""
    joint = b"" if not before or before.endswith(b"\n") else b"\n"
    return before + joint + f"hash={digest}\n".encode()


def without_hash(text: bytes, digest: str) -> bytes:
    """``accuracy.txt`` without its last line that names this hash."""
    lines = text.splitlines(keepends=True)
    wanted = f"hash={digest}".encode()
    place = max((number for number, line in enumerate(lines) if line.rstrip(b"\r\n") == wanted), default=None)
    if place is not None:
        del lines[place]
    return b"".join(lines)


def shortened(path: str) -> bytes | None:
    """What stays of a log; None when it is so short that all of it does.

    A log that is no UTF-8 text is cut by bytes (the official tool breaks off on one).

    Raises:
        OSError: when it cannot be read.
    """
    size = os.stat(path).st_size
    if size < VIEW:
        return None
    tail = _from(path, size - VIEW)
    try:
        with io.TextIOWrapper(io.BufferedReader(open_regular(path)), encoding="utf-8") as text:
            head = text.read(VIEW)
        return f"{head}{_GAP}".encode() + tail.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").encode()
    except UnicodeDecodeError:
        return _from(path, 0) + _GAP.encode() + tail


def looks_cut(path: str, limit: int) -> bool:
    """Whether a log below the limit is one that was cut before: the gap stands in it.

    Raises:
        OSError: when it cannot be read.
    """
    if os.stat(path).st_size >= limit:
        return False
    with io.BufferedReader(open_regular(path)) as file:
        return _GAP.encode() in file.read(limit)


def _from(path: str, start: int) -> bytes:
    with io.BufferedReader(open_regular(path)) as file:
        file.seek(start)
        return file.read(VIEW)


def _lines(text: bytes) -> list[str]:
    return list(io.StringIO(text.decode("utf-8", "surrogateescape"), newline=None))

"""When LoadGen ran, by its own detail log."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from assay.submission.checks.context import shown
from assay.submission.power import spl
from assay.submission.power.record import MalformedError

# A digit that follows a digit need not be tried: the run of digits would have matched from its start.
_LOADGEN_TIME = re.compile(r"(?<!\d)\d*-\d*-\d* \d*:\d*:\d*\.\d*")
_KEYS = (b"power_begin", b"power_end")
_MAX_LINE = 64 << 20
_READ_AHEAD = 8192


class WindowError(MalformedError):
    """A detail log does not say when LoadGen ran."""


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """When LoadGen ran: seconds since 1970, UTC."""

    begin: float
    end: float


class WindowScan:
    """Finds ``power_begin`` and ``power_end`` in a detail log that is fed to it piece by piece.

    Source: ``_get_begin_end_time_from_mlperf_log_detail`` of the power working group's checker, all rounds.

    Args:
        place: of the log, relative to the tree.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: dict[bytes, float] = {}
        self._rest = b""
        self._lines = 0
        self._offset = 0
        self._error: WindowError | None = None
        self._done = False

    def feed(self, piece: bytes) -> None:
        """Take in a piece."""
        if self._done or self._error is not None:
            return
        block = self._rest + piece if self._rest else piece
        whole = block.rfind(b"\n") + 1
        self._rest = block[whole:]
        if len(self._rest) > _MAX_LINE:
            self._error = WindowError(self._place, "", f"a line is longer than {_MAX_LINE >> 20} MiB")
        self._take(block[:whole])

    def finish(self) -> LoadWindow | WindowError:
        """What was found, after the last piece."""
        if self._rest and not self._done and self._error is None:
            self._take(self._rest)
        if self._error is not None:
            return self._error
        for key in _KEYS:
            if key not in self._found:
                return WindowError(self._place, key.decode(), "the log does not say it", "nothing", "a time")
        return LoadWindow(self._found[_KEYS[0]], self._found[_KEYS[1]])

    def _take(self, block: bytes) -> None:
        """Take in whole lines."""
        taken = len(block)
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lowered = block.lower()
        position = self._next(lowered, 0)
        while position is not None and self._error is None:
            start = block.rfind(b"\n", 0, position) + 1
            stop = block.find(b"\n", position)
            stop = len(block) if stop < 0 else stop
            self._line(block[start:stop], lowered[start:stop], self._lines + block.count(b"\n", 0, start) + 1)
            if all(self._found.get(key) for key in _KEYS):
                self._done = True
                # Python reads a text ahead by pieces; what it has not read cannot disturb it.
                block = block[: -(-(self._offset + stop) // _READ_AHEAD) * _READ_AHEAD - self._offset]
                break
            position = self._next(lowered, stop)
        if not block.isascii() and self._error is None:
            try:
                codecs.getincrementaldecoder("utf-8")().decode(block, final=not self._done)
            except UnicodeDecodeError as error:
                line = self._lines + block.count(b"\n", 0, error.start) + 1
                self._error = WindowError(self._place, "", "not UTF-8 text", line=line)
        self._lines += block.count(b"\n")
        self._offset += taken

    @staticmethod
    def _next(lowered: bytes, start: int) -> int | None:
        found = [position for key in _KEYS if (position := lowered.find(key, start)) >= 0]
        return min(found, default=None)

    def _line(self, line: bytes, lowered: bytes, number: int) -> None:
        key = _KEYS[0] if _KEYS[0] in lowered else _KEYS[1]
        text = line.decode("utf-8", "replace")
        stamp = _LOADGEN_TIME.search(text)
        try:
            moment = datetime.strptime(stamp[0] if stamp else "", spl.TIME_FORMAT)
        except ValueError:
            expected = "MM-DD-YYYY HH:MM:SS.mmm"
            self._error = WindowError(self._place, key.decode(), "", shown(text), expected, number)
            return
        self._found[key] = moment.replace(tzinfo=UTC).timestamp()

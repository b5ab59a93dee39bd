"""What a power measurement left behind, read once for all checks: hashes, LoadGen's windows, the two sessions."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.loadgen.logs import DETAIL
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import files, spl

CLIENT, SERVER = "power/client.json", "power/server.json"
RANGING, TESTING = "ranging", "run_1"
PTD_LOG = "power/ptd_logs.txt"
# A digit that follows a digit need not be tried: the run of digits would have matched from its start.
_LOADGEN_TIME = re.compile(r"(?<!\d)\d*-\d*-\d* \d*:\d*:\d*\.\d*")
_KEYS = (b"power_begin", b"power_end")
_MAX_LINE = 64 << 20
_READ_AHEAD = 8192


class MalformedError(Exception):
    """The official checker raises here, or asserts something that is not so."""

    def __init__(
        self, path: str, field: str, detail: str = "", found: str = "", expected: str = "", line: int | None = None
    ) -> None:
        super().__init__(detail or field)
        self.parts = (path, detail, field, found, expected, line)

    def issue(self, code: str) -> Issue:
        """The same as an issue."""
        return Issue(code, *self.parts)


class WindowError(MalformedError):
    """A detail log does not say when LoadGen ran."""


@dataclass(frozen=True, slots=True)
class Session:
    """``client.json`` or ``server.json``.

    Attributes:
        path: relative to the tree.
        data: the object in it.
    """

    path: str
    data: dict[str, Any]
    _text: str

    def at(self, *keys: str | int) -> Any:
        """A value.

        Raises:
            MalformedError: when it is not there.
        """
        value: Any = self.data
        for depth, key in enumerate(keys):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                raise MalformedError(self.path, dotted(keys[: depth + 1]), "it is not there", "nothing") from None
        return value

    def wrong(self, *keys: str | int, expected: str = "", detail: str = "") -> MalformedError:
        """The error of a value that is there and cannot be taken."""
        return MalformedError(self.path, dotted(keys), detail, shown(self.at(*keys)), expected, self.line(*keys))

    def count(self, *keys: str | int) -> int:
        """Length of a value.

        Raises:
            MalformedError: when it has none.
        """
        try:
            return len(self.at(*keys))
        except TypeError:
            raise self.wrong(*keys, expected="a list") from None

    def text(self, *keys: str | int) -> str:
        """A value that is a text.

        Raises:
            MalformedError: when it is none.
        """
        value = self.at(*keys)
        if not isinstance(value, str):
            raise self.wrong(*keys, expected="a text")
        return value

    def number(self, *keys: str | int) -> float:
        """A value that can be compared and subtracted.

        Raises:
            MalformedError: when it is no number.
        """
        value = self.at(*keys)
        if not isinstance(value, int | float):
            raise self.wrong(*keys, expected="a number")
        return value

    def line(self, *keys: str | int) -> int | None:
        """Line of the file where a value stands, as far as its name and content tell; None when they do not."""
        try:
            value, name = self.at(*keys), keys[-1]
            start = self._text.find(json.dumps(keys[0]))
            if start < 0 or not isinstance(name, str):
                return None if start < 0 else self._text.count("\n", 0, start) + 1
            written = f"{json.dumps(name)}: {json.dumps(value)}" if isinstance(value, str) else json.dumps(name)
            before = keys[-2] if len(keys) > 2 else 0
            earlier = range(before) if isinstance(before, int) else ()
            for index in earlier:
                if self.at(*keys[:-2], index, name) == value:
                    start = self._text.index(written, start) + 1
            return self._text.count("\n", 0, self._text.index(written, start)) + 1
        except (MalformedError, ValueError):
            return None


def dotted(keys: Iterable[str | int]) -> str:
    """``phases.ranging[1][0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """When LoadGen ran, by its own log: seconds since 1970, UTC."""

    begin: float
    end: float


@dataclass(slots=True)
class _Read:
    """A file that was read once."""

    sha1: str = ""
    window: LoadWindow | WindowError | None = None
    raw: bytes | None = None


@dataclass(slots=True)
class Evidence:
    """The ``performance/`` folder of a result whose power was measured.

    Attributes:
        folder: where it is.
        relative: the same, relative to the tree.
        root: real path of the tree.
    """

    folder: str
    relative: str
    root: str
    _read: dict[str, _Read] = field(default_factory=dict)

    @classmethod
    def of(cls, performance: Path, relative: str) -> Evidence:
        """The evidence of a folder; its tree is what is left of the path without ``relative``."""
        full = os.path.abspath(performance)
        parts = [part for part in relative.split("/") if part not in ("", ".")]
        above = full.split(os.sep)
        root = os.sep.join(above[: len(above) - len(parts)]) if above[-len(parts) :] == parts else full
        return cls(full, "/".join(parts), os.path.realpath(root or os.sep))

    def place(self, name: str) -> str:
        """Path of a file relative to the tree."""
        return f"{self.relative}/{name}"

    def sha1(self, name: str) -> str:
        """SHA-1 of a file, 40 lower-case hex digits.

        Raises:
            OSError: when it cannot be read.
        """
        return self._load(name).sha1

    def raw(self, name: str) -> bytes:
        """Content of a file of at most 16 MiB.

        Raises:
            MalformedError: when it cannot be read, or is larger.
        """
        try:
            raw = self._load(name).raw
        except OSError as error:
            raise MalformedError(self.place(name), "", files.problem(error)) from None
        if raw is None:
            raise MalformedError(self.place(name), "", f"larger than {files.MAX_TEXT >> 20} MiB")
        return raw

    def window(self, run: str) -> LoadWindow:
        """When LoadGen ran, from a run's detail log.

        Source: ``_get_begin_end_time_from_mlperf_log_detail`` of the power working group's checker, all rounds.

        Raises:
            WindowError: when the log does not say, or cannot be read.
        """
        name = f"{run}/{DETAIL}"
        try:
            window = self._load(name).window
        except OSError as error:
            raise WindowError(self.place(name), "", files.problem(error)) from None
        if isinstance(window, LoadWindow):
            return window
        assert window is not None
        raise window

    def session(self, name: str, required: Iterable[str]) -> Session:
        """One of the two session files, of at most 8 MiB.

        Raises:
            MalformedError: when it is not there, no JSON object, or lacks one of the ``required`` keys.
        """
        place = self.place(name)
        try:
            raw = files.read(os.path.join(self.folder, name), self.root, files.MAX_SESSION)
            text = raw.decode("utf-8")
            data = json.loads(text)
        except OSError as error:
            raise MalformedError(place, "", files.problem(error)) from None
        except UnicodeDecodeError as error:
            raise MalformedError(place, "", f"not UTF-8 text at byte {error.start}") from None
        except json.JSONDecodeError as error:
            raise MalformedError(place, "", f"no JSON: {error.msg}", line=error.lineno) from None
        except (ValueError, RecursionError) as error:
            raise MalformedError(place, "", f"no JSON: {str(error).partition(';')[0]}") from None
        if not isinstance(data, dict):
            raise MalformedError(place, "", "no JSON object", shown(data), "an object")
        absent = sorted(set(required) - data.keys())
        if absent:
            raise MalformedError(place, absent[0], "it is not there", "nothing", ", ".join(absent))
        return Session(place, data, text)

    def _load(self, name: str) -> _Read:
        if name not in self._read:
            with files.opened(os.path.join(self.folder, name), self.root) as descriptor:
                self._read[name] = self._take(name, descriptor)
        return self._read[name]

    def _take(self, name: str, descriptor: int) -> _Read:
        """Hash a file, and keep what is asked of it later: a window, or the content of a small one."""
        digest = hashlib.sha1(usedforsecurity=False)
        scan = _WindowScan(self.place(name)) if name.endswith(f"/{DETAIL}") else None
        kept: list[bytes] | None = [] if name.endswith((".txt", ".log")) and scan is None else None
        size = 0
        for piece in files.pieces(descriptor):
            digest.update(piece)
            size += len(piece)
            if scan is not None:
                scan.feed(piece)
            elif size > files.MAX_TEXT:
                kept = None
            elif kept is not None:
                kept.append(piece)
        raw = None if kept is None else kept[0] if len(kept) == 1 else b"".join(kept)
        return _Read(digest.hexdigest(), scan.finish() if scan is not None else None, raw)


class _WindowScan:
    """Finds ``power_begin`` and ``power_end`` in a detail log that is fed to it piece by piece."""

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

"""A detail log read for judging: every line looked at, the first value of each key, every error.

This is the checker's reading of ``mlperf_log_detail.txt``, the same as that of the official ``log_parser.py``: a key
that stands there twice has its first value, a line that is marked ``:::MLLOG`` and is not JSON makes the whole log
unreadable, other lines do not matter. (:mod:`assay.loadgen.logs` reads a log of our own runs, where the last value
holds.)

Each line is decoded, so nothing that the official tool would stumble over is missed. What makes it fast: key, value
and flags are decoded by msgspec without building the value, and the lists of sample indices, nine tenths of the
bytes, are checked for their form by SIMD search and left out.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import stringzilla

from assay.base.files import open_regular

_MARK = b":::MLLOG"
_SKIP = len(_MARK)
_LIST = b'"value": ['
_BLANK = b" " * _SKIP
_LONG_LIST = 1_000
_CHUNK = 32 << 20
_MAX_LINE = 256 << 20
_MAX_ERRORS = 200
_SHOWN = 120
_INDEX_CHARACTERS = b"0123456789,"


class _Metadata(msgspec.Struct, gc=False):
    is_error: bool


class _Line(msgspec.Struct, gc=False):
    key: str
    value: msgspec.Raw
    metadata: _Metadata


_decoder = msgspec.json.Decoder(_Line)
_decode, _decode_lines = _decoder.decode, _decoder.decode_lines
_decode_value = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class LoggedError:
    """A message that LoadGen marked as an error."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """The first line that cannot be read, and why."""

    line: int
    problem: str
    shown: str


@dataclass(slots=True)
class DetailScan:
    """What a detail log says, for whoever judges it.

    Attributes:
        errors: messages marked as errors, the first 200 of them.
        error_count: how many there are in all.
        broken: the first line that is no JSON or no text; what comes after it was not read.
        lines: lines read.
        repeated: keys with a second value that is not the first one, and the line of that.
    """

    errors: list[LoggedError] = field(default_factory=list)
    error_count: int = 0
    broken: BrokenLine | None = None
    lines: int = 0
    repeated: dict[str, int] = field(default_factory=dict)
    _first: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return key in self._first

    def get(self, key: str) -> Any:
        """First value of a key, decoded; None when it is not there.

        A list of sample indices comes back empty. A value that JSON can hold and Python cannot (a number of more than
        4300 digits) comes back as None.
        """
        entry = self._first.get(key)
        if entry is None:
            return None
        try:
            return _decode_value(entry[1].decode())[0]
        except (ValueError, RecursionError):
            return None

    def line_of(self, key: str) -> int | None:
        """Line of a key's first value, from 1."""
        entry = self._first.get(key)
        return None if entry is None else entry[0]

    def keys(self) -> Iterator[str]:
        """Keys in the order of their first line."""
        return iter(self._first)


_ONCE = ("result_validity", "effective_scenario")


class LogReader:
    """Reads detail logs and remembers the last ones: inferred results hold copies of the logs they come from.

    In a whole round half of the bytes of all detail logs are such copies. A log is known again by its bytes, all of
    them compared.

    Args:
        room: bytes of logs kept at most.
    """

    def __init__(self, room: int = 48 << 20) -> None:
        self._room = room
        self._kept: OrderedDict[int, tuple[bytes, DetailScan]] = OrderedDict()
        self._size = 0

    def read(self, path: Path | str) -> DetailScan:
        """Read a detail log; do not change what it gives.

        Raises:
            OSError: when it cannot be opened or read.
        """
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size >= min(_CHUNK, self._room):
                return scan_detail(path)
            raw = file.read(size + 1)
        known = self._kept.get(len(raw))
        if known is not None and known[0] == raw:
            self._kept.move_to_end(len(raw))
            return known[1]
        found = DetailScan()
        _scan_all(raw, found)
        self._keep(raw, found)
        return found

    def _keep(self, raw: bytes, found: DetailScan) -> None:
        old = self._kept.pop(len(raw), None)
        self._size += len(raw) - (0 if old is None else len(old[0]))
        self._kept[len(raw)] = (raw, found)
        while self._size > self._room:
            _, (gone, _) = self._kept.popitem(last=False)
            self._size -= len(gone)


def scan_detail(path: Path | str) -> DetailScan:
    """Read a detail log in one pass, in pieces of 32 MiB.

    Raises:
        OSError: when it cannot be opened or read.
    """
    found = DetailScan()
    with open_regular(path) as file:
        piece_size = min(_CHUNK, os.fstat(file.fileno()).st_size + 1)
        rest = b""
        while found.broken is None:
            piece = file.read(piece_size)
            if not piece:
                break
            raw = rest + piece if rest else piece
            whole = raw.rfind(b"\n") + 1
            rest = raw[whole:]
            if len(rest) > _MAX_LINE:
                found.broken = BrokenLine(found.lines + 1, "the line is longer than 256 MiB", _shown(rest))
                break
            _scan(raw if not rest else raw[:whole], found)
        if rest and found.broken is None:
            _scan(rest + b"\n", found)
    return found


def _scan_all(raw: bytes, found: DetailScan) -> None:
    """Take in a whole log, its last line with or without an end."""
    _scan(raw if not raw or raw.endswith(b"\n") else raw + b"\n", found)


def _scan(raw: bytes, found: DetailScan) -> None:
    """Take in a piece that ends with a line."""
    if not raw:
        return
    if not raw.isascii():
        problem = _not_text(raw)
        if problem is not None:
            line = raw.count(b"\n", 0, problem.start) + found.lines + 1
            found.broken = BrokenLine(line, "not UTF-8 text", _shown(raw[problem.start : problem.end + 40]))
            return
    if b"\r" in raw:
        # The official parser reads text: a carriage return ends a line as well.
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not _scan_whole(raw, found):
        _scan_lines(raw, found)


def _scan_whole(raw: bytes, found: DetailScan) -> bool:
    """Take in a piece whose lines are all LoadGen's, decoded in one call; False when they are not."""
    lines = stringzilla.count(raw, b"\n")
    if not raw.startswith(_MARK) or stringzilla.count(raw, b"\n" + _MARK) != lines - 1:
        return False
    text = _without_lists(raw)
    try:
        entries = _decode_lines(_BLANK + text[_SKIP:].replace(b"\n" + _MARK, b"\n" + _BLANK))
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
        return False
    if len(entries) != lines:
        return False
    number = found.lines + 1
    keys = [entry.key for entry in entries]
    first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
    for key, index in sorted(first.items(), key=itemgetter(1)):
        if key not in found._first:
            found._first[key] = (number + index, bytes(entries[index].value))
    for key in _ONCE:
        if key in first:
            _repeats(key, keys, entries, number, found)
    flags = [entry.metadata.is_error for entry in entries]
    if True in flags:
        for index, entry in enumerate(entries):
            if entry.metadata.is_error:
                _error(entry, number + index, found)
    found.lines += len(entries)
    return True


def _repeats(key: str, keys: list[str], entries: list[_Line], number: int, found: DetailScan) -> None:
    """Keep the line of a second value that differs from the first."""
    if keys.count(key) == 1 and found._first[key][0] >= number:
        return
    for index, each in enumerate(keys):
        if each == key and bytes(entries[index].value) != found._first[key][1]:
            found.repeated.setdefault(key, number + index)
            return


def _without_lists(raw: bytes) -> bytes:
    """A piece without its long lists of sample indices, after the form of each was checked."""
    kept: list[bytes] = []
    view = memoryview(raw)
    done = 0
    position = stringzilla.find(view, _LIST)
    while position >= 0:
        start = position + len(_LIST)
        stop = raw.find(b"]", start)
        if stop < 0:
            break
        if stop - start > _LONG_LIST and _is_index_list(view[start:stop]):
            kept.append(raw[done:start])
            done = stop
        ahead = stringzilla.find(view[stop:], _LIST)
        position = stop + ahead if ahead >= 0 else -1
    if not kept:
        return raw
    kept.append(raw[done:])
    return b"".join(kept)


def _scan_lines(raw: bytes, found: DetailScan) -> None:
    """Take in a piece line by line: one that holds other lines, or one that msgspec does not take."""
    first, find, number = found._first, raw.find, found.lines
    position, end = 0, raw.find(b"\n")
    while end >= 0:
        number += 1
        if raw.startswith(_MARK, position):
            line = raw[position + _SKIP : end]
            try:
                entry = _decode(_without_lists(line))
            except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
                taken = _slow(line, number, found)
                if taken is None:
                    found.lines = number
                    return
                entry = taken
            if entry.metadata.is_error:
                _error(entry, number, found)
            key = entry.key
            if key not in first:
                first[key] = (number, bytes(entry.value))
            elif key in _ONCE and first[key][1] != bytes(entry.value):
                found.repeated.setdefault(key, number)
        position = end + 1
        end = find(b"\n", position)
    found.lines = number


def _is_index_list(part: memoryview) -> bool:
    """Whether it is ``12,3,0``: digits and single commas between them, no number with a leading zero."""
    if not part or stringzilla.find_first_not_of(part, _INDEX_CHARACTERS) >= 0 or stringzilla.find(part, b",,") >= 0:
        return False
    if part[0] == 44 or part[-1] == 44 or (part[0] == 48 and len(part) > 1 and part[1] != 44):
        return False
    position = stringzilla.find(part, b",0")
    offset = 0
    while position >= 0:
        offset += position + 2
        if offset < len(part) and part[offset] != 44:
            return False
        position = stringzilla.find(part[offset:], b",0")
    return True


def _slow(line: bytes, number: int, found: DetailScan) -> _Line | None:
    """A line that msgspec does not take, read as the official parser does; None (and broken) when that fails too."""
    try:
        # As text, without any blank at the end: the official parser takes what Unicode calls blank for one.
        entry = json.loads(line.decode("utf-8").rstrip())
        key, metadata = entry["key"], entry["metadata"]
        hash(key)
        value = json.dumps(entry.get("value")).encode()
        return _Line(
            key if isinstance(key, str) else repr(key), msgspec.Raw(value), _Metadata(bool(metadata["is_error"]))
        )
    except (ValueError, RecursionError) as error:
        problem = str(error).partition("\n")[0] or type(error).__name__
    except (KeyError, TypeError, AttributeError, IndexError):
        problem = "no LoadGen message: key and metadata.is_error are not there"
    found.broken = BrokenLine(number, problem, _shown(_MARK + line))
    return None


def _error(entry: _Line, number: int, found: DetailScan) -> None:
    found.error_count += 1
    if len(found.errors) < _MAX_ERRORS:
        try:
            value = json.loads(bytes(entry.value))
        except (ValueError, RecursionError):
            value = None
        found.errors.append(LoggedError(number, f"{entry.key}: {value}"[:1000]))


def _not_text(raw: bytes) -> UnicodeDecodeError | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error
    return None


def _shown(raw: bytes) -> str:
    text = raw[:_SHOWN].decode("utf-8", "replace").replace("\ufffd", "?")
    return text if len(raw) <= _SHOWN else f"{text}..."

"""LoadGen's log files: detail, summary, accuracy and trace.

The detail log of a big run has hundreds of thousands of lines of which a few dozen matter: lines are walked as bytes,
the key is cut out, and only what is wanted is decoded. Errors and warnings are seen wherever they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

SUMMARY = "mlperf_log_summary.txt"
DETAIL = "mlperf_log_detail.txt"
ACCURACY = "mlperf_log_accuracy.json"
TRACE = "mlperf_log_trace.json"
LOG_FILES = (SUMMARY, DETAIL, ACCURACY, TRACE)

_PREFIX = b":::MLLOG "
_KEY = b'"key": "'
_MAX_BYTES = 8 << 30


@dataclass(frozen=True, slots=True)
class LogMessage:
    """An error or a warning in the detail log.

    Attributes:
        key: LoadGen's key, such as ``error_runtime``.
        text: what it says.
        line: line of the log, from 1.
    """

    key: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class DetailLog:
    """What a detail log says.

    Attributes:
        values: last value of every key.
        complete: False when the last line is cut off: the run was killed.
    """

    path: Path
    values: Mapping[str, Any]
    errors: tuple[LogMessage, ...]
    warnings: tuple[LogMessage, ...]
    complete: bool

    def number(self, key: str) -> float | None:
        """A value as a number; None when it is not there or is none."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            return float(value)
        except ValueError:
            return None

    def integer(self, key: str) -> int | None:
        """A value as a whole number, exact for 64 bits; None when it is not there or is none."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        try:
            return int(value) if isinstance(value, str) else None
        except ValueError:
            return None


def read_detail(path: Path) -> DetailLog:
    """Read ``mlperf_log_detail.txt``; the last value of a key holds.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: for a line that is no LoadGen line, with its number.
    """
    raw = _read(path)
    lines = raw.split(b"\n")
    complete = not raw or raw.endswith(b"\n")
    kept: dict[bytes, tuple[int, bytes]] = {}
    flagged: list[tuple[int, bytes]] = []
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if not line.startswith(_PREFIX):
            if line.strip() and not (number == last and not complete):
                raise InvalidInputError(
                    "not a LoadGen line",
                    where=f"{path}:{number + 1}",
                    expected=":::MLLOG {...}",
                    found=_shown(line),
                )
            continue
        start = line.find(_KEY) + len(_KEY)
        kept[line[start : line.find(b'"', start)]] = (number, line)
        if b'"is_error": true' in line or b'"is_warning": true' in line:
            flagged.append((number, line))
    values: dict[str, Any] = {}
    for number, line in kept.values():
        entry = _decode(path, number, line, tolerate=number == last and not complete)
        if entry is not None:
            values[str(entry["key"])] = entry.get("value")
    errors, warnings = _messages(path, flagged, complete, last)
    return DetailLog(path, values, tuple(errors), tuple(warnings), complete)


def _messages(
    path: Path, flagged: list[tuple[int, bytes]], complete: bool, last: int
) -> tuple[list[LogMessage], list[LogMessage]]:
    errors: list[LogMessage] = []
    warnings: list[LogMessage] = []
    for number, line in flagged:
        entry = _decode(path, number, line, tolerate=number == last and not complete)
        if entry is None:
            continue
        message = LogMessage(str(entry["key"]), str(entry.get("value")), number + 1)
        (errors if entry.get("metadata", {}).get("is_error") else warnings).append(message)
    return errors, warnings


def _decode(path: Path, number: int, line: bytes, *, tolerate: bool) -> dict[str, Any] | None:
    try:
        entry = json.loads(line[len(_PREFIX) :])
        if (
            isinstance(entry, dict)
            and isinstance(entry.get("key"), str)
            and isinstance(entry.get("metadata", {}), dict)
        ):
            return entry
        problem = "no key"
    except (ValueError, RecursionError) as error:
        problem = str(error)
    if tolerate:
        return None
    raise InvalidInputError(f"malformed LoadGen line: {problem}", where=f"{path}:{number + 1}", found=_shown(line))


@dataclass(frozen=True, slots=True)
class SummaryLog:
    """What a summary log says, as text: name to value, and LoadGen's remarks on the result."""

    path: Path
    fields: Mapping[str, str]
    text: str

    @property
    def reported_valid(self) -> bool | None:
        """LoadGen's own verdict; None when it gave none (accuracy mode, or a run that did not end)."""
        word = self.fields.get("Result is")
        return None if word is None else word.strip().upper() == "VALID"


_FIELD = re.compile(r"^ *\*? ?([A-Za-z0-9][^:\n]*?) *: *(.*)$")


def read_summary(path: Path) -> SummaryLog:
    """Read ``mlperf_log_summary.txt``.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is larger than a summary can be.
    """
    raw = _read(path, limit=4 << 20)
    text = raw.decode("utf-8", errors="replace")
    fields: dict[str, str] = {}
    for line in text.splitlines():
        match = _FIELD.match(line)
        if match is not None:
            fields.setdefault(match[1], match[2])
    return SummaryLog(path, fields, text)


@dataclass(frozen=True, slots=True)
class AccuracyLog:
    """Responses of an accuracy run, in the order of the log.

    Attributes:
        qsl_idx: sample index of each response, shape ``(n,)``.
        data: bytes of each response.
    """

    path: Path
    qsl_idx: NDArray[np.int64]
    data: tuple[bytes, ...]

    def values(self, dtype: str) -> NDArray[Any]:
        """Responses of one size as an array ``(n, k)`` of ``dtype``.

        Raises:
            InvalidInputError: when a response is empty or of another size, with its sample index.
        """
        size = np.dtype(dtype).itemsize
        width = len(self.data[0]) if self.data else 0
        for index, item in zip(self.qsl_idx, self.data, strict=True):
            if len(item) != width or not item or len(item) % size:
                raise InvalidInputError(
                    f"the response to sample {index} has {len(item)} bytes",
                    where=self.path,
                    expected=f"{width or size} bytes, a multiple of {size} ({dtype})",
                    hint="a run that failed or was interrupted answers with nothing; run it again",
                )
        return (
            np.frombuffer(b"".join(self.data), dtype).reshape(len(self.data), width // size)
            if self.data
            else np.empty((0, 0), dtype)
        )


_ENTRY = re.compile(
    rb'\{\s*"seq_id"\s*:\s*(\d+)\s*,\s*"qsl_idx"\s*:\s*(\d+)\s*,\s*"data"\s*:\s*"([0-9A-Fa-f]*)"\s*(?:,\s*"token_count"\s*:\s*\d+\s*)?\}'
)


def read_accuracy(path: Path) -> AccuracyLog:
    """Read ``mlperf_log_accuracy.json``.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is not LoadGen's list of responses, or cut off.
    """
    raw = _read(path)
    entries = _ENTRY.findall(raw)
    if not raw.strip().startswith(b"[") or not raw.strip().endswith(b"]"):
        raise InvalidInputError(
            "the accuracy log is cut off or no list", where=path, expected="[ ... ] as LoadGen writes it"
        )
    if len(entries) != raw.count(b'"seq_id"'):
        raise InvalidInputError(
            f"{raw.count(b'seq_id') - len(entries)} entries of the accuracy log are malformed",
            where=path,
            expected='{ "seq_id" : n, "qsl_idx" : n, "data" : "HEX" }',
        )
    try:
        data = tuple(bytes.fromhex(entry[2].decode("ascii")) for entry in entries)
    except ValueError as error:
        raise InvalidInputError(f"a response is no hexadecimal text: {error}", where=path) from error
    return AccuracyLog(path, np.array([int(entry[1]) for entry in entries], np.int64), data)


_SAMPLE = re.compile(
    rb'"ts":(-?[\d.]+),"args":\{"sample_seq":(\d+),"query_seq":(\d+),"sample_idx":\d+,"issue_start_ns":(-?\d+),"complete_ns":(-?\d+)'
)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latency of every query of a performance run, in the order of issue.

    Attributes:
        start_s: when it was issued (Server, Offline: scheduled), in seconds from the first, shape ``(n,)``.
        latency_ns: until its last sample was answered, shape ``(n,)``.
    """

    start_s: NDArray[np.float64]
    latency_ns: NDArray[np.int64]


def read_trace(path: Path) -> Latencies:
    """Latencies from ``mlperf_log_trace.json``; empty when the trace was off.

    Raises:
        NotFoundError: when it is not there.
    """
    found = np.array(
        [(float(ts), int(query), int(done)) for ts, _, query, _, done in _SAMPLE.findall(_read(path))],
        np.float64,
    ).reshape(-1, 3)
    if not len(found):
        return Latencies(np.empty(0), np.empty(0, np.int64))
    queries, first = np.unique(found[:, 1], return_index=True)
    latency = np.zeros(len(queries))
    np.maximum.at(latency, np.searchsorted(queries, found[:, 1]), found[:, 2])
    start = (found[first, 0] - found[:, 0].min()) / 1e6
    return Latencies(start, latency.astype(np.int64))


def _read(path: Path, limit: int = _MAX_BYTES) -> bytes:
    try:
        size = path.stat().st_size
        if size > limit:
            raise InvalidInputError(
                "the log is too large",
                where=path,
                expected=f"at most {format_size(limit)}",
                found=format_size(size),
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("the log is not there", where=path) from error
    except IsADirectoryError as error:
        raise InvalidInputError("the log is a folder", where=path) from error


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", errors="replace"))

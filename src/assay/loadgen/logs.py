"""LoadGen's log files: detail, summary, accuracy and trace.

The detail log of a big run has lines of megabytes and hundreds of thousands of lines, of which a few dozen matter:
lines are walked as bytes, the key is cut out, and a value is decoded when it is asked for. Errors and warnings are
seen wherever they stand. LoadGen's lines look like JSON and are not always: it escapes no text, and writes ``-nan``
for the rate of a single query.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from mmap import mmap

    import numpy as np
    from numpy.typing import NDArray

_PREFIX = b":::MLLOG "
_HEAD = _PREFIX + b'{"key": "'
_VALUE = b'", "value": '
_REST = b', "time_ms": '
_ERROR, _WARNING = b'"is_error": true', b'"is_warning": true'
_FLAG = b'": true'
_NOT_JSON = frozenset({b"nan", b"-nan", b"inf", b"-inf"})
_MAX_BYTES = 8 << 30


@dataclass(frozen=True, slots=True)
class LogMessage:
    """An error or a warning in the detail log.

    Attributes:
        key: LoadGen's key, such as ``error_runtime``.
        text: what it says.
        line: line of the log, from 1.
        source: LoadGen's own source, such as ``loadgen.cc:513``; empty when the line does not say.
        time_ms: when, since the log was opened; None when the line does not say.
    """

    key: str
    text: str
    line: int
    source: str = ""
    time_ms: float | None = None


class Values(Mapping[str, Any]):
    """Last value of every key of a detail log, decoded when asked for.

    Raises:
        InvalidInputError: on looking up a value that is none, with file and line.
    """

    __slots__ = ("_decoded", "_lines", "_path")

    def __init__(self, path: Path, lines: Mapping[bytes, tuple[int, bytes]]) -> None:
        self._path = path
        self._lines = lines
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key in self._decoded:
            return self._decoded[key]
        number, line = self._lines[key.encode("utf-8", "surrogateescape")]
        value = self._decoded[key] = _value(self._path, number, line)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.encode("utf-8", "surrogateescape") in self._lines

    def __iter__(self) -> Iterator[str]:
        return (key.decode("utf-8", "surrogateescape") for key in self._lines)

    def __len__(self) -> int:
        return len(self._lines)


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
        """A value as a finite number; None when it is not there or is none."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

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

    def text(self, key: str) -> str | None:
        """A value that is text; None when it is not there or is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def section(self, prefix: str) -> dict[str, Any]:
        """Values whose key begins with ``prefix`` (``requested_``, ``effective_``, ``result_``), by the rest of it."""
        return {key.removeprefix(prefix): self.values[key] for key in self.values if key.startswith(prefix)}

    @property
    def loadgen_version(self) -> str | None:
        """Version and revision of LoadGen, such as ``3.1 @ ce189bda``."""
        return self.text("loadgen_version")


def read_detail(path: Path) -> DetailLog:
    """Read ``mlperf_log_detail.txt``; the last value of a key holds.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: for a line that is no LoadGen line, with its number.
    """
    raw = _read(path)
    whole = raw.rfind(b"\n") + 1
    cut = raw[whole:].strip()
    if cut.startswith(_HEAD) and cut.endswith(b"}}"):
        # Only the final newline is missing: the line itself is whole.
        raw, cut = raw + b"\n", b""
    errors: list[LogMessage] = []
    warnings: list[LogMessage] = []
    last = _last_lines(path, raw)
    for number, line in _maybe_flagged(raw):
        _flagged(path, number, line, errors, warnings)
    return DetailLog(path, Values(path, last), tuple(errors), tuple(warnings), complete=not cut)


def _last_lines(path: Path, raw: bytes) -> dict[bytes, tuple[int, bytes]]:
    """Number (from 0) and text of the last line of every key; a line cut off at the end is left out."""
    find, begins, ends = raw.find, raw.startswith, raw.endswith
    skip = len(_HEAD)
    where: dict[bytes, tuple[int, int, int]] = {}
    position = number = 0
    while (end := find(b"\n", position)) >= 0:
        if begins(_HEAD, position) and ends(b"}}", position, end):
            key = position + skip
            where[raw[key : find(b'"', key)]] = (number, position, end)
        elif line := raw[position:end].strip():
            where[_unusual_key(path, number, line)] = (number, position, end)
        position, number = end + 1, number + 1
    return {key: (number, raw[start:end].rstrip()) for key, (number, start, end) in where.items()}


def _maybe_flagged(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and text of every line that could be an error or a warning, in order."""
    position = number = counted = 0
    while (position := raw.find(_FLAG, position)) >= 0:
        start, end = raw.rfind(b"\n", 0, position) + 1, raw.find(b"\n", position)
        if end < 0:
            return
        line = raw[start:end]
        if _ERROR in line or _WARNING in line:
            number += raw.count(b"\n", counted, start)
            counted = start
            yield number, line
        position = end


def _unusual_key(path: Path, number: int, line: bytes) -> bytes:
    """The key of a line that is spaced or ordered in another way than LoadGen does."""
    return str(_entry(path, number, line)["key"]).encode("utf-8", "surrogatepass")


def _entry(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """A line as JSON."""
    if not line.startswith(_PREFIX):
        raise InvalidInputError(
            "not a LoadGen line", where=f"{path}:{number + 1}", expected=":::MLLOG {...}", found=_shown(line)
        )
    try:
        entry = json.loads(line[len(_PREFIX) :])
    except (ValueError, RecursionError) as error:
        raise _malformed(path, number, line, str(error)) from error
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise _malformed(path, number, line, "no key")
    return entry


def _value(path: Path, number: int, line: bytes) -> Any:
    start, end = line.find(_VALUE, len(_HEAD)), line.rfind(_REST)
    if not line.startswith(_HEAD) or start < 0 or end < start:
        return _entry(path, number, line).get("value")
    part = line[start + len(_VALUE) : end].strip()
    try:
        return json.loads(part)
    except (ValueError, RecursionError) as error:
        if part.lower() in _NOT_JSON:
            return float(part)
        if len(part) >= 2 and part.startswith(b'"') and part.endswith(b'"'):
            # LoadGen escapes nothing: a path with backslashes or a text with quotes stands as it is.
            return part[1:-1].decode("utf-8", "replace")
        raise _malformed(path, number, line, str(error)) from error


_METADATA = re.compile(
    rb'"time_ms": ([\d.]{1,40}),.*"metadata": \{(.*)"is_error": (true|false), "is_warning": (true|false)'
)
_SOURCE = re.compile(rb'"file": "([^"]*)", "line_no": (\d{1,9})')


def _flagged(path: Path, number: int, line: bytes, errors: list[LogMessage], warnings: list[LogMessage]) -> None:
    rest = line[max(line.rfind(_REST), 0) :]
    found = _METADATA.search(rest)
    if found is None:
        entry = _entry(path, number, line)
        metadata = entry.get("metadata")
        flags = metadata if isinstance(metadata, dict) else {}
        is_error, is_warning = flags.get("is_error") is True, flags.get("is_warning") is True
    else:
        is_error, is_warning = found[3] == b"true", found[4] == b"true"
    if not (is_error or is_warning):
        return
    source = _SOURCE.search(rest)
    message = LogMessage(
        key=line[len(_HEAD) : line.find(b'"', len(_HEAD))].decode("utf-8", "replace"),
        text=str(_value(path, number, line)),
        line=number + 1,
        source="" if source is None else f"{source[1].decode('utf-8', 'replace')}:{int(source[2])}",
        time_ms=_time(found[1]) if found else None,
    )
    (errors if is_error else warnings).append(message)


def _time(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _malformed(path: Path, number: int, line: bytes, problem: str) -> InvalidInputError:
    return InvalidInputError(f"malformed LoadGen line: {problem}", where=f"{path}:{number + 1}", found=_shown(line))


@dataclass(frozen=True, slots=True)
class SummaryLog:
    """What a summary log says.

    Attributes:
        fields: name to value, as text.
        text: the whole summary.
        recommendations: LoadGen's advice, a line each; it can contradict itself.
        early_stopping: LoadGen's lines on early stopping.
        errors: errors counted, None when it does not say (a run that did not end).
        warnings: warnings counted.
    """

    path: Path
    fields: Mapping[str, str]
    text: str
    recommendations: tuple[str, ...] = ()
    early_stopping: tuple[str, ...] = ()
    errors: int | None = None
    warnings: int | None = None

    @property
    def reported_valid(self) -> bool | None:
        """LoadGen's own verdict; None when it gave none (accuracy mode, or a run that did not end)."""
        word = self.fields.get("Result is")
        return None if word is None else word.strip().upper() == "VALID"


_FIELD = re.compile(r"^ *\*? ?([A-Za-z0-9][^:\n]*?) *: *(.*)$")
_COUNT = re.compile(r"^(No|\d{1,9}) (warning|error)s? encountered", re.IGNORECASE | re.MULTILINE)


def read_summary(path: Path) -> SummaryLog:
    """Read ``mlperf_log_summary.txt``.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is larger than a summary can be.
    """
    text = _read(path, limit=4 << 20).decode("utf-8", errors="replace")
    lines = text.splitlines()
    fields: dict[str, str] = {}
    for line in lines:
        match = _FIELD.match(line)
        if match is not None:
            fields.setdefault(match[1], match[2])
    counts = {kind.lower(): 0 if count == "No" else int(count) for count, kind in _COUNT.findall(text)}
    return SummaryLog(
        path,
        fields,
        text,
        _block(lines, "Recommendations:"),
        _block(lines, "Early Stopping Result:"),
        counts.get("error"),
        counts.get("warning"),
    )


def _block(lines: list[str], title: str) -> tuple[str, ...]:
    """The points below a title; a point goes on over lines that do not begin with a star."""
    points: list[str] = []
    inside = False
    for line in lines:
        if line.strip() == title:
            inside = True
        elif inside and line.startswith(" * "):
            points.append(line[3:].strip())
        elif inside and points and line.startswith(" ") and line.strip():
            points[-1] += f" {line.strip()}"
        elif inside and points:
            break
    return tuple(points)


@dataclass(frozen=True, slots=True)
class AccuracyLog:
    """Responses of an accuracy run, in the order of the log.

    Attributes:
        qsl_idx: sample index of each response, shape ``(n,)``.
        data: bytes of each response.
        seq_id: LoadGen's running number of each response, shape ``(n,)``.
    """

    path: Path
    qsl_idx: NDArray[np.int64]
    data: tuple[bytes, ...]
    seq_id: NDArray[np.int64]

    def values(self, dtype: str) -> NDArray[Any]:
        """Responses of one size as an array ``(n, k)`` of ``dtype``.

        Raises:
            InvalidInputError: when a response is empty or of another size, with its sample index.
        """
        import numpy as np

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
        if not self.data:
            return np.empty((0, 0), dtype)
        return np.frombuffer(b"".join(self.data), dtype).reshape(len(self.data), width // size)


_ENDS = 1 << 16
_ENTRY = re.compile(
    rb'\{\s*"seq_id"\s*:\s*(\d{1,18})\s*,\s*"qsl_idx"\s*:\s*(\d{1,18})\s*,\s*"data"\s*:\s*"([0-9A-Fa-f]*)"'
    rb'\s*(?:,\s*"token_data"\s*:\s*"([0-9A-Fa-f]*)"\s*)?(?:,\s*"token_count"\s*:\s*(\d{1,18})\s*)?\}'
)


def read_accuracy(path: Path) -> AccuracyLog:
    """Read ``mlperf_log_accuracy.json``.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is not LoadGen's list of responses, or cut off.
    """
    import numpy as np

    entries = list(accuracy_entries(path, _read(path)))
    return AccuracyLog(
        path,
        np.array([index for _, index, _ in entries], np.int64),
        tuple(data for _, _, data in entries),
        np.array([number for number, _, _ in entries], np.int64),
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What LoadGen was told of the tokens of a response.

    Attributes:
        index: of the sample.
        data: the response.
        first: the first token, as it was told apart; None when the log has none.
        count: how many tokens there are; None when the log has no such number.
    """

    index: int
    data: bytes
    first: bytes | None
    count: int | None


def accuracy_entries(path: Path, raw: bytes | mmap) -> Iterator[tuple[int, int, bytes]]:
    """Running number, sample index and response of each entry of an accuracy log, one at a time.

    Args:
        path: for messages.
        raw: the whole log.

    Raises:
        InvalidInputError: when it is not LoadGen's list of responses, or cut off; the last is told at the end.
    """
    for entry in _entries(path, raw):
        yield int(entry[1]), int(entry[2]), _bytes(entry[3])


def token_entries(path: Path, raw: bytes | mmap) -> Iterator[Tokens]:
    """The same with what LoadGen (from v4.0 on, with ``use_token_latencies``) wrote of tokens."""
    for entry in _entries(path, raw):
        first = None if entry[4] is None or len(entry[4]) % 2 else _bytes(entry[4])
        count = None if entry[5] is None else int(entry[5])
        yield Tokens(int(entry[2]), _bytes(entry[3]), first, count)


def _bytes(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode("ascii"))


def _entries(path: Path, raw: bytes | mmap) -> Iterator[re.Match[bytes]]:
    if not raw[:_ENDS].lstrip().startswith(b"[") or not raw[-_ENDS:].rstrip().endswith(b"]"):
        raise InvalidInputError(
            "the accuracy log is cut off or no list", where=path, expected="[ ... ] as LoadGen writes it"
        )
    end, between = 0, b"["
    for entry in _ENTRY.finditer(raw):
        if raw[end : entry.start()].strip() != between or len(entry[3]) % 2:
            raise _bad_entry(path, raw, end)
        yield entry
        end, between = entry.end(), b","
    if raw[end:].strip() != (b"]" if end else b"[]") and raw[end:].split() != [b"[", b"]"]:
        raise _bad_entry(path, raw, end)


def _bad_entry(path: Path, raw: bytes | mmap, offset: int) -> InvalidInputError:
    line = raw[:offset].count(b"\n") + 1
    return InvalidInputError(
        "an entry of the accuracy log is malformed",
        where=f"{path}:{line}",
        expected='{ "seq_id" : n, "qsl_idx" : n, "data" : "HEX" }',
        found=_shown(raw[offset : offset + 120].strip(b",\r\n ")),
    )


_SAMPLE = re.compile(
    rb'\{"name":"Sample"[^{}\n]{0,200}"ts":(-?\d{1,15}(?:\.\d{1,9})?),"args":\{"sample_seq":(\d{1,18}),"query_seq":(\d{1,18})'
    rb',"sample_idx":\d{1,18},"issue_start_ns":-?\d{1,18},"complete_ns":(-?\d{1,18})'
)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latency of every query (or sample) of a run, in the order of issue.

    Attributes:
        start_s: when it was issued (Server, Offline: scheduled), in seconds from the first, shape ``(n,)``.
        latency_ns: until its last sample was answered, shape ``(n,)``.
    """

    start_s: NDArray[np.float64]
    latency_ns: NDArray[np.int64]


def read_trace(path: Path, *, samples: bool = False) -> Latencies:
    """Latencies from ``mlperf_log_trace.json``; empty when the trace was off, short when it is cut off.

    Args:
        path: the trace.
        samples: one latency for each sample instead of each query (Offline has one query of many samples).

    Raises:
        NotFoundError: when it is not there.
    """
    import numpy as np

    column = 1 if samples else 2
    found = np.array(
        [(float(item[0]), int(item[column]), int(item[3])) for item in _SAMPLE.findall(_read(path))], np.float64
    ).reshape(-1, 3)
    if not len(found):
        return Latencies(np.empty(0), np.empty(0, np.int64))
    numbers, first = np.unique(found[:, 1], return_index=True)
    latency = np.zeros(len(numbers))
    np.maximum.at(latency, np.searchsorted(numbers, found[:, 1]), found[:, 2])
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
    except OSError as error:
        raise InvalidInputError(f"the log cannot be read: {error.strerror}", where=path) from error


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", errors="replace"))

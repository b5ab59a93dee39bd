"""How a run under way is doing: ``progress.jsonl``, one JSON object a line, written by the run, read by anybody."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

_MAX_LINE = 1 << 16
_MAX_LOOK = 16 << 20
"""Bytes taken in at one look; a run of an hour writes one megabyte."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A running test at one moment.

    Attributes:
        elapsed_s: seconds since LoadGen was started.
        issued: samples LoadGen has issued.
        done: samples answered.
        rate: samples per second so far.
        p50_ns: median latency of the latest queries, None where latency means nothing (Offline).
        eta_s: seconds left, None while unknown.
    """

    elapsed_s: float
    issued: int
    done: int
    rate: float
    p50_ns: int | None
    p90_ns: int | None
    p99_ns: int | None
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Phase:
    """What the run does before and after the test."""

    name: str
    done: float | None = None
    total: float | None = None

    def text(self) -> str:
        """The phase for a person."""
        return f"{self.name} {self.done:,.0f}/{self.total:,.0f}" if self.done is not None and self.total else self.name


class ProgressWriter:
    """Appends to ``progress.jsonl``; every line is whole when it is written. Threads may share one."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file; what is written afterwards is dropped."""
        with self._lock:
            self._stream.close()

    def snapshot(self, snapshot: Snapshot) -> None:
        """Write how the test is doing."""
        self._write(asdict(snapshot))

    def phase(self, name: str, *, done: float | None = None, total: float | None = None) -> None:
        """Write what is being done."""
        self._write(asdict(Phase(name, done, total)))

    def _write(self, values: dict[str, Any]) -> None:
        line = json.dumps(values).encode("utf-8") + b"\n"
        with self._lock:
            if not self._stream.closed:
                self._stream.write(line)


class ProgressReader:
    """Reads what was written since the last look; lines that are not ours are passed over.

    Args:
        path: of the file.
        offset: bytes that somebody has read already.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._offset = offset

    @property
    def offset(self) -> int:
        """Bytes that have been read: where another reader may go on."""
        return self._offset

    def new(self) -> Iterator[Snapshot | Phase]:
        """The lines written since the last call."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read(_MAX_LOOK)
        except OSError:
            return
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
            # A line that fills a whole look is none of ours: go past it.
            self._offset += len(data) if len(data) == _MAX_LOOK else 0
            return
        self._offset += len(whole) + 1
        for line in whole.split(b"\n"):
            parsed = parse_line(line)
            if parsed is not None:
                yield parsed


def parse_line(line: bytes) -> Snapshot | Phase | None:
    """One line of the file; None for anything that is neither a snapshot nor a phase."""
    if len(line) > _MAX_LINE:
        return None
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict):
        return None
    for kind, required in ((Snapshot, _NUMBERS), (Phase, frozenset({"name"}))):
        if set(raw) == {item.name for item in fields(kind)} and all(
            _fits(name, value, required=name in required) for name, value in raw.items()
        ):
            return kind(**raw)
    return None


_NUMBERS = frozenset({"elapsed_s", "issued", "done", "rate"})
"""Numbers that a snapshot cannot do without."""


def _fits(name: str, value: object, *, required: bool) -> bool:
    if name == "name":
        return isinstance(value, str)
    if value is None:
        return not required
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf

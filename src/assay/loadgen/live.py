"""How a run under way is doing: ``progress.jsonl``, one JSON object a line, written by the run, read by anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_MAX_LINE = 1 << 16


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
    """Appends to ``progress.jsonl``; every line is whole when it is written."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a", encoding="utf-8", buffering=1)

    def snapshot(self, snapshot: Snapshot) -> None:
        """Write how the test is doing."""
        self._stream.write(json.dumps(asdict(snapshot)) + "\n")

    def phase(self, name: str, *, done: float | None = None, total: float | None = None) -> None:
        """Write what is being done."""
        self._stream.write(json.dumps(asdict(Phase(name, done, total))) + "\n")


class ProgressReader:
    """Reads what was written since the last look; lines that are not ours are passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> Iterator[Snapshot | Phase]:
        """The lines written since the last call."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
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
    for kind in (Snapshot, Phase):
        if set(raw) == {item.name for item in fields(kind)}:
            return kind(**raw)
    return None

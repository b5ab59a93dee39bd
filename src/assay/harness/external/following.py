"""How far a foreign run is, from LoadGen's detail log as it grows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from assay.base.progress import Step
from assay.base.units import format_duration
from assay.loadgen.names import DETAIL

_PREFIX = b":::MLLOG "
_MAX_LOOK = 8 << 20
_WANTED = (b'"effective_min_duration_ms"', b'"generic_message"', b'"result_validity"', b'"effective_test_mode"')


class Following:
    """Reads what LoadGen has written since the last look and tells a step of it.

    Args:
        folder: where the log will appear.
        step: told.
    """

    def __init__(self, folder: Path, step: Step) -> None:
        self._path = folder / DETAIL
        self._step = step
        self._offset = 0
        self._started: float | None = None
        self._seconds = 0.0
        self.note = "starting"

    def look(self) -> None:
        """Read on, and tell how far it is."""
        for entry in self._new():
            self._take(str(entry.get("key")), entry.get("value"))
        if self._started is None:
            self._step.update(note=self.note)
            return
        elapsed = time.monotonic() - self._started
        total = self._seconds if self._seconds >= elapsed else None
        self._step.update(done=elapsed, total=total, note=self.note)

    def _take(self, key: str, value: Any) -> None:
        if key == "effective_min_duration_ms" and isinstance(value, (int, float)):
            self._seconds = value / 1e3
        elif key == "effective_test_mode" and value == "AccuracyOnly":
            self._seconds = 0.0
        elif key == "generic_message" and isinstance(value, str) and value.startswith("Starting"):
            self._started = time.monotonic()
            least = f", at least {format_duration(self._seconds * 1e9)}" if self._seconds else ""
            self.note = f"LoadGen runs{least}"
        elif key == "result_validity":
            self.note = f"LoadGen has ended: {value}"

    def _new(self) -> list[dict[str, Any]]:
        """The whole lines written since the last look that tell something."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read(_MAX_LOOK)
        except OSError:
            return []
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
            self._offset += len(data) if len(data) == _MAX_LOOK else 0
            return []
        self._offset += len(whole) + 1
        wanted = [line for line in whole.split(b"\n") if any(key in line[:80] for key in _WANTED)]
        return [entry for line in wanted if (entry := _entry(line)) is not None]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line.removeprefix(_PREFIX))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None

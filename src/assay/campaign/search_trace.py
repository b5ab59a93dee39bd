"""The trace of a search on disk: every attempt as soon as it is over, and what an interrupted search goes on from.

A search asks for the same rates when it is told the same of the first ones. So one that is asked again with the same inputs
is given the attempts that were kept, as long as it asks for them and their runs are still there, and makes the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.errors import AssayError, MachineError
from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.loadgen.search import Found

FORMAT = 1
_LOCKS = "locks"
_MAX_BYTES = 4 << 20
_LOOKED_AT = 200
"""Traces that are looked through for an interrupted search, the newest ones."""


@dataclass(slots=True)
class Trace:
    """The trace of one search.

    Attributes:
        path: of the file.
        inputs: hash of all that the search hangs on.
        search: what is looked for, as JSON values.
        begun: when it began.
        kept: attempts of a search that was interrupted.
        tried: all attempts, kept ones included, as far as the search came.
    """

    path: Path
    inputs: str
    search: Mapping[str, object]
    begun: str
    kept: tuple[Tried, ...] = ()
    tried: list[Tried] = field(default_factory=list)
    _given: int = 0

    def again(self, rate: float | None, seconds: float) -> Attempt | None:
        """The next kept attempt, if it is the one that is asked for; None where a run is needed.

        Args:
            rate: that is asked for; None for the one of a probe, which only the first attempt has.
            seconds: its length.
        """
        if self._given >= len(self.kept):
            return None
        attempt = self.kept[self._given].attempt
        if (rate is not None and rate != attempt.rate) or seconds != attempt.duration_s:
            self.kept = self.kept[: self._given]  # the search goes another way, and the others with it
            return None
        self._given += 1
        return attempt

    def add(self, tried: Tried) -> bool:
        """Keep an attempt; tells whether it is a new one."""
        self.tried.append(tried)
        new = len(self.tried) > self._given
        if new:
            self.write(None, "")
        return new

    def write(self, found: Found | None, command: str) -> None:
        """Write the file, with what the search came to when it is over."""
        with machine_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path,
            {
                "format": FORMAT,
                "inputs": self.inputs,
                "begun": self.begun,
                "search": self.search,
                "attempts": [tried_values(each) for each in self.tried],
                "found": None if found is None else found_values(found, command),
            },
        )


@contextlib.contextmanager
def open_trace(
    folder: Path, name: str, inputs: str, search: Mapping[str, object], *, fresh: bool, there: Callable[[str], bool]
) -> Iterator[Trace]:
    """The trace of a search: that of the last one of the same inputs if it was interrupted, else a new one.

    Args:
        folder: of all traces.
        name: of a new one.
        inputs: hash of all that the search hangs on.
        search: what is looked for, as JSON values.
        fresh: begin anew whatever there is.
        there: whether a run, by its id, is still there.

    Raises:
        MachineError: when another process makes the same search.
    """
    trace = None if fresh else _interrupted(folder, inputs, search, there)
    trace = trace or Trace(folder / f"{name}.json", inputs, search, datetime.now(UTC).isoformat(timespec="seconds"))
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(folder / _LOCKS / f"{trace.path.stem}.lock", timeout_s=0))
        except MachineError as error:
            if not trace.kept:
                raise
            raise MachineError(
                "another process makes this search", where=trace.path, hint="wait for it, or begin another: --fresh"
            ) from error
        yield trace


def _interrupted(folder: Path, inputs: str, search: Mapping[str, object], there: Callable[[str], bool]) -> Trace | None:
    """The newest trace of these inputs, if its search was interrupted and something of it is left."""
    paths = sorted(folder.glob("*.json"), reverse=True) if folder.is_dir() else []
    for path in paths[:_LOOKED_AT]:
        try:
            values = read_json(path, max_bytes=_MAX_BYTES)
        except AssayError:
            continue  # damaged, or another's: nothing to go on from
        if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("inputs") != inputs:
            continue
        kept = _read_tried(values.get("attempts"), there) if values.get("found") is None else ()
        return Trace(path, inputs, search, str(values.get("begun")), kept) if kept else None
    return None


def _read_tried(rows: object, there: Callable[[str], bool]) -> tuple[Tried, ...]:
    """The attempts of a file, up to the first that is damaged or whose run is gone."""
    # pydantic is needed only where a search goes on.
    from pydantic import TypeAdapter, ValidationError

    found: list[Tried] = []
    form = TypeAdapter(Attempt)
    for row in rows if isinstance(rows, list) else ():
        try:
            given = {key: value for key, value in row.items() if key in Attempt.__slots__}
            tried = Tried(form.validate_python(given), Step(row["step"]), Judged(row["judged"]))
        except (ValidationError, AttributeError, KeyError, ValueError):
            break
        if not there(tried.attempt.run):
            break
        found.append(tried)
    return tuple(found)


def best_attempt(found: Found) -> Attempt | None:
    """The longest attempt that held at the found rate."""
    held = [each.attempt for each in found.tried if each.judged is Judged.HELD and each.attempt.rate == found.rate]
    return max(held, key=lambda attempt: attempt.duration_s, default=None)


def tried_values(tried: Tried) -> dict[str, Any]:
    """An attempt as JSON values."""
    return {
        "step": tried.step.value,
        "judged": tried.judged.value,
        **asdict(tried.attempt),
        "late_share": tried.attempt.share,
    }


def found_values(found: Found, command: str) -> dict[str, Any]:
    """What a search came to, as JSON values, without its attempts."""
    best = best_attempt(found)
    return {
        "rate": found.rate,
        "confirmed": found.confirmed,
        "missed": found.missed,
        "why": found.why,
        "run": best.run if best else None,
        "command": command or None,
    }

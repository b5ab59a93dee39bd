"""The trace of a search on disk: every attempt as soon as it is over, and what an interrupted search goes on from.

A search asks for the same rates when it is told the same of the first ones. So one that is asked again is given the attempts
that were kept, whenever it asks for one of them and its run is still there, and makes the others. Another version of assay
may ask for others; what it does not ask for stays in the file until the search is over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.campaign.search_inputs import Inputs, differences
from assay.errors import AssayError, MachineError
from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.loadgen.search import Found

FORMAT = 2
_LOCKS = "locks"
_MAX_BYTES = 4 << 20
_LOOKED_AT = 200
"""Traces that are looked through for an interrupted search, the newest ones."""
_MOST_TOLD = 3
"""Differences that are named."""


@dataclass(slots=True)
class Trace:
    """The trace of one search.

    Attributes:
        path: of the file.
        inputs: all that the search hangs on.
        search: what is looked for, as JSON values.
        begun: when it began.
        kept: attempts of a search that was interrupted.
        note: what was kept of an interrupted search, or why nothing was; empty where there was none.
        tried: all attempts, kept ones included, as far as the search came.
    """

    path: Path
    inputs: Inputs
    search: Mapping[str, object]
    begun: str
    kept: tuple[Tried, ...] = ()
    note: str = ""
    tried: list[Tried] = field(default_factory=list)
    _left: list[Tried] = field(init=False, default_factory=list)
    _given: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Nothing was given yet."""
        self._left = list(self.kept)

    @property
    def taken(self) -> int:
        """How many of the kept attempts the search has taken."""
        return len(self.kept) - len(self._left)

    def again(self, rate: float | None, seconds: float) -> Attempt | None:
        """The first kept attempt at a rate that was not given yet; None where a run is needed.

        Args:
            rate: that is asked for; None for the one of a probe, for which the first that was kept stands.
            seconds: its length.
        """
        found = next(
            (each for each in self._left if each.attempt.duration_s == seconds and rate in (None, each.attempt.rate)),
            None,
        )
        self._given = found is not None
        if found is None:
            return None
        self._left.remove(found)
        return found.attempt

    def add(self, tried: Tried) -> bool:
        """Keep an attempt; tells whether it is a new one."""
        self.tried.append(tried)
        new = not self._given
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
                "asked": self.inputs.asked,
                "made_from": self.inputs.parts,
                "assay": self.inputs.assay,
                "begun": self.begun,
                "search": self.search,
                "attempts": [tried_values(each) for each in (*self.tried, *(self._left if found is None else ()))],
                "found": None if found is None else found_values(found, command),
            },
        )


@contextlib.contextmanager
def open_trace(
    folder: Path, name: str, inputs: Inputs, search: Mapping[str, object], *, fresh: bool, there: Callable[[str], bool]
) -> Iterator[Trace]:
    """The trace of a search: that of the last one that was asked for in the same way if it was interrupted, else a new one.

    What was measured counts when it was measured on what is here now, whatever version of assay did it.

    Args:
        folder: of all traces.
        name: of a new one.
        inputs: all that the search hangs on.
        search: what is looked for, as JSON values.
        fresh: begin anew whatever there is.
        there: whether a run, by its id, is still there.

    Raises:
        MachineError: when another process makes the same search.
    """
    found = "" if fresh else interrupted_search(folder, inputs, search, there)
    if isinstance(found, Trace):
        trace = found
    else:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        trace = Trace(folder / f"{name}.json", inputs, search, now, note=found)
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


def interrupted_search(
    folder: Path, inputs: Inputs, search: Mapping[str, object], there: Callable[[str], bool]
) -> Trace | str:
    """The newest trace of this search, if it was interrupted and something of it counts; else why none does, if one was.

    Args:
        folder: of all traces.
        inputs: all that the search hangs on.
        search: what is looked for, as JSON values.
        there: whether a run, by its id, is still there.
    """
    why = ""
    paths = sorted(folder.glob("*.json"), reverse=True) if folder.is_dir() else []
    for path in paths[:_LOOKED_AT]:
        try:
            values = read_json(path, max_bytes=_MAX_BYTES)
        except AssayError:
            continue  # damaged, or another's: nothing to go on from
        if not isinstance(values, dict) or not _asks_the_same(values, inputs, search):
            continue
        wrong = _why_not(values, inputs)
        if wrong:
            # An older one may have been measured on what is here now: a change that was taken back.
            why = why or (
                "" if _is_over(values) else f"{_told(values)} cannot be gone on with, so it begins anew: {wrong}"
            )
            continue
        if _is_over(values):
            return why
        kept, gone = _read_tried(values.get("attempts"), there)
        if kept:
            note = _note(values, inputs, len(kept), gone)
            return Trace(path, inputs, search, str(values.get("begun")), kept, note)
        return why or f"{_told(values)} begins anew: none of its attempts is left"
    return why


def _asks_the_same(values: Mapping[str, object], inputs: Inputs, search: Mapping[str, object]) -> bool:
    """Whether a trace is of the search that is asked for; one of the first form says it by its plan."""
    if values.get("format") == FORMAT:
        return values.get("asked") == inputs.asked
    then, now = values.get("search"), json.loads(json.dumps(search))
    if values.get("format") != 1 or not isinstance(then, dict):
        return False
    # More is told of a search by now, and what was to be fetched is here.
    return all(now.get(key) == value for key, value in then.items() if not key.startswith("fetch"))


def _why_not(values: Mapping[str, object], inputs: Inputs) -> str:
    """Why the attempts of a trace say nothing now; empty when they do."""
    if values.get("format") != FORMAT:
        return f"its file is of form {values.get('format')}, which does not say what it was measured on"
    parts = values.get("made_from")
    found = differences(parts if isinstance(parts, dict) else {}, inputs)
    more = f" and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
    return "; ".join(found[:_MOST_TOLD]) + more


def _is_over(values: Mapping[str, object]) -> bool:
    return values.get("found") is not None or not values.get("attempts")


def _note(values: Mapping[str, object], inputs: Inputs, kept: int, gone: int) -> str:
    """What is kept of a search, for a person."""
    note = f"{_told(values)} goes on after {kept} attempt{'' if kept == 1 else 's'}"
    if values.get("assay") != inputs.assay:
        note += f", kept from assay {values.get('assay')!s:.40}: what they were measured on is the same"
    return note + (f"; {gone} more count no longer, for their runs are gone" if gone else "")


def _told(values: Mapping[str, object]) -> str:
    return f"the search of {utc(str(values.get('begun')))}"


def utc(stamp: str) -> str:
    """A time as it is kept, for a person."""
    return stamp[:16].replace("T", " ") + " UTC"


def _read_tried(rows: object, there: Callable[[str], bool]) -> tuple[tuple[Tried, ...], int]:
    """The attempts of a file whose runs are there, and how many others it has."""
    # pydantic is needed only where a search goes on.
    from pydantic import TypeAdapter, ValidationError

    found: list[Tried] = []
    form, count = TypeAdapter(Attempt), 0
    for row in rows if isinstance(rows, list) else ():
        count += 1
        try:
            given = {key: value for key, value in row.items() if key in Attempt.__slots__}
            tried = Tried(form.validate_python(given), Step(row["step"]), Judged(row["judged"]))
        except (ValidationError, AttributeError, KeyError, ValueError):
            continue
        if there(tried.attempt.run):
            found.append(tried)
    return tuple(found), count - len(found)


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

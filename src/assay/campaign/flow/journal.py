"""What a campaign has done: one line for each step begun and done, on disk before the next one begins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.base.files import machine_errors
from assay.errors import InvalidInputError

FORMAT = 1
_OTHERS = frozenset({"begun", "stopped", "abort", "again"})
"""First keys of the lines that tell of no step that was done."""
_KEEP_WHY = ("abort", "again")
"""Of these, the ones that begin nothing: what stopped the step under way is still why it is not done."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done.

    Attributes:
        inputs: hash of everything that it was made from.
        output: hash, or id, of what it made: an input of the steps that need it.
        runs: ids of its runs.
        seconds: time that it took.
        note: what a reader should know.
    """

    step: str
    inputs: str
    output: str
    runs: tuple[str, ...] = ()
    seconds: float = 0.0
    note: str = ""
    when: str = ""


class Journal:
    """The journal of one campaign.

    A line is one ``write``, and on disk when :meth:`done` returns. A killed process can leave a torn last line; it is
    passed over, and ended before the next one is written.

    Args:
        folder: ``<home>/campaigns/<name>``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.jsonl"

    def begin(self, step: str, what: str = "") -> None:
        """Note that a step begins, and on what."""
        self._append({"format": FORMAT, "begun": step, "what": what, "when": _now()})

    def stopped(self, step: str, why: str) -> None:
        """Note that a step ended before it was done, and why."""
        self._append({"format": FORMAT, "stopped": step, "why": why, "when": _now()})

    def abort(self, by: str) -> None:
        """Note that somebody asked to stop the step under way."""
        self._append({"format": FORMAT, "abort": by, "when": _now()})

    def again(self, step: str) -> None:
        """Note that a step was asked for again: what it came to so far counts no more, and stays in the journal."""
        self._append({"format": FORMAT, "again": step, "when": _now()})

    def done(self, done: Done) -> None:
        """Note that a step is done."""
        self._append({"format": FORMAT, **asdict(done), "when": _now()})

    def entries(self) -> dict[str, list[Done]]:
        """Everything done, oldest first, by step.

        Raises:
            InvalidInputError: for a line of another form, with its number.
        """
        found: dict[str, list[Done]] = {}
        for number, line in self._lines():
            if not _OTHERS.isdisjoint(line):
                continue
            try:
                given = {key: value for key, value in line.items() if key != "format"}
                entry = Done(**{**given, "runs": tuple(given["runs"])})
            except (KeyError, TypeError) as error:
                raise InvalidInputError("no line of a journal", where=f"{self.path}:{number}") from error
            found.setdefault(entry.step, []).append(entry)
        return found

    def set_aside(self) -> dict[str, int]:
        """How many outcomes of a step, the oldest ones, count no more because it was asked for again after them."""
        done: dict[str, int] = {}
        aside: dict[str, int] = {}
        for _, line in self._lines():
            if "again" in line:
                name = str(line["again"])
                aside[name] = done.get(name, 0)
            elif "step" in line:
                name = str(line["step"])
                done[name] = done.get(name, 0) + 1
        return aside

    def begun(self, step: str) -> set[str]:
        """What a step was ever begun on."""
        return {str(line.get("what")) for _, line in self._lines() if line.get("begun") == step}

    def under_way(self) -> str:
        """The step that was begun last and is not done; empty when there is none."""
        name = ""
        for _, line in self._lines():
            if "begun" in line:
                name = str(line["begun"])
            elif "step" in line:
                name = ""
        return name

    def why_stopped(self) -> str:
        """Why the step under way ended; empty while nothing was noted, as after a kill."""
        why = ""
        for _, line in self._lines():
            why = str(line.get("why", "")) if "stopped" in line else "" if line.keys().isdisjoint(_KEEP_WHY) else why
        return why

    def asked_to_abort(self) -> bool:
        """Whether somebody asked to stop the step under way."""
        asked = False
        for _, line in self._lines():
            asked = "abort" in line or (asked and "begun" not in line and "step" not in line)
        return asked

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        if not self.path.exists():
            return
        with machine_errors(self.path):
            lines = self.path.read_bytes().split(b"\n")
        for number, raw in enumerate(lines, 1):
            try:
                line = json.loads(raw) if raw.strip() else None
            except ValueError:
                continue  # torn by a kill
            if line is None:
                continue
            if not isinstance(line, dict) or line.get("format") != FORMAT:
                raise InvalidInputError(
                    "a journal of another version", where=f"{self.path}:{number}", expected=f"format {FORMAT}"
                )
            yield number, line

    def _append(self, line: dict[str, Any]) -> None:
        with machine_errors(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                text = ("\n" if torn else "") + json.dumps(line, sort_keys=True) + "\n"
                os.write(descriptor, text.encode("utf-8"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""The log that each side keeps of a session: ``client.log`` and ``server.log``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from assay.base.files import write_atomic


@dataclass(slots=True)
class Journal:
    """Lines with their times.

    Attributes:
        name: who writes.
        show: takes each line as it is written.
    """

    name: str
    show: Callable[[str], object] = lambda _: None
    lines: list[str] = field(default_factory=list)

    def say(self, text: str, *, level: str = "INFO") -> None:
        """Write a line, and show it."""
        self.note(text, level=level)
        self.show(text)

    def note(self, text: str, *, level: str = "INFO") -> None:
        """Write a line that nobody has to see now."""
        moment = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")
        self.lines.append(f"{self.name} {moment} [{level}] {text}")

    def warn(self, text: str) -> None:
        """Write a line that somebody should read."""
        self.say(text, level="WARNING")

    def save(self, path: Path) -> None:
        """Write the lines so far to a file."""
        write_atomic(path, "".join(f"{line}\n" for line in self.lines))

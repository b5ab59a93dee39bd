"""How long work tells about itself without knowing who listens.

A function that may take more than two seconds takes a ``Progress`` and reports to it; the command line draws bars,
tests and libraries pass ``SILENT``.
"""

from __future__ import annotations

from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def advance(self, amount: float = 1) -> None:
        """Add to what is done."""

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        """Set what is done, the total, or a short note shown behind the bar."""

    def finish(self) -> None:
        """The work is over (also called on failure)."""


class Progress(Protocol):
    """Somebody who shows progress."""

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        """Begin a piece of work; ``unit`` is ``B`` for bytes, ``s`` for seconds, or a noun such as ``images``."""

    def message(self, text: str) -> None:
        """Say one line above the bars."""


class _SilentStep:
    def advance(self, amount: float = 1) -> None:
        """Ignore."""

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


class _Silent:
    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        """Ignore."""
        del label, total, unit
        return _SilentStep()

    def message(self, text: str) -> None:
        """Ignore."""


SILENT: Progress = _Silent()

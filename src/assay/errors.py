"""The exceptions a user can meet, and the exit code of each.

::

    AssayError                  1   a verdict against the input, or the base of all
    ├── UsageError              2   the command cannot mean anything as written
    ├── NotFoundError           3   a name, file or asset that is not there
    │   └── MissingDependencyError  3   a library or tool that is not installed
    ├── InvalidInputError       4   a file or value that is there and wrong
    ├── RunFailedError          5   the run broke: backend crash, LoadGen stopped
    └── MachineError            5   disk full, home read-only, no memory

An interrupt (Ctrl-C) is not an error and leaves with 130. Only ``assay.cli.main`` turns these into
exit codes; libraries' own exceptions are translated where they are caught.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class AssayError(Exception):
    """Something a user can act on.

    Args:
        what: one sentence saying what is wrong.
        where: the file, or ``file:line`` or ``file: key``, that it is about.
        expected: what would have been right.
        found: what was there instead.
        hint: what to do now; a command where there is one.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = str(where) if where is not None else None
        self.expected = expected
        self.found = found
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.what if self.where is None else f"{self.where}: {self.what}"]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.found is not None:
            parts.append(f"found {self.found}")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, str | int | None]:
        """The error as one JSON object, for ``--json``."""
        return {
            "error": type(self).__name__.removesuffix("Error"),
            "what": self.what,
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


class UsageError(AssayError):
    """The command cannot mean anything as written: contradictory or unknown options."""

    exit_code = 2


class NotFoundError(AssayError):
    """A name, file or asset that is not there."""

    exit_code = 3


class MissingDependencyError(NotFoundError):
    """A library or a tool that is not installed; the hint is the command that installs it."""


class InvalidInputError(AssayError):
    """A file or value that is there and wrong: malformed, of the wrong shape, with a wrong checksum."""

    exit_code = 4


class RunFailedError(AssayError):
    """A benchmark run that broke before it had a result."""

    exit_code = 5


class MachineError(AssayError):
    """The machine refuses: disk full, home read-only, out of memory."""

    exit_code = 5


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names closest to a misspelt one, best first, compared without case."""
    by_key = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_key, n=limit, cutoff=0.5)
    return [by_key[match] for match in matches]


def unknown(kind: str, name: str, known: Iterable[str], *, hint: str | None = None) -> NotFoundError:
    """A :class:`NotFoundError` for a name that is not in a known set, with the closest names."""
    choices = sorted(known)
    close = nearest(name, choices)
    expected = " or ".join(close) if close else ", ".join(choices[:12]) or None
    return NotFoundError(f"unknown {kind} {name!r}", expected=expected, hint=hint)

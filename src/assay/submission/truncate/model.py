"""What truncating says of each log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What was, or would be, done with a log.

    Attributes:
        CUT: its hash went to ``accuracy.txt`` and the log was cut.
        HASHED: its hash went to ``accuracy.txt``; the log is shorter than what stays of one.
        KEPT: it has its hash and is small enough.
        RESTORED: the original was put back.
        MISSING: there is no log.
        REFUSED: it needs work and was left alone; the note says why.
    """

    CUT = "cut"
    HASHED = "hashed"
    KEPT = "kept"
    RESTORED = "restored"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LogReport:
    """One accuracy log.

    Attributes:
        path: relative to the root of the tree, with ``/``.
        sha256: hash of the original; empty where it was not taken.
        before: size in bytes before.
        after: size in bytes after.
        note: why, or what is special; empty when there is nothing to say.
    """

    path: str
    state: State
    sha256: str = ""
    before: int = 0
    after: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class TruncateReport:
    """All logs of a tree.

    Attributes:
        tree: the tree as it was given.
        round: round of the limits; empty for a restore.
        limit: size in bytes from which a log has to be cut.
        place: where the originals are, or the new tree; None for a trial.
    """

    tree: str
    round: str
    limit: int
    dry_run: bool
    place: str | None
    logs: tuple[LogReport, ...]

    def count(self, *states: State) -> int:
        """How many logs are in one of these states."""
        return sum(each.state in states for each in self.logs)

    @property
    def ok(self) -> bool:
        """Nothing that needs work was left alone."""
        return self.count(State.REFUSED) == 0

"""What a simulated daemon does wrong when it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.errors import UsageError, unknown
from assay.power.phase import Phase


class FaultKind(StrEnum):
    """Ways to misbehave."""

    DROPOUT = "dropout"
    OVERRANGE = "overrange"
    BAD_RANGE = "bad-range"
    UNCERTAINTY = "uncertainty"
    CLOCK_SKEW = "clock-skew"
    LOST_CONNECTION = "lost-connection"
    SLOW = "slow"

    @property
    def meaning(self) -> str:
        """The fault in words."""
        return _MEANINGS[self]


_MEANINGS = {
    FaultKind.DROPOUT: "every second sample is missing, with an error in the log",
    FaultKind.OVERRANGE: "the current is above the range that was set, with an error for each sample",
    FaultKind.BAD_RANGE: "ranges are refused",
    FaultKind.UNCERTAINTY: "every sample is less certain than 1%, with a warning",
    FaultKind.CLOCK_SKEW: "samples carry a time that is five seconds ahead",
    FaultKind.LOST_CONNECTION: "the connection is closed in the middle of a measurement",
    FaultKind.SLOW: "every answer comes late",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, in one phase.

    Attributes:
        phase: only in this one; None for both.
    """

    kind: FaultKind
    phase: Phase | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``dropout`` or ``dropout:ranging``.

        Raises:
            UsageError: for a phase that is none.
            NotFoundError: for a fault that is none.
        """
        name, colon, phase = text.partition(":")
        if name not in set(FaultKind):
            raise unknown("fault", name, list(FaultKind), hint="assay power simulate --help")
        if colon and phase not in set(Phase):
            raise UsageError("no phase of a measurement", expected=" or ".join(Phase), found=repr(phase))
        return cls(FaultKind(name), Phase(phase) if colon else None)

    def strikes(self, phase: Phase | None) -> bool:
        """Whether it shows in a phase (None: outside of both)."""
        return self.phase is None or self.phase is phase

"""The two runs of a measurement, and where their files lie."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """First the largest volts and amps are looked for, then the run is repeated with ranges set to them."""

    RANGING = "ranging"
    TESTING = "testing"

    @property
    def folder(self) -> str:
        """Name of its folder beside ``power/``."""
        return "run_1" if self is Phase.TESTING else self.value

    @classmethod
    def of_mark(cls, mark: str) -> Phase | None:
        """The phase that a measurement's mark ends with."""
        return next((phase for phase in cls if mark.endswith(f"_{phase}")), None)

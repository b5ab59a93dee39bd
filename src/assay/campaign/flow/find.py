"""The rate of Server as a step: searched by bisection, confirmed by a run at full length, which is then the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.base.units import format_rate
from assay.campaign.find_rate import find_server_rate, plan_search
from assay.campaign.request import RunRequest


@dataclass(frozen=True, slots=True)
class FoundRate:
    """What a search came to.

    Attributes:
        rate: queries each second.
        run: id of the run at full length that was VALID at it.
        trace: every attempt.
    """

    rate: float
    run: str
    trace: Path

    @property
    def note(self) -> str:
        """For a person."""
        return f"{format_rate(self.rate, 'queries')}, confirmed at full length; every attempt: {self.trace}"


def see_that_it_can_be_searched(request: RunRequest, settings: Settings, tolerance: float) -> None:
    """Plan the search of a Server run that has no rate.

    Raises:
        AssayError: as planning the search alone would.
    """
    plan_search(request, settings, tolerance=tolerance)


def find(request: RunRequest, settings: Settings, tolerance: float, progress: Progress) -> FoundRate:
    """Search the rate; a search that was interrupted goes on where it was.

    Raises:
        AssayError: when no rate is confirmed at full length.
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    searched = find_server_rate(request, settings, progress, tolerance=tolerance)
    assert searched.rate is not None  # it has raised otherwise
    return FoundRate(searched.rate, searched.run, searched.trace)

"""The rate of Server as a step: searched by bisection, confirmed by a run at full length, which is then the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.base.units import format_rate
from assay.campaign.external_plan import ExternalRequest, can_be_probed
from assay.campaign.find_rate import find_server_rate
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import plan_search
from assay.harness.external.catalogue import find_implementation
from assay.rules.model import Scenario


@dataclass(frozen=True, slots=True)
class FoundRate:
    """What a search came to.

    Attributes:
        rate: queries each second.
        run: id of the run at full length that was VALID at it.
        trace: every attempt.
        kept: what was there already, in words.
    """

    rate: float
    run: str
    trace: Path
    kept: str = ""

    @property
    def note(self) -> str:
        """For a person."""
        found = f"{format_rate(self.rate, 'queries')}, confirmed at full length"
        return f"{found}{self.kept}; every attempt: {self.trace}"


def can_be_told(program: ExternalRequest | None, settings: Settings) -> bool:
    """Whether what runs an entry can be told the rate at which it is to send; assay's own harness can."""
    return program is None or can_be_probed(find_implementation(program.name, settings), Scenario.SERVER)


def see_that_it_can_be_searched(
    request: RunRequest, settings: Settings, tolerance: float, program: ExternalRequest | None = None
) -> None:
    """Plan the search of a Server run that has no rate.

    Raises:
        AssayError: as planning the search alone would.
    """
    plan_search(request, settings, tolerance=tolerance, program=program)


def find(
    request: RunRequest,
    settings: Settings,
    tolerance: float,
    progress: Progress,
    program: ExternalRequest | None = None,
) -> FoundRate:
    """Search the rate; a search that was interrupted goes on where it was.

    Args:
        program: makes the attempts in place of assay's own harness.

    Raises:
        AssayError: when no rate is confirmed at full length.
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    searched = find_server_rate(request, settings, progress, tolerance=tolerance, program=program)
    assert searched.rate is not None  # it has raised otherwise
    kept = f", {searched.kept} of {len(searched.runs)} attempts kept from before" if searched.kept else ""
    return FoundRate(searched.rate, searched.run, searched.trace, kept)

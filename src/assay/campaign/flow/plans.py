"""Runs of a campaign, planned and carried out by assay's own harness or by another program, as the entry says."""

from __future__ import annotations

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.execute import carry_out
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.loadgen.record import RunRecord


def plan_run(request: RunRequest, program: ExternalRequest | None, settings: Settings) -> Plan:
    """What a run is, resolved and checked.

    Raises:
        AssayError: as planning the run alone would.
    """
    return make_plan(request, settings) if program is None else make_external_plan(request, program, settings).plan


def carry_out_run(
    request: RunRequest, program: ExternalRequest | None, settings: Settings, progress: Progress
) -> RunRecord:
    """Carry one run out; returns its record.

    Raises:
        AssayError: what went wrong before the run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    if program is None:
        (record,) = carry_out(make_plan(request, settings), settings, progress)
    else:
        (record,) = carry_out_external(make_external_plan(request, program, settings), settings, progress)
    return record

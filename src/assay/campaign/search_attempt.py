"""An attempt of a search for the Server rate: a run at one rate, of assay's own harness or of another program."""

from __future__ import annotations

import math
import shlex
from typing import Any

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.base.units import exact_duration
from assay.campaign.execute import carry_out
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import make_external_plan
from assay.campaign.formats import AUTO
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import SearchPlan
from assay.errors import RunFailedError
from assay.loadgen.attempts import Aim, Attempt
from assay.loadgen.logs import read_detail
from assay.loadgen.measured import Measured, Stopped, measure
from assay.loadgen.names import DETAIL
from assay.loadgen.record import RunRecord
from assay.loadgen.statistics import queries_needed
from assay.rules.model import Scenario

_OF_LENGTH = ("--duration", "--samples")
_AS_TOLD = 1e-3
"""How far what a program logs may be from what it was told: it may have rounded."""


def full_command(command: str, request: RunRequest) -> str:
    """The command of an attempt, with the length of the run that counts."""
    words = shlex.split(command)
    for option in _OF_LENGTH:
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    words += ["--samples", str(request.samples)] if request.samples else []
    words += ["--duration", exact_duration(request.duration_ns)] if request.duration_ns is not None else []
    return shlex.join(words)


def attempt_at(plan: SearchPlan, rate: float | None, seconds: float, settings: Settings, progress: Progress) -> Attempt:
    """Run at a rate, as an attempt of a search.

    Args:
        plan: of the search.
        rate: queries each second; None for what a probe suggests.
        seconds: length of the run.
        settings: where things are kept.
        progress: told while it goes on.

    Raises:
        RunFailedError: when a program did not do as it was told, so that the attempt says nothing.
    """
    changed: dict[str, Any] = {"target_qps": rate}
    if seconds < plan.aim.full_s:
        changed |= {"duration_ns": round(seconds * 1e9), "samples": _fewest_of_a_short_run(plan)}
    record = _carried_out(plan, plan.plan.request.model_copy(update=changed), settings, progress)
    measured = measure(read_detail(settings.runs_dir / record.id / DETAIL), plan.limits, Scenario.SERVER)
    if plan.external is not None:
        _see_that_it_did_as_told(measured, rate, seconds, plan.aim, record)
    sent = rate or measured.planned_rate
    assert sent is not None and record.verdict is not None  # a run that broke has raised
    return Attempt(
        rate=sent,
        duration_s=seconds,
        queries=measured.done,
        late=measured.late,
        completed_rate=measured.rate or 0.0,
        valid=record.verdict.valid,
        stopped=measured.stopped is Stopped.TOO_MANY_OUTSTANDING,
        run=record.id,
    )


def _carried_out(plan: SearchPlan, request: RunRequest, settings: Settings, progress: Progress) -> RunRecord:
    if plan.external is None:
        (record,) = carry_out(make_plan(request, settings), settings, progress)
    else:
        # In a resolved request the program stands where an engine would; it is resolved once more.
        asked = request.model_copy(update={"backend": AUTO})
        external = make_external_plan(asked, plan.external.external, settings)
        (record,) = carry_out_external(external, settings, progress)
    return record


def _fewest_of_a_short_run(plan: SearchPlan) -> int | None:
    """Fewest queries of an attempt; None for those that assay's own harness takes.

    A program that reads options and no ``user.conf`` is told only what is asked for, and has its own idea of the rest.
    """
    if plan.external is None:
        return None
    return min(plan.limits.min_query_count, queries_needed(1, plan.aim.percentile))


def _see_that_it_did_as_told(
    measured: Measured, rate: float | None, seconds: float, aim: Aim, record: RunRecord
) -> None:
    """A program that sends at its own rate, for its own time or under its own bound would be searched in vain."""
    told = [("rate", rate, measured.planned_rate or 0.0, "queries/s")] if rate is not None else []
    told += [("latency bound", aim.bound_s, measured.bound_ns / 1e9, "s")]
    told += [("length", seconds, measured.asked_ns / 1e9, "s")] if measured.asked_ns < seconds * 1e9 else []
    for what, asked, found, unit in told:
        if not math.isclose(asked, found, rel_tol=_AS_TOLD):
            raise RunFailedError(
                f"the program did not take the {what} that it was told",
                where=record.id,
                expected=f"{asked:g} {unit}",
                found=f"{found:g} {unit}",
                hint=f"see how its manifest passes it on: assay implementations show {record.backend_name}",
            )

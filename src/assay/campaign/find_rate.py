"""The search for the Server rate through the real harness: attempts are runs with records, the trace is kept and drawn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.request import RunRequest
from assay.campaign.search_attempt import attempt_at, full_command
from assay.campaign.search_inputs import Inputs, inputs_of
from assay.campaign.search_plan import ATTEMPT_NS, TOLERANCE, SearchPlan, length, plan_search
from assay.campaign.search_trace import Trace, best_attempt, interrupted_search, open_trace, utc
from assay.errors import AssayError
from assay.loadgen.attempts import Attempt, Tried
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.search import Found, Told, find_rate
from assay.results.rate_page import RatePage, write_rate_page
from assay.rules.model import Scenario

TRACES = "searches"
"""Folder of the home that holds the traces."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that is over.

    Attributes:
        found: what it came to.
        trace: file that holds every attempt.
        command: runs the found rate at full length; empty when no rate was found.
        report: page that shows them; None when there is none.
        kept: how many attempts were made by an earlier call that was interrupted.
    """

    found: Found
    trace: Path
    command: str
    report: Path | None = None
    kept: int = 0

    @property
    def rate(self) -> float | None:
        """The highest rate that held; None when none did."""
        return self.found.rate

    @property
    def run(self) -> str:
        """Id of the longest run that held at the rate, VALID at full length when the rate is confirmed; empty when none."""
        best = best_attempt(self.found)
        return best.run if best else ""

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of all runs, in order."""
        return tuple(each.attempt.run for each in self.found.tried)


def find_server_rate(
    request: RunRequest,
    settings: Settings,
    progress: Progress = SILENT,
    *,
    start: float | None = None,
    attempt_ns: int = ATTEMPT_NS,
    tolerance: float = TOLERANCE,
    fresh: bool = False,
    told: Told = lambda tried: None,
    program: ExternalRequest | None = None,
) -> Searched:
    """The Server rate of a setting, for whoever goes on with it, such as a step of a campaign.

    ``find_server_rate(request, settings).run`` is a run of the request at its best rate: VALID, of full length (the
    round's, or ``request.duration_ns``), with everything else as the request has it, so that no other run is needed.

    Args:
        request: the Server run that counts: ``scenarios=(Scenario.SERVER,)``, no ``target_qps``.
        settings: where things are kept.
        progress: told while it goes on.
        start: first rate; the one that a probe suggests unless given.
        attempt_ns: length of the first attempts.
        tolerance: how near the found rate is to the highest, as a fraction.
        fresh: begin anew also where the same search was interrupted.
        told: told of every attempt as soon as it is over and on disk.
        program: makes the attempts in place of assay's own harness.

    Returns:
        ``rate`` (queries/s), ``run`` (id of the run at it), ``runs`` (ids of all runs made), ``trace`` (path of the file
        with every attempt), ``command`` (does that run again).

    Raises:
        AssayError: no rate held at full length; besides, what :func:`plan_search` and :func:`carry_out_search` raise.
        KeyboardInterrupt: as :func:`carry_out_search`.
    """
    plan = plan_search(request, settings, start=start, attempt_ns=attempt_ns, tolerance=tolerance, program=program)
    searched = carry_out_search(plan, settings, progress, told, fresh=fresh)
    if not searched.found.confirmed:
        raise AssayError(
            "no rate was found at which Server holds its latency bound at full length",
            where=searched.trace,
            found=searched.found.why or None,
            hint="the attempts and what each says are in that file; a faster setting or another --start-qps may help",
        )
    return searched


def carry_out_search(
    plan: SearchPlan, settings: Settings, progress: Progress, told: Told, *, fresh: bool = False
) -> Searched:
    """Search, each attempt a run with a record; one of the same inputs that was interrupted goes on where it was.

    Args:
        plan: of the search.
        settings: where things are kept.
        progress: told while it goes on.
        told: told of every attempt as soon as it is over and on disk, and of those that were kept.
        fresh: begin anew whatever there is.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        MachineError: when another process makes the same search.
        KeyboardInterrupt: after an interrupted run has been kept as such; the trace holds what was measured before.
    """
    catalogue = RunCatalogue(settings.runs_dir)
    name = catalogue.new_id(plan.plan.subject.model.name, Scenario.SERVER.value, "search")
    folder, inputs, there = settings.home / TRACES, _inputs(plan, settings), _there(catalogue)
    with open_trace(folder, name, inputs, plan.to_dict(), fresh=fresh, there=there) as trace:
        if trace.note:
            progress.message(trace.note)
        try:
            return _search(plan, settings, progress, told, trace)
        except BaseException:
            # What was measured is shown also when the search ends here, and never in place of what ended it.
            with contextlib.suppress(AssayError):
                _draw(plan, trace, None, "")
            raise


def what_is_kept(plan: SearchPlan, settings: Settings) -> str:
    """What this search would go on from, or why it would not, in words; empty where none was interrupted."""
    there = _there(RunCatalogue(settings.runs_dir))
    found = interrupted_search(settings.home / TRACES, _inputs(plan, settings), plan.to_dict(), there)
    return found.note if isinstance(found, Trace) else found


def _inputs(plan: SearchPlan, settings: Settings) -> Inputs:
    return inputs_of(plan.plan, plan.aim, plan.start, settings, plan.external)


def _there(catalogue: RunCatalogue) -> Callable[[str], bool]:
    return lambda run: _finished(catalogue, run)


def _search(plan: SearchPlan, settings: Settings, progress: Progress, told: Told, trace: Trace) -> Searched:
    def keep(tried: Tried) -> None:
        if trace.add(tried):
            progress.message(_line(tried))
        told(tried)

    def run(rate: float | None, seconds: float) -> Attempt:
        return trace.again(rate, seconds) or attempt_at(plan, rate, seconds, settings, progress)

    found = find_rate(run, plan.aim, start=plan.start, told=keep)
    best = best_attempt(found)
    command = ""
    if best:
        command = full_command(RunCatalogue(settings.runs_dir).read(best.run).command, plan.plan.request)
    trace.write(found, command)
    return Searched(found, trace.path, command, _draw(plan, trace, found, command), trace.taken)


def _finished(catalogue: RunCatalogue, run: str) -> bool:
    if not run or run != Path(run).name:  # a trace is a file that anybody may have written
        return False
    try:
        return RunFolder(catalogue.folder / run).read().status is RunStatus.FINISHED
    except AssayError:
        return False


def _draw(plan: SearchPlan, trace: Trace, found: Found | None, command: str) -> Path | None:
    """The page beside the trace; None where nothing was tried."""
    if not trace.tried:
        return None
    request, subject = plan.plan.request, plan.plan.subject
    page = RatePage(
        title=f"{subject.model.name} on {request.backend}: the Server rate",
        about=(
            ("Benchmark", f"{subject.benchmark.name} of round {subject.round.name}"),
            ("Model", str(subject.model_file or subject.model.name)),
            ("Engine", f"{request.backend}, {plan.plan.precision.value}"),
            ("Looked for", f"{plan.aim.percentile:.0%} of the queries within {length(plan.aim.bound_s)}"),
            ("A run that counts", f"{length(plan.aim.full_s)}, {plan.aim.full_queries:,} queries"),
            ("Begun", utc(trace.begun)),
        ),
        aim=plan.aim,
        tried=tuple(trace.tried),
        found=found,
        command=command,
    )
    target = trace.path.with_suffix(".html")
    write_rate_page(page, target)
    return target


def _line(tried: Tried) -> str:
    attempt = tried.attempt
    return (
        f"{tried.step.value}: {attempt.rate:g}/s for {length(attempt.duration_s)}, {attempt.share:.2%} late: "
        f"{tried.judged.value}"
    )

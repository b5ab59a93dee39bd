"""The search for the Server rate through the real harness: attempts are runs with records, the trace is kept and drawn."""

from __future__ import annotations

import contextlib
import json
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, State, quick_identity
from assay.base.files import sha256_bytes
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.execute import carry_out, versions
from assay.campaign.plan import PROBE_S, Plan, make_plan
from assay.campaign.request import RunRequest
from assay.campaign.search_trace import Trace, best_attempt, open_trace
from assay.errors import AssayError
from assay.loadgen.attempts import Aim, Attempt, Tried
from assay.loadgen.logs import read_detail
from assay.loadgen.measured import Stopped, measure
from assay.loadgen.names import DETAIL
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.search import Found, Told, find_rate
from assay.loadgen.statistics import queries_needed
from assay.results.rate_page import RatePage, write_rate_page
from assay.rules.model import Limits, Scenario
from assay.system.summary import host_facts

TRACES = "searches"
"""Folder of the home that holds the traces."""
ATTEMPT_NS = 10 * 10**9
TOLERANCE = 0.02
_OF_LENGTH = ("--duration", "--samples")


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search, resolved and checked.

    Attributes:
        plan: of the run that counts, without a rate.
        aim: what is looked for.
        start: first rate; None for the one that a probe suggests.
    """

    plan: Plan
    aim: Aim
    start: float | None = None

    @property
    def limits(self) -> Limits:
        """The benchmark's limits of Server."""
        return self.plan.subject.benchmark.limits[Scenario.SERVER]

    def lines(self) -> list[str]:
        """The search for a person."""
        aim = self.aim
        first = f"from {self.start:g} queries/s" if self.start else f"from a probe of {PROBE_S:.0f} s"
        end = f"confirmed by runs of {_length(aim.full_s)}" if aim.confirm else "not confirmed"
        lines = [line for line in self.plan.lines() if not line.startswith(("  Server", "  together"))]
        return [
            *lines,
            f"  search of the rate at which {aim.percentile:.0%} of the queries take at most {_length(aim.bound_s)}, {first}",
            f"  attempts of {_length(min(aim.attempt_s, aim.longest_s))} to {_length(aim.longest_s)}, longer where queries "
            f"are few, at most {aim.most}, until the rate is known within {aim.tolerance * 100:g} %, {end}",
        ]

    def to_dict(self) -> dict[str, object]:
        """The search as one JSON document."""
        plan = {key: value for key, value in self.plan.to_dict().items() if key not in ("seconds", "runs")}
        return {**plan, "start": self.start, "aim": asdict(self.aim)}


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that is over.

    Attributes:
        found: what it came to.
        trace: file that holds every attempt.
        command: runs the found rate at full length; empty when no rate was found.
        report: page that shows them; None when there is none.
    """

    found: Found
    trace: Path
    command: str
    report: Path | None = None

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

    Returns:
        ``rate`` (queries/s), ``run`` (id of the run at it), ``runs`` (ids of all runs made), ``trace`` (path of the file
        with every attempt), ``command`` (does that run again).

    Raises:
        AssayError: no rate held at full length; besides, what :func:`plan_search` and :func:`carry_out_search` raise.
        KeyboardInterrupt: as :func:`carry_out_search`.
    """
    plan = plan_search(request, settings, start=start, attempt_ns=attempt_ns, tolerance=tolerance)
    searched = carry_out_search(plan, settings, progress, told, fresh=fresh)
    if not searched.found.confirmed:
        raise AssayError(
            "no rate was found at which Server holds its latency bound at full length",
            where=searched.trace,
            found=searched.found.why or None,
            hint="the attempts and what each says are in that file; a faster setting or another --start-qps may help",
        )
    return searched


def plan_search(
    request: RunRequest,
    settings: Settings,
    *,
    start: float | None = None,
    attempt_ns: int = ATTEMPT_NS,
    tolerance: float = TOLERANCE,
    confirm: bool = True,
) -> SearchPlan:
    """Resolve a search and check everything that can be checked without doing it.

    Args:
        request: the Server run that counts, without a rate.
        settings: where things are kept.
        start: first rate; the one that a probe suggests unless given.
        attempt_ns: length of the first attempts.
        tolerance: how near the found rate is to the highest, as a fraction.
        confirm: whether it is confirmed at full length.

    Raises:
        NotFoundError, UsageError, MissingDependencyError: as for a run.
        InvalidInputError: for a tolerance or a length that no search can end with.
    """
    plan = make_plan(request, settings)
    (planned,) = plan.runs
    limits = plan.subject.benchmark.limits[Scenario.SERVER]
    percentile = limits.percentile or 0.99
    own = planned.duration_ns >= planned.round_duration_ns
    # With fewer, no slow rate could pass: LoadGen's early stopping would not know yet.
    fewest = max(limits.min_query_count if own else 1, queries_needed(1, percentile))
    # The plan's own names the engine.
    request = plan.request.model_copy(update={"samples": request.samples or fewest})
    aim = Aim(
        percentile=percentile,
        bound_s=(request.target_latency_ns or limits.target_latency_ns or 0) / 1e9,
        full_s=planned.duration_ns / 1e9,
        full_queries=request.samples or fewest,
        attempt_s=attempt_ns / 1e9,
        tolerance=tolerance,
        confirm=confirm,
    )
    return SearchPlan(replace(plan, request=request), aim, start)


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
    folder, inputs = settings.home / TRACES, inputs_of(plan, settings)

    def there(run: str) -> bool:
        return _finished(catalogue, run)

    with open_trace(folder, name, inputs, plan.to_dict(), fresh=fresh, there=there) as trace:
        if trace.kept:
            progress.message(f"the search of {_time(trace.begun)} goes on after {len(trace.kept)} attempts")
        try:
            return _search(plan, settings, progress, told, trace)
        except BaseException:
            # What was measured is shown also when the search ends here, and never in place of what ended it.
            with contextlib.suppress(AssayError):
                _draw(plan, trace, None, "")
            raise


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
    return Searched(found, trace.path, command, _draw(plan, trace, found, command))


def inputs_of(plan: SearchPlan, settings: Settings) -> str:
    """Hash of all that a search hangs on: what is run and looked for, the files, the machine, the programs.

    What the catalogue holds counts by what it says of it; files of one's own by their content, folders by names and sizes.
    """
    subject = plan.plan.subject
    store = AssetStore(settings, load_catalogue(settings))
    own = [quick_identity(path) for path in (subject.model_file, subject.dataset_path) if path is not None]
    known = {asset.name for asset in store.catalogue.all()}
    for asset in (subject.model, subject.dataset):
        if asset is not None and asset.name in known and store.state(asset.name) is State.REGISTERED:
            located = store.locate(asset.name)
            own += [located.sha256] if located is not None else []
    # What is still to be fetched is no input: an interrupted search has fetched it.
    search = {key: value for key, value in plan.to_dict().items() if not key.startswith("fetch")}
    parts = [
        search, plan.plan.request.model_dump(mode="json"), repr(subject.model), repr(subject.dataset),
        repr(plan.limits), own, host_facts(), versions(),
    ]  # fmt: skip
    return sha256_bytes(json.dumps(parts, sort_keys=True, default=str).encode())


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
            ("Looked for", f"{plan.aim.percentile:.0%} of the queries within {_length(plan.aim.bound_s)}"),
            ("A run that counts", f"{_length(plan.aim.full_s)}, {plan.aim.full_queries:,} queries"),
            ("Begun", _time(trace.begun)),
        ),
        aim=plan.aim,
        tried=tuple(trace.tried),
        found=found,
        command=command,
    )
    target = trace.path.with_suffix(".html")
    write_rate_page(page, target)
    return target


def full_command(command: str, request: RunRequest) -> str:
    """The command of an attempt, with the length of the run that counts."""
    words = shlex.split(command)
    for option in _OF_LENGTH:
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    words += ["--samples", str(request.samples)] if request.samples else []
    words += ["--duration", f"{request.duration_ns}ns"] if request.duration_ns is not None else []
    return shlex.join(words)


def attempt_at(plan: SearchPlan, rate: float | None, seconds: float, settings: Settings, progress: Progress) -> Attempt:
    """Run at a rate, as an attempt of a search.

    Args:
        plan: of the search.
        rate: queries each second; None for what a probe suggests.
        seconds: length of the run.
        settings: where things are kept.
        progress: told while it goes on.
    """
    request = plan.plan.request
    changed: dict[str, Any] = {"target_qps": rate}
    if seconds < plan.aim.full_s:
        changed |= {"duration_ns": round(seconds * 1e9), "samples": None}
    (record,) = carry_out(make_plan(request.model_copy(update=changed), settings), settings, progress)
    measured = measure(read_detail(settings.runs_dir / record.id / DETAIL), plan.limits, Scenario.SERVER)
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


def _length(seconds: float) -> str:
    return format_duration(seconds * 1e9)


def _line(tried: Tried) -> str:
    attempt = tried.attempt
    return (
        f"{tried.step.value}: {attempt.rate:g}/s for {_length(attempt.duration_s)}, {attempt.share:.2%} late: "
        f"{tried.judged.value}"
    )


def _time(stamp: str) -> str:
    return stamp[:16].replace("T", " ") + " UTC"

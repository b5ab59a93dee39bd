"""The search for the Server rate through the real harness: attempts are runs with records, and the trace is kept."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.base.files import machine_errors, write_json
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.execute import carry_out
from assay.campaign.plan import PROBE_S, Plan, make_plan
from assay.campaign.request import RunRequest
from assay.errors import AssayError
from assay.loadgen.logs import read_detail
from assay.loadgen.measured import Stopped, measure
from assay.loadgen.names import DETAIL
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.search import Aim, Attempt, Found, Judged, Told, Tried, find_rate
from assay.loadgen.statistics import queries_needed
from assay.rules.model import Limits, Scenario

TRACES = "searches"
"""Folder of the home that holds the traces."""
ATTEMPT_NS = 10 * 10**9
TOLERANCE = 0.02
_FORMAT = 1
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
            f"  attempts of {_length(min(aim.attempt_s, aim.longest_s))} to {_length(aim.longest_s)}, at most {aim.most}, "
            f"until the rate is known within {aim.tolerance * 100:g} %, {end}",
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
    """

    found: Found
    trace: Path
    command: str

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


@dataclass(slots=True)
class _Trace:
    """Every attempt on disk as soon as it is over, so that a killed search leaves what it measured."""

    path: Path
    search: Mapping[str, object]
    tried: list[Tried] = field(default_factory=list)

    def add(self, tried: Tried) -> None:
        self.tried.append(tried)
        self.write(None, "")

    def write(self, found: Found | None, command: str) -> None:
        with machine_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path,
            {
                "format": _FORMAT,
                "search": self.search,
                "attempts": [tried_values(each) for each in self.tried],
                "found": None if found is None else found_values(found, command),
            },
        )


def find_server_rate(
    request: RunRequest,
    settings: Settings,
    progress: Progress = SILENT,
    *,
    start: float | None = None,
    attempt_ns: int = ATTEMPT_NS,
    tolerance: float = TOLERANCE,
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
        told: told of every attempt as soon as it is over and on disk.

    Returns:
        ``rate`` (queries/s), ``run`` (id of the run at it), ``runs`` (ids of all runs made), ``trace`` (path of the file
        with every attempt), ``command`` (does that run again).

    Raises:
        AssayError: no rate held at full length; besides, what :func:`plan_search` and :func:`carry_out_search` raise.
        KeyboardInterrupt: as :func:`carry_out_search`.
    """
    plan = plan_search(request, settings, start=start, attempt_ns=attempt_ns, tolerance=tolerance)
    searched = carry_out_search(plan, settings, progress, told)
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
    request = request.model_copy(update={"samples": request.samples or fewest})
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


def carry_out_search(plan: SearchPlan, settings: Settings, progress: Progress, told: Told) -> Searched:
    """Search, each attempt a run with a record.

    Args:
        plan: of the search.
        settings: where things are kept.
        progress: told while it goes on.
        told: told of every attempt as soon as it is over and on disk.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such; the trace holds what was measured before.
    """
    catalogue = RunCatalogue(settings.runs_dir)
    request = plan.plan.request
    name = catalogue.new_id(plan.plan.subject.model.name, Scenario.SERVER.value, "search")
    trace = _Trace(settings.home / TRACES / f"{name}.json", plan.to_dict())

    def keep(tried: Tried) -> None:
        trace.add(tried)
        told(tried)

    def run(rate: float | None, seconds: float) -> Attempt:
        return _attempt(plan, rate, seconds, settings, progress)

    found = find_rate(run, plan.aim, start=plan.start, told=keep)
    best = best_attempt(found)
    command = full_command(catalogue.read(best.run).command, request) if best else ""
    trace.write(found, command)
    return Searched(found, trace.path, command)


def best_attempt(found: Found) -> Attempt | None:
    """The longest attempt that held at the found rate."""
    held = [each.attempt for each in found.tried if each.judged is Judged.HELD and each.attempt.rate == found.rate]
    return max(held, key=lambda attempt: attempt.duration_s, default=None)


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


def tried_values(tried: Tried) -> dict[str, Any]:
    """An attempt as JSON values."""
    return {
        "step": tried.step.value,
        "judged": tried.judged.value,
        **asdict(tried.attempt),
        "late_share": tried.attempt.share,
    }


def found_values(found: Found, command: str) -> dict[str, Any]:
    """What a search came to, as JSON values, without its attempts."""
    best = best_attempt(found)
    return {
        "rate": found.rate,
        "confirmed": found.confirmed,
        "missed": found.missed,
        "why": found.why,
        "run": best.run if best else None,
        "command": command or None,
    }


def _attempt(plan: SearchPlan, rate: float | None, seconds: float, settings: Settings, progress: Progress) -> Attempt:
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

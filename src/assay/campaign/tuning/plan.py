"""A search, resolved and checked: its space, its aim, its folder, and what it will take."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assay.base.files import read_json, sha256_bytes
from assay.base.processors import processor_count
from assay.base.settings import Settings
from assay.base.units import format_duration, format_size
from assay.campaign.plan import PROBE_S, Plan, make_plan
from assay.campaign.tuning.aim import Aim
from assay.campaign.tuning.engines import LeftOut, find_engines
from assay.campaign.tuning.request import TuneRequest
from assay.campaign.tuning.space import Candidate, Space
from assay.errors import InvalidInputError, UsageError, unknown
from assay.power.source import Kind
from assay.rules.model import Scenario

FOLDER = "tunings"
"""Folder of the home that holds the searches."""
WISH = "request.json"
_LARGEST_BATCH = {Scenario.OFFLINE: 128, Scenario.SERVER: 32}
_LOADS = (0.0, 1.0, 0.5)
_WAITS = (0.0, 0.05, 0.1, 0.2)
"""Shares of Server's latency bound that a query may wait for its batch."""
_STARTS_S = 2.0
"""About what a process takes to start, load the model and warm up."""
_MAX_NAME = 40
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class TunePlan:
    """A search, ready to go.

    Attributes:
        usual: the plan of a run in the usual setting.
        baseline: that setting.
        share: of the accuracy that has to be kept, for a person; empty when nothing is asked.
        notes: what a reader should know before.
    """

    request: TuneRequest
    usual: Plan
    baseline: Candidate
    space: Space
    aim: Aim
    name: str
    folder: Path
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """About the shortest time of the whole search, if no trial is given up."""
        request = self.request
        runs = 8 if request.scenario is Scenario.SERVER else 1
        trial = PROBE_S + 2 * _STARTS_S + runs * request.trial_ns / 1e9
        tried = request.trials * trial
        tried = min(tried, request.time_ns / 1e9) if request.time_ns else tried
        return tried + request.repeats * (request.finalists + 1) * runs * (request.confirm_ns / 1e9 + _STARTS_S)

    def lines(self) -> list[str]:
        """The search for a person."""
        request, aim = self.request, self.aim
        subject = self.usual.subject
        what = "the lowest" if aim.lower_is_better else "the most"
        over = f" against {aim.trade_off.value}" if aim.trade_off else ""
        lines = [
            f"{subject.benchmark.name} of round {subject.round.name}, {request.scenario.value}: {what} {aim.unit}{over}"
        ]
        lines[0] += f", model {subject.model.name}"
        lines += self.space.lines()
        lines += [f"  left out: {each.name}: {each.why}" for each in self.left_out]
        lines += [f"  usual setting: {self.baseline}"]
        lines += [f"  asked: {text}" for text in self._asked()]
        lines.append(
            f"  at most {request.trials} trials of {format_duration(request.trial_ns)} among "
            f"{len(self.space.candidates()):,} settings; {request.finalists} finalists beside the usual setting, "
            f"{request.repeats} times {format_duration(request.confirm_ns)}"
        )
        lines.append(f"  about {format_duration(self.seconds * 1e9)} if nothing is given up; kept as {self.name}")
        return lines + [f"  note: {note}" for note in self.notes]

    def to_dict(self) -> dict[str, Any]:
        """The search as one JSON document."""
        return {
            "name": self.name,
            "request": self.request.model_dump(mode="json"),
            "space": self.space.to_dict(),
            "settings": len(self.space.candidates()),
            "baseline": asdict(self.baseline),
            "aim": asdict(self.aim),
            "left_out": [asdict(each) for each in self.left_out],
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    def _asked(self) -> list[str]:
        request, aim = self.request, self.aim
        found = []
        if self.usual.subject.dataset is not None or self.usual.subject.dataset_path is not None:
            if request.accuracy is None:
                found.append("the accuracy that the round asks, of each engine and format")
            elif request.accuracy:
                found.append(f"{request.accuracy:.1%} of the usual setting's accuracy, of each engine and format")
        found += [f"at most {format_duration(aim.max_p99_ns)} at p99"] if aim.max_p99_ns else []
        return found + ([f"at most {format_size(aim.max_memory)} of memory"] if aim.max_memory else [])


def plan_tuning(request: TuneRequest, settings: Settings, *, name: str | None = None) -> TunePlan:
    """Resolve a search and check everything that can be checked without doing it.

    Args:
        request: what is asked.
        settings: where things are kept.
        name: of its folder; made of model, scenario and a hash of what is asked unless given.

    Raises:
        NotFoundError, UsageError, MissingDependencyError: as for a run.
        UsageError: when there is nothing to search.
    """
    scenario = request.scenario
    run = request.run
    if request.backends:
        run = run.model_copy(update={"backend": request.backends[0]})
    if request.precisions and len(request.precisions) == 1:
        run = run.model_copy(update={"precision": request.precisions[0]})
    usual = make_plan(run, settings)
    engines = find_engines(usual, settings, request.backends, request.precisions)
    if not engines.found:
        raise UsageError(
            "the model can be run in none of these engines and formats",
            found="; ".join(f"{each.name}: {each.why}" for each in engines.left_out),
            hint="assay backends shows what each engine supports here",
        )
    first, planned = engines.found[0], usual.runs[0]
    space = _space(request, usual, engines.found)
    baseline = Candidate(first.backend, first.precision, planned.batch_size, planned.streams, run.threads)
    if len(space.candidates()) < 2:
        raise UsageError("there is one setting only, so nothing to search", hint="give more to try, or leave it open")
    facts = usual.subject.round.scenarios[scenario]
    aim = Aim(
        scenario, facts.lower_is_better, facts.unit, request.trade_off, request.max_p99_ns, request.max_memory,
        request.max_watts,
    )  # fmt: skip
    key = json.dumps([request.what(), space.to_dict()], sort_keys=True, default=str)
    digest = sha256_bytes(key.encode("utf-8"))[:8]
    name = _name(name, usual.subject.model.name, scenario, digest)
    plan = TunePlan(
        request,
        usual,
        baseline,
        space,
        aim,
        name,
        settings.home / FOLDER / name,
        engines.left_out,
        _notes(request, usual),
    )
    return replace(plan, usual=replace(usual, request=run))


def _name(given: str | None, model: str, scenario: Scenario, digest: str) -> str:
    """The name of a search's folder, which must not lead out of the home."""
    if given is not None:
        if not _PLAIN.fullmatch(given):
            raise UsageError(
                f"{given!r} cannot be the name of a folder", expected="letters, digits, '-', '_' and '.', at most 64"
            )
        return given
    stem = _NOT_PLAIN.sub("-", model)[:_MAX_NAME].strip("-.") or "model"
    return f"{stem}-{scenario.value.lower()}-{digest}"


def kept_request(name: str, settings: Settings) -> TuneRequest:
    """What was asked of a search that is kept.

    Raises:
        NotFoundError: when there is none of this name, with the closest ones.
        InvalidInputError: when its file is damaged.
    """
    folder = settings.home / FOLDER
    names = [path.name for path in folder.iterdir() if (path / WISH).is_file()] if folder.is_dir() else []
    if name not in names:
        raise unknown("search", name, names, hint="assay tune without --resume begins one")
    path = folder / name / WISH
    try:
        return TuneRequest.model_validate(read_json(path, max_bytes=1 << 20)["request"])
    except (ValidationError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "not what a search of this version keeps", where=path, hint="begin it again with --restart"
        ) from error
    except UsageError as error:
        raise InvalidInputError(f"not a search: {error}", where=path) from error


def _space(request: TuneRequest, usual: Plan, engines: tuple[Any, ...]) -> Space:
    scenario, processors = request.scenario, processor_count()
    sides = scenario in (Scenario.OFFLINE, Scenario.SERVER)
    limits = usual.subject.benchmark.limits[scenario]
    largest = _LARGEST_BATCH.get(scenario, limits.samples_per_query or 1)
    bound = request.run.target_latency_ns or limits.target_latency_ns or 0
    waits: tuple[int, ...] = (0,)
    if scenario is Scenario.SERVER:
        waits = _rising(request.batch_waits_ns) or tuple(round(share * bound) for share in _WAITS)
    return Space(
        engines=engines,
        batches=_rising(request.batch_sizes) or _powers(largest),
        streams=_rising(request.streams) or (_powers(processors) if sides else (1,)),
        loads=_LOADS,
        counts=_rising(request.threads),
        waits=_rising(waits),
        processors=processors,
    )


def _notes(request: TuneRequest, usual: Plan) -> tuple[str, ...]:
    notes = list(usual.notes)
    if usual.subject.synthetic and request.accuracy != 0:
        notes.append("there is no dataset, so nobody looks at the accuracy of the number formats")
    if usual.power is not None and usual.power.kind is Kind.SIMULATION:
        notes.append("the power is simulated: its watts mean nothing")
    if request.repeats == 0:
        notes.append("without a confirmation the winner is the luckiest of single runs")
    return tuple(notes)


def _powers(most: int) -> tuple[int, ...]:
    """Powers of two up to a number, and the number."""
    found = [1]
    while found[-1] * 2 <= most:
        found.append(found[-1] * 2)
    return tuple(found if found[-1] == most else [*found, most])


def _rising(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))

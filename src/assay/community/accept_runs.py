"""Runs of assay that were uploaded: judged again by their own logs; what ``run.json`` says is believed where no log can.

Figures, verdict and seeds come from LoadGen's log, and labels that follow from log, model or dataset are added where the
record lacks them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from assay.assets.catalogue import load_catalogue
from assay.base.files import read_json, sha256_file
from assay.base.settings import Settings
from assay.community.candidate import Candidate, Examined, gravest
from assay.community.evidence import of_run
from assay.community.outcome import Refusal, UploadFinding
from assay.errors import AssayError, InvalidInputError
from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.measured import asked_of
from assay.loadgen.names import DETAIL, LOG_FILES
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.runs import RECORD_FILE
from assay.loadgen.settings import weaker
from assay.loadgen.verdict import Verdict, judge
from assay.results.clean import encodable
from assay.results.flat import flat
from assay.results.from_run import belong_together, joined, result_of
from assay.results.importers.loadgen_run import run_row
from assay.results.model import Result
from assay.results.row import Row
from assay.rules.load import load_round
from assay.rules.model import Category, Mode, Scenario
from assay.rules.submission import Level

_MAX_RECORD = 8 << 20
_LONGEST_NAME = 300
_CLOSE = 1e-6
_SHORT = frozenset({"min_duration", "min_query_count", "max_query_count"})
_LOGGED_MODES = {
    Mode.PERFORMANCE: ("PerformanceOnly", "SubmissionRun"),
    Mode.ACCURACY: ("AccuracyOnly", "SubmissionRun"),
}
_DIVISIONS = ("closed", "open", "network")
# What LoadGen's log says better than the record of the run; power is in no log of its own, so nobody's word is taken for it.
_FROM_LOG = (
    "value", "unit", "lower_is_better", "samples_per_second", "latency", "latency_mean", "latency_p50", "latency_p90",
    "latency_p95", "latency_p97", "latency_p99", "latency_p999", "latency_bound", "min_duration", "queries", "loadgen",
    "qsl_seed", "sample_index_seed", "schedule_seed", "created", "power",
    "watts", "joules_per_query", "joules_per_sample", "power_value", "power_unit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """A run whose logs hold what its record says."""

    folder: Path
    path: str
    record: RunRecord
    verdict: Verdict
    digest: str


@dataclass(frozen=True, slots=True)
class _Joined:
    """The runs of one command that make one result."""

    result: Result
    runs: tuple[_Judged, ...]

    def of(self, mode: str) -> _Judged | None:
        return next((each for each in self.runs if each.record.mode == mode), None)


def examine_runs(
    root: Path, folders: Sequence[Path], settings: Settings, *, organisation: str | None = None
) -> Examined:
    """Judge runs and tell which of them are results that can be taken.

    The performance run and the accuracy run of one command are one result.

    Args:
        root: of the upload.
        folders: of the runs.
        settings: say where models and datasets are described.
        organisation: who ran them.
    """
    judged: list[_Judged] = []
    spoilt: list[_Judged] = []
    refused: list[Refusal] = []
    findings: list[UploadFinding] = []
    for folder in folders:
        path = encodable(folder.relative_to(root).as_posix()) if folder != root else encodable(folder.name)
        try:
            run, why = _judge(folder, path, settings)
        except AssayError as error:
            refused.append(Refusal(path, _plain(error, root)))
            continue
        findings += _findings(run)
        if why:
            record = run.record
            codes = tuple(each.name for each in run.verdict.constraints if not each.met and each.scope == "loadgen")
            refused.append(Refusal(path, why, record.benchmark, record.scenario, codes))
            spoilt.append(run)
        else:
            judged.append(run)
    candidates: list[Candidate] = []
    for each in _joined(judged):
        performance = each.of(Mode.PERFORMANCE.value)
        if performance is None:
            (run,) = each.runs
            refused.append(Refusal(run.path, _alone(each, spoilt), run.record.benchmark, run.record.scenario))
            continue
        evidence = tuple(file for run in each.runs for file in of_run(run.folder, run.record.mode))
        row = _row(each, performance, organisation)
        candidates.append(Candidate(row, performance.path, performance.digest, evidence))
    return Examined(tuple(candidates), tuple(refused), gravest(findings), len(findings))


def _alone(each: _Joined, spoilt: Sequence[_Judged]) -> str:
    """Why an accuracy run has no performance run beside it."""
    for other in spoilt:
        if other.record.compliance:
            continue
        if other.record.mode == Mode.PERFORMANCE.value and belong_together(each.result, result_of(other.record)):
            return f"its performance run was refused: {other.path}"
    return "no performance run belongs to it: push both runs of the command, or the performance run alone"


def _judge(folder: Path, path: str, settings: Settings) -> tuple[_Judged, str]:
    """A run and its verdict, and why it cannot be taken; empty when it can.

    Raises:
        AssayError: when it is no run that can be judged.
    """
    record = RunRecord.from_dict(read_json(folder / RECORD_FILE, max_bytes=_MAX_RECORD), where=RECORD_FILE)
    _check(record)
    round_ = load_round(record.round)
    benchmark = round_.benchmark(record.benchmark)
    scenario, mode = _one_of(Scenario, record.scenario, "scenario"), _one_of(Mode, record.mode, "mode")
    if scenario not in benchmark.limits:
        raise InvalidInputError(f"{benchmark.name} has no {scenario.value} in {round_.name}", where=RECORD_FILE)
    digest = _whole(folder, record)
    log = read_detail(folder / DETAIL)
    _same_run(log, scenario, mode)
    verdict = judge(log, round_, benchmark, scenario, mode, record.deviations, test=record.compliance)
    labels = [*record.labels, *_own_labels(record, settings)]
    if mode is Mode.PERFORMANCE:
        asked = asked_of(log, scenario)
        labels += _labels_of_settings(weaker(asked, benchmark.limits[scenario]) if asked else ())
        _same_figure(record, folder, log, settings)
    record = replace(
        record, benchmark=benchmark.name, labels=tuple(dict.fromkeys(labels)), verdict=verdict, task=benchmark.task
    )
    run = _Judged(folder, path, record, verdict, digest)
    return run, _why_not(record, verdict)


def _check(record: RunRecord) -> None:
    """Refuse a record that no result can be made of."""
    if record.status is not RunStatus.FINISHED:
        raise InvalidInputError(f"the run is {record.status.value}, so it has no result", where=RECORD_FILE)
    _one_of(Category, record.category, "category")
    if record.division not in _DIVISIONS:
        raise InvalidInputError(
            "no division", where=f"{RECORD_FILE}: division", expected=", ".join(_DIVISIONS), found=record.division[:80]
        )
    words = {"id": record.id, "group": record.group, "model": record.model.name, "dataset": record.dataset.name}
    words |= {"precision": record.precision, "backend_name": record.backend_name, "command": record.command[:1]}
    for key, word in words.items():
        if len(word) > _LONGEST_NAME or not word.isprintable():
            raise InvalidInputError("no name", where=f"{RECORD_FILE}: {key}", found=repr(word[:80]))
    figures = [record.figures.value, *record.figures.accuracy.values(), record.figures.samples_per_second]
    if not all(each is None or math.isfinite(each) for each in figures):
        raise InvalidInputError("a figure is no number", where=f"{RECORD_FILE}: figures")


def _one_of(kind: Any, name: str, key: str) -> Any:
    try:
        return kind(name)
    except ValueError:
        expected = ", ".join(each.value for each in kind)
        raise InvalidInputError(
            f"no {key}", where=f"{RECORD_FILE}: {key}", expected=expected, found=repr(name[:80])
        ) from None


def _whole(folder: Path, record: RunRecord) -> str:
    """The SHA-256 of the detail log; every log that is there has to be the one that the record was written for.

    Raises:
        InvalidInputError: for a log that was changed since.
    """
    for name in LOG_FILES:
        path = folder / name
        if path.is_symlink():
            raise InvalidInputError("a link is no log", where=name)
        if path.is_file() and name in record.logs and sha256_file(path) != record.logs[name]:
            raise InvalidInputError("the log is not the one that the run wrote: its SHA-256 differs", where=name)
    if DETAIL not in record.logs:
        raise InvalidInputError("the record names no SHA-256 of its log", where=f"{RECORD_FILE}: logs.{DETAIL}")
    return sha256_file(folder / DETAIL)


def _same_run(log: DetailLog, scenario: Scenario, mode: Mode) -> None:
    """Refuse a log of another scenario or mode than the record says."""
    wanted = {"effective_scenario": (scenario.value,), "effective_test_mode": _LOGGED_MODES[mode]}
    for key, allowed in wanted.items():
        if (found := log.text(key)) not in allowed:
            raise InvalidInputError(
                "the log is of another run than the record",
                where=f"{DETAIL}: {key}",
                expected=" or ".join(allowed),
                found=repr(found)[:80],
            )


def _same_figure(record: RunRecord, folder: Path, log: DetailLog, settings: Settings) -> None:
    """Refuse a record whose figure is not that of its log."""
    round_ = load_round(record.round)
    facts = round_.scenarios[Scenario(record.scenario)]
    key = round_.benchmark(record.benchmark).figure(facts).result_field
    logged = log.number(key)
    if logged is None:
        raise InvalidInputError("the log has no figure", where=f"{DETAIL}: {key}")
    value, said = logged / facts.divide_by, record.figures.value
    if said is not None and not math.isclose(value, said, rel_tol=_CLOSE, abs_tol=_CLOSE):
        raise InvalidInputError(
            "the record's figure is not that of its log",
            where=f"{RECORD_FILE}: figures.value",
            expected=f"{value!r} ({key})",
            found=repr(said),
        )


def _own_labels(record: RunRecord, settings: Settings) -> Iterator[Label]:
    """Labels that follow from model and dataset, whatever the record says."""
    catalogue = load_catalogue(settings)
    for name, unknown in ((record.model.name, Label.CUSTOM_MODEL), (record.dataset.name, Label.CUSTOM_DATASET)):
        try:
            yield from (Label(each) for each in catalogue.get(name).labels)
        except AssayError:
            if name:
                yield unknown


def _labels_of_settings(deviations: Iterable[Any]) -> Iterator[Label]:
    """Labels that follow from settings that are weaker than the round's."""
    names = {each.name for each in deviations}
    if names & _SHORT:
        yield Label.SHORT_RUN
    if names - _SHORT - {"performance_sample_count"}:
        yield Label.RELAXED_RULES


def _why_not(record: RunRecord, verdict: Verdict) -> str:
    """Why a run cannot be taken; empty when it can."""
    if record.compliance:
        return f"the run is the compliance test {record.compliance}, whose figure is no result; push the plain run"
    if not verdict.valid:
        own = [each for each in verdict.constraints if not each.met and each.scope == "loadgen"]
        said = "; ".join(f"{each.name}: {each.measured}, {each.limit} asked" for each in own[:3])
        return f"the run is {verdict.word}: {said}" if said else f"the run is {verdict.word}"
    if record.division != "open" and (not verdict.accepted or record.labels):
        what = verdict.reasons[0] if verdict.reasons else ", ".join(each.value for each in record.labels)
        return f"the {record.division} division does not take the run: {what}; push it with --division open"
    return ""


def _findings(run: _Judged) -> Iterator[UploadFinding]:
    """What the verdict holds against a run."""
    for each in run.verdict.constraints:
        if each.met:
            continue
        own = each.scope == "loadgen"
        yield UploadFinding(
            code=each.name,
            title=f"{each.name} does not hold" if own else f"{run.record.round} would not take it: {each.name}",
            file=f"{run.path}/{DETAIL}",
            found=each.measured,
            expected=each.limit,
            fix=each.fix,
            detail=each.source,
            official="" if own else Level.IGNORE.value,
            strict=Level.REJECT.value if own else Level.WARN.value,
            result=run.path,
        )


def _joined(runs: Iterable[_Judged]) -> list[_Joined]:
    """Runs as results, the halves of one command together."""
    found: list[_Joined] = []
    for run in runs:
        new = result_of(run.record)
        for number, old in enumerate(found):
            same = old.of(run.record.mode)
            if new.group and same is None and belong_together(old.result, new):
                found[number] = _Joined(joined(old.result, new), (*old.runs, run))
                break
        else:
            found.append(_Joined(new, (run,)))
    return found


def _row(each: _Joined, performance: _Judged, organisation: str | None) -> Row:
    """The row of a result: what was run from its record, how it went from its log."""
    record = performance.record
    result = replace(each.result, system=replace(each.result.system, organisation=organisation or None))
    log = run_row(
        performance.folder,
        load_round(record.round),
        record.benchmark,
        division=record.division,
        organisation=organisation,
    )
    labels = list(result.labels)
    if not result.accuracy:
        labels.append(Label.NO_ACCURACY.value)
    own: Mapping[str, Any] = {name: getattr(log, name) for name in _FROM_LOG}
    return msgspec.structs.replace(
        flat(result, location=performance.path), **own, labels=tuple(dict.fromkeys(labels)), logs={}
    )


def _plain(error: AssayError, root: Path) -> str:
    """An error without the folder that the upload lies in, which is nobody's business."""
    return str(error).replace(f"{root.resolve()}/", "").replace(f"{root}/", "").replace(str(root), "")

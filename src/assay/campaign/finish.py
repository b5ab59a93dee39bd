"""After LoadGen has ended: score, judge, hash, and write the run's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.base.files import sha256_file, write_atomic
from assay.base.progress import Progress
from assay.errors import AssayError
from assay.harness.outcome import Ending, Outcome
from assay.harness.spec import RunSpec
from assay.harness.supply import open_dataset
from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import ACCURACY, DETAIL, LOG_FILES
from assay.loadgen.record import Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.loadgen.settings import LENGTH, Deviation, is_short
from assay.loadgen.tokens import token_figures
from assay.loadgen.verdict import duration_ns, judge
from assay.rules.model import Benchmark, Figure, Mode, Round, Scenario
from assay.tasks.protocol import Accuracy
from assay.tasks.registry import tasks

_PERCENTILES = {
    "p50": "50.00",
    "p90": "90.00",
    "p95": "95.00",
    "p97": "97.00",
    "p99": "99.00",
    "p99.9": "99.90",
}
_STATUS = {
    Ending.FINISHED: RunStatus.FINISHED,
    Ending.FAILED: RunStatus.FAILED,
    Ending.INTERRUPTED: RunStatus.INTERRUPTED,
}
ACCURACY_TEXT = "accuracy.txt"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over: its record and what the worker said."""

    record: RunRecord
    outcome: Outcome


def finish(
    record: RunRecord,
    folder: RunFolder,
    spec: RunSpec,
    outcome: Outcome,
    round_: Round,
    benchmark: Benchmark,
    progress: Progress,
) -> Finished:
    """Complete the record of a run and write it; also for a run that failed or was interrupted."""
    labels = record.labels + ((Label.SKIPPED_SAMPLES,) if outcome.skipped else ())
    record = replace(
        record,
        status=_STATUS[outcome.ending],
        failure=outcome.failure.what
        if outcome.failure
        else "interrupted by the user"
        if outcome.ending is Ending.INTERRUPTED
        else None,
        backend=outcome.backend,
        timings_s=outcome.timings_s,
        peak_memory=outcome.peak_memory,
        skipped=outcome.skipped,
        failed_queries=outcome.failed_queries,
        failed_samples=outcome.failed_samples,
        labels=tuple(dict.fromkeys(labels)),
        dataset=replace(record.dataset, count=outcome.samples or record.dataset.count),
        logs={name: sha256_file(folder.path / name) for name in LOG_FILES if (folder.path / name).is_file()},
    )
    if outcome.ending is Ending.FINISHED:
        try:
            record = _judged(record, folder, spec, round_, benchmark, outcome.figures, progress)
        except AssayError as error:
            folder.write(replace(record, status=RunStatus.FAILED, failure=str(error)))
            raise
    folder.write(record)
    return Finished(record, outcome)


def _judged(
    record: RunRecord,
    folder: RunFolder,
    spec: RunSpec,
    round_: Round,
    benchmark: Benchmark,
    measured: Mapping[str, float],
    progress: Progress,
) -> RunRecord:
    detail = read_detail(folder.path / DETAIL)
    verdict = judge(detail, round_, benchmark, spec.scenario, spec.mode, record.deviations, test=record.compliance)
    if spec.mode is Mode.PERFORMANCE:
        figures = performance_figures(detail, round_, spec.scenario, benchmark)
    else:
        figures = _accuracy_figures(score(folder.path, spec, progress))
    figures = replace(figures, measured=dict(measured))
    versions = {**record.versions, "loadgen": str(detail.values.get("loadgen_version", "unknown"))}
    return replace(record, verdict=verdict, figures=figures, versions=versions)


def score(folder: Path, spec: RunSpec, progress: Progress) -> Accuracy:
    """Score the accuracy log of a run and write ``accuracy.txt`` in the official form.

    Raises:
        InvalidInputError: when the log does not hold one usable response per sample.
    """
    assert spec.dataset is not None
    task = tasks().get(spec.task)
    dataset = open_dataset(spec, task, progress)
    log = folder / ACCURACY
    accuracy = task.score(log, dataset, spec.recipe)
    write_atomic(folder / ACCURACY_TEXT, f"{accuracy.text}\nhash={sha256_file(log)}\n")
    return accuracy


def performance_figures(
    detail: DetailLog, round_: Round, scenario: Scenario, benchmark: Benchmark | None = None
) -> Figures:
    """The official figure and the latencies of a performance run; the figure is the scenario's, or the benchmark's own."""
    facts = round_.scenarios[scenario]
    official = Figure(facts.result_field, facts.unit) if benchmark is None else benchmark.figure(facts)
    value = detail.number(official.result_field)
    # MultiStream's latency is that of a whole query; LoadGen names it apart.
    infix = (
        "_percentile_per_query_latency_ns"
        if "result_50.00_percentile_per_query_latency_ns" in detail.values
        else "_percentile_latency_ns"
    )
    latency: dict[str, float] = {}
    if scenario is not Scenario.OFFLINE:
        for name, digits in _PERCENTILES.items():
            found = detail.number(f"result_{digits}{infix}")
            if found is not None:
                latency[name] = found
        for name in ("mean", "min", "max"):
            found = detail.number(f"result_{name}_query_latency_ns") or detail.number(f"result_{name}_latency_ns")
            if found is not None:
                latency[name] = found
    lasted = duration_ns(detail, scenario)
    queries = detail.integer("result_query_count")
    # What was issued: with equal issue Offline's one query is filled up to whole sets, and its setting stays at 1.
    per_query = detail.integer("generated_samples_per_query") or detail.integer("effective_samples_per_query") or 1
    samples = queries * per_query if queries is not None else None
    return Figures(
        value=value / facts.divide_by if value is not None and not (value == 0 and facts.lower_is_better) else None,
        unit=official.unit,
        lower_is_better=facts.lower_is_better,
        samples_per_second=samples * 1e9 / lasted if samples and lasted else None,
        latency_ns=latency,
        queries=queries,
        samples=samples,
        duration_s=lasted / 1e9 if lasted else None,
        tokens=token_figures(detail),
    )


def _accuracy_figures(accuracy: Accuracy) -> Figures:
    return Figures(
        accuracy=dict(accuracy.metrics),
        accuracy_units=dict(accuracy.units),
        accuracy_details=dict(accuracy.details),
        samples_scored=accuracy.samples,
    )


def labels_for(names: tuple[str, ...], deviations: tuple[Deviation, ...]) -> tuple[Label, ...]:
    """Labels of an asset's own and of settings weaker than the round's."""
    found = [Label(name) for name in names]
    if is_short(deviations):
        found.append(Label.SHORT_RUN)
    if any(item.name not in LENGTH and item.name != "performance_sample_count" for item in deviations):
        found.append(Label.RELAXED_RULES)
    return tuple(dict.fromkeys(found))

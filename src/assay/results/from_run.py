"""Runs of this machine as results: the performance run and the accuracy run of one command become one row."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.results.model import (
    AccuracyMetric,
    Judgement,
    Method,
    Origin,
    Performance,
    Power,
    Result,
    SourceRun,
    System,
)
from assay.rules.load import load_round
from assay.rules.model import QualityTarget

# The target is that of the benchmark's own model on its own, whole dataset.
_TARGET_MEANS_NOTHING = frozenset(
    {
        Label.STAND_IN_MODEL, Label.SMALL_DATASET, Label.SYNTHETIC_WEIGHTS, Label.SYNTHETIC_DATA,
        Label.PARTIAL_DATASET, Label.SKIPPED_SAMPLES, Label.CUSTOM_DATASET,
    }
)  # fmt: skip
_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


def result_of(record: RunRecord) -> Result:
    """One finished run as a result.

    Raises:
        InvalidInputError: when the run has not finished, or is a compliance test.
    """
    if record.status is not RunStatus.FINISHED:
        raise InvalidInputError(
            f"the run is {record.status.value}, so it has no result",
            where=record.id,
            hint=f"assay runs show {record.id}",
        )
    if record.compliance:
        raise InvalidInputError(
            f"the run is the compliance test {record.compliance}, whose figure is no result",
            where=record.id,
            hint=f"the result is that of the run it was judged against: {', '.join(record.judged_against)}",
        )
    return Result(
        uid=uid_of(record.id),
        origin=Origin.LOCAL,
        method=Method.MEASURED,
        round=record.round,
        benchmark=record.benchmark,
        task=record.task,
        scenario=record.scenario,
        category=record.category,
        division=record.division,
        model=record.model.name,
        model_sha256=record.model.sha256,
        precision=record.precision,
        backend=record.backend_name,
        performance=_performance(record),
        accuracy=_accuracy(record),
        system=_system(record),
        labels=tuple(label.value for label in record.labels),
        versions=record.versions,
        sources=(_source(record),),
        group=record.group,
        power=_power(record),
    )


def uid_of(run_id: str) -> str:
    """The uid of the result that a run begins: 16 hex digits, the same every time."""
    return hashlib.sha256(f"assay-run:{run_id}".encode()).hexdigest()[:16]


def belong_together(one: Result, other: Result) -> bool:
    """Whether two results are halves of one: same command, same model on the same engine, different modes."""
    modes = {source.mode: source.run for source in one.sources}
    return _setup(one) == _setup(other) and all(
        modes.get(source.mode, source.run) == source.run for source in other.sources
    )


def _setup(result: Result) -> tuple[str | None, ...]:
    return (
        result.group, result.round, result.benchmark, result.scenario, result.category, result.division,
        result.model, result.model_sha256, result.precision, result.backend,
    )  # fmt: skip


def joined(old: Result, new: Result) -> Result:
    """A result with what a further run of the same command found, in place of what that run said before."""
    modes = {source.mode for source in new.sources}
    kept = tuple(source for source in old.sources if source.mode not in modes)
    sources = tuple(sorted((*kept, *new.sources), key=lambda source: source.mode, reverse=True))
    return replace(
        new,
        uid=old.uid,
        performance=new.performance if "performance" in modes else old.performance,
        accuracy=new.accuracy if "accuracy" in modes else old.accuracy,
        power=new.power if "performance" in modes else old.power,
        labels=tuple(dict.fromkeys(label for source in sources for label in source.labels)),
        versions={**old.versions, **new.versions},
        sources=sources,
    )


def results_of(records: list[RunRecord]) -> list[Result]:
    """Finished runs as results, halves of one command joined; in the order of the first run of each."""
    rows: list[Result] = []
    for record in records:
        if record.status is not RunStatus.FINISHED or record.compliance:
            continue
        new = result_of(record)
        for index, old in enumerate(rows):
            if belong_together(old, new):
                rows[index] = joined(old, new)
                break
        else:
            rows.append(new)
    return rows


def _performance(record: RunRecord) -> Performance | None:
    figures = record.figures
    if record.mode != "performance" or figures.unit is None:
        return None
    return Performance(
        value=figures.value,
        unit=figures.unit,
        lower_is_better=figures.lower_is_better,
        samples_per_second=figures.samples_per_second,
        samples=figures.samples,
        duration_s=figures.duration_s,
        latency_ns=figures.latency_ns,
    )


def _power(record: RunRecord) -> Power | None:
    found = record.power
    return None if found is None else Power(found.watts, found.figure, found.unit)


def _accuracy(record: RunRecord) -> tuple[AccuracyMetric, ...]:
    targets = {target.metric: target for target in quality_targets(record)}
    applies = not _TARGET_MEANS_NOTHING & set(record.labels)
    return tuple(
        _metric(name, value, record, targets.get(name), applies) for name, value in record.figures.accuracy.items()
    )


def _metric(name: str, value: float, record: RunRecord, target: QualityTarget | None, applies: bool) -> AccuracyMetric:
    met = None
    if target is not None and applies:
        met = value >= target.target and (target.upper_limit is None or value <= target.upper_limit)
    return AccuracyMetric(
        metric=name,
        value=value,
        unit=record.figures.accuracy_units.get(name, ""),
        target=target.target if target else None,
        met=met,
        samples=record.figures.samples_scored,
    )


def quality_targets(record: RunRecord) -> tuple[QualityTarget, ...]:
    """Quality targets of the run's benchmark; none when its round is not known here."""
    try:
        return load_round(record.round).benchmark(record.benchmark).quality
    except NotFoundError:
        return ()


def _system(record: RunRecord) -> System:
    host = record.host

    def text(key: str) -> str | None:
        value = host.get(key)
        return str(value) if value not in (None, "") else None

    def whole(key: str) -> int | None:
        value = host.get(key)
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    return System(
        processor=text("cpu"),
        cores=whole("cores"),
        nodes=1,
        memory_bytes=whole("memory_bytes"),
        operating_system=text("os"),
        framework=framework_of(record),
    )


def framework_of(record: RunRecord) -> str:
    """Engine and version, such as ``ONNX Runtime 1.22.0``, from what the engine said of itself."""
    said = record.backend
    name = said.get("name") or said.get("engine") or record.backend_name
    version = said.get("version") or record.versions.get(record.backend_name)
    return f"{name} {version}" if version and version not in name else name


def _source(record: RunRecord) -> SourceRun:
    verdict = record.verdict
    seeds = {name: int(record.settings[name]) for name in _SEEDS if name in record.settings}
    return SourceRun(
        mode=record.mode,
        run=record.id,
        created=record.created,
        labels=tuple(label.value for label in record.labels),
        logs=record.logs,
        seeds=seeds,
        command=record.command,
        dataset=record.dataset.name,
        dataset_sha256=record.dataset.sha256,
        dataset_samples=record.dataset.count,
        verdict=Judgement(verdict.valid, verdict.accepted, verdict.reasons) if verdict else None,
    )

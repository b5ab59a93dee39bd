"""What a request will do, before it does it: steps, downloads, minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, FetchPlan
from assay.backends.protocol import BackendOptions, ModelFormat, Precision
from assay.backends.registry import backends, check_options
from assay.base.processors import processor_count
from assay.base.settings import Settings
from assay.base.units import format_count, format_duration, format_size
from assay.campaign.companions import companions
from assay.campaign.formats import AUTO, check_fit, default_backend, is_remote
from assay.campaign.lengths import WholeSets, whole_sets_of
from assay.campaign.precision import resolve_precision
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject, resolve_category, resolve_subject
from assay.errors import InvalidInputError, UsageError
from assay.harness.parts import part_files
from assay.models.inspection import inspect_onnx
from assay.power.source import PowerSource
from assay.rules.load import load_round
from assay.rules.model import Category, Division, Mode, Scenario
from assay.tasks.registry import tasks

PROBE_S = 2.0
_READABLE_NS = 3 * 10**9
_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
_BATCH = {Scenario.SINGLE_STREAM: 1, Scenario.MULTI_STREAM: 8, Scenario.SERVER: 1, Scenario.OFFLINE: 8}


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One LoadGen execution to come.

    Attributes:
        batch_size: samples the engine gets at once, at most.
        duration_ns: shortest time it takes; 0 for an accuracy run, which ends with the samples.
        round_duration_ns: what the round asks.
        probe: whether the engine is measured first, because no target was given.
        streams: batches run side by side; one where the next query comes when the last is answered.
        sets: what equal issue makes of it.
    """

    scenario: Scenario
    mode: Mode
    category: Category
    batch_size: int
    duration_ns: int
    round_duration_ns: int
    probe: bool
    streams: int = 1
    sets: WholeSets | None = None

    def line(self) -> str:
        """The run for a person."""
        length = "every sample once" if self.mode is Mode.ACCURACY else f"at least {format_duration(self.duration_ns)}"
        length += f", {self.sets.line(self.scenario)}" if self.sets else ""
        probe = f", after a probe of {PROBE_S:.0f} s" if self.probe else ""
        return f"{self.scenario.value} {self.mode.value}: {length}, batches of up to {self.batch_size}{probe}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, resolved and checked, with what it will take.

    Attributes:
        precision: format that the runs are made in, the one asked for or the model's own.
        notes: options that have less effect than one may think.
        power: what measures the power of the performance runs.
    """

    request: RunRequest
    subject: Subject
    fetch: FetchPlan
    runs: tuple[PlannedRun, ...]
    precision: Precision = Precision.FP32
    notes: tuple[str, ...] = ()
    power: PowerSource | None = None

    @property
    def seconds(self) -> float:
        """Shortest time of all runs together, probes and the director's pauses included."""
        return sum(self._seconds(run) for run in self.runs)

    def _seconds(self, run: PlannedRun) -> float:
        once, probe = run.duration_ns / 1e9, PROBE_S if run.probe else 0.0
        if self.power is None or run.mode is Mode.ACCURACY or not self.power.session:
            return once + probe
        return 2 * once + self.power.pauses_s + probe

    def lines(self) -> list[str]:
        """The plan for a person."""
        subject, request = self.subject, self.request
        data = subject.dataset.name if subject.dataset else str(subject.dataset_path or "random inputs (speed only)")
        lines = [
            f"{subject.benchmark.name} of round {subject.round.name}: model {subject.model.name}, data {data}, "
            f"{request.backend} {self.precision.value}"
        ]
        if self.fetch.total_bytes:
            names = ", ".join(item.name for item in self.fetch.missing)
            lines.append(f"  fetch {names}: {format_size(self.fetch.total_bytes)}")
        lines += [f"  {run.line()}" for run in self.runs]
        lines += [f"  {self.power.line()}"] if self.power is not None else []
        if self.seconds:
            lines.append(f"  together at least {format_duration(self.seconds * 1e9)}")
        return lines + [f"  note: {note}" for note in self.notes]

    def to_dict(self) -> dict[str, object]:
        """The plan as one JSON document."""
        return {
            "round": self.subject.round.name,
            "benchmark": self.subject.benchmark.name,
            "model": self.subject.model.name,
            "dataset": self.subject.dataset.name if self.subject.dataset else None,
            "backend": self.request.backend,
            "precision": self.precision.value,
            "fetch": [item.name for item in self.fetch.missing],
            "fetch_bytes": self.fetch.total_bytes,
            "seconds": self.seconds,
            "runs": [
                {
                    "scenario": run.scenario.value,
                    "mode": run.mode.value,
                    "category": run.category.value,
                    "batch_size": run.batch_size,
                    "streams": run.streams,
                    "min_duration_s": run.duration_ns / 1e9,
                    "probe": run.probe,
                    "equal_issue": run.sets.to_dict() if run.sets else None,
                }
                for run in self.runs
            ],
            "notes": list(self.notes),
            "power": self.power.to_dict() if self.power is not None else None,
        }


def make_plan(request: RunRequest, settings: Settings) -> Plan:
    """Resolve a request and check everything that can be checked without doing it.

    Raises:
        NotFoundError: unknown round, benchmark, model, dataset or engine.
        UsageError: options that cannot hold together, a scenario the category does not have.
        MissingDependencyError: an engine that is not installed.
    """
    round_ = load_round(request.round)
    power = power_source(request)
    catalogue = load_catalogue(settings)
    subject = resolve_subject(request, round_, catalogue)
    check_division(request, subject)
    request = _with_engine(request, subject)
    engine = backends().get(request.backend)
    remote = is_remote(engine)
    precision, remarks = resolve_precision(request, subject, engine)
    _check_engine(request, precision)
    if subject.model_file is not None and not remote:
        _check_own_model(subject, subject.model_file)
    if Mode.ACCURACY in request.modes and subject.synthetic:
        raise UsageError(
            "there is no dataset, so accuracy means nothing"
            if subject.model_file
            else f"{subject.model.name} has no trained weights, so accuracy means nothing",
            hint="give a dataset: --dataset FOLDER"
            if subject.model_file
            else "leave out --mode accuracy, or take a trained model: assay run mobilenet-v2 --mode accuracy",
        )
    names = [] if subject.model_file or remote else [subject.model.name]
    names += [subject.dataset.name] if subject.dataset else []
    names += companions(subject).values()
    runs = tuple(
        planned_run(request, subject, scenario, mode) for mode in request.modes for scenario in request.scenarios
    )
    if request.batch_wait_ns:
        _check_wait(runs)
    fetch = AssetStore(settings, catalogue).plan(names)
    return Plan(request, subject, fetch, runs, precision, (*remarks, *_notes(request, runs)), power)


def power_source(request: RunRequest) -> PowerSource | None:
    """What measures the power, seen to be there as far as that can be seen now; None where it is not asked for.

    Raises:
        AssayError: saying what is wrong with it.
    """
    if request.power is None:
        return None
    source = PowerSource.parse(request.power, request.power_ntp, request.power_official)
    source.check()
    return source


def _notes(request: RunRequest, runs: tuple[PlannedRun, ...]) -> Iterator[str]:
    """What is done as asked and hardly meant so."""
    asked = request.batch_size or 0
    for scenario, size in {run.scenario: run.batch_size for run in runs}.items():
        if size < asked:
            samples = "1 sample" if size == 1 else f"{size} samples"
            yield f"a query of {scenario.value} has {samples}, so --batch-size {asked} makes no difference there"
    alone = [run.scenario.value for run in runs if run.scenario in _STREAMS]
    if request.streams > 1 and alone:
        names = " and ".join(dict.fromkeys(alone))
        yield f"one query at a time ({names}) keeps one stream busy: one is used there in place of {request.streams}"
    if request.power is not None and any(0 < run.duration_ns < _READABLE_NS for run in runs):
        yield "power is read once a second: a run of less than 3 s may end without a reading"
    threads, processors = request.threads * max(run.streams for run in runs), processor_count()
    if threads > processors:
        yield f"{format_count(threads)} compute threads on {format_count(processors)} processors are in each other's way"


def planned_run(request: RunRequest, subject: Subject, scenario: Scenario, mode: Mode) -> PlannedRun:
    """The run of a scenario and a mode, as the request and the round's limits have it."""
    limits = subject.benchmark.limits[scenario]
    wanted = request.wanted_duration_ns
    duration = 0 if mode is Mode.ACCURACY else limits.min_duration_ns if wanted is None else wanted
    given = request.target_latency_ns if scenario in _STREAMS else request.target_qps
    batch = request.batch_size or _BATCH[scenario]
    if scenario in _STREAMS and limits.samples_per_query is not None:
        # A query is answered before the next one comes: no batch is larger.
        batch = min(batch, limits.samples_per_query)
    return PlannedRun(
        scenario=scenario,
        mode=mode,
        category=resolve_category(subject, request.category, scenario),
        batch_size=batch,
        duration_ns=duration,
        round_duration_ns=limits.min_duration_ns,
        probe=mode is Mode.PERFORMANCE and given is None,
        streams=1 if scenario in _STREAMS else request.streams,
        sets=whole_sets_of(request, subject, scenario, mode),
    )


def check_division(request: RunRequest, subject: Subject) -> None:
    """The closed and network divisions take the benchmark's own model and dataset only (inference_rules, Divisions)."""
    if request.division is Division.OPEN:
        return
    own = [str(path) for path in (subject.model_file, subject.dataset_path) if path]
    foreign = own or [asset.name for asset in (subject.model, subject.dataset) if asset and asset.labels]
    if foreign:
        raise UsageError(
            f"the {request.division.value} division takes the model and dataset of {subject.benchmark.name} only",
            found=", ".join(foreign),
            hint=f"--division open, or the official ones: assay run {subject.benchmark.name}",
        )


def _check_wait(runs: tuple[PlannedRun, ...]) -> None:
    """A query waits for others to fill its batch; one sample fills a batch of one."""
    if all(run.batch_size == 1 for run in runs if run.scenario is Scenario.SERVER):
        raise UsageError(
            "--batch-wait means nothing with batches of one sample", hint="give the batches a size: --batch-size 8"
        )


def _with_engine(request: RunRequest, subject: Subject) -> RunRequest:
    """The request with its engine named, one that reads the model."""
    if request.name.casefold() == subject.model.name == subject.benchmark.task and request.model is None:
        named = request.backend != AUTO
        if not named or not is_remote(backends().get(request.backend)):
            raise UsageError(
                f"{request.name} is a task, so it takes a model of yours",
                expected="--model FILE",
                hint=f"assay run {request.name} --model my.onnx --dataset FOLDER, or a model of the list: "
                f"assay assets list --kind model --task {subject.benchmark.task}",
            )
    if request.backend == AUTO:
        return request.model_copy(update={"backend": default_backend(subject.format, subject.benchmark.task)})
    check_fit(backends().get(request.backend), subject.format)
    return request


def _check_own_model(subject: Subject, model: Path) -> None:
    """Check inputs and outputs of the user's own model against the task; only ONNX tells them without an engine."""
    task = tasks().get(subject.benchmark.task)
    files = part_files(model, task.parts(subject.recipe))
    if subject.format is not ModelFormat.ONNX:
        return
    for name, path in files.items():
        inputs, outputs = inspect_onnx(path)
        try:
            task.check_model(inputs, outputs, subject.recipe, part=name)
        except InvalidInputError as error:
            error.where = error.where or str(path)
            raise


def _check_engine(request: RunRequest, precision: Precision) -> None:
    """Refuse what the engine cannot do on this machine, before anything is fetched."""
    engine = backends().get(request.backend)
    able = engine.capabilities()
    if precision not in able.precisions and precision is not Precision.FP32:
        formats = ", ".join(p.value for p in able.precisions)
        raise UsageError(
            f"{engine.title} has no {precision.value} on this machine",
            expected=f"one of {formats}",
            hint="assay backends shows what each engine supports here",
        )
    options = BackendOptions(request.threads, request.streams, precision, request.backend_options)
    check_options(request.backend, engine, options)

"""Carries a plan out: fetch, probe, run, score, judge, record. Each run is whole on disk before the next begins."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from assay import __version__
from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import NO_FILE, BackendOptions, ModelFormat, Precision
from assay.backends.registry import backends
from assay.base.files import machine_errors
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings, load_settings
from assay.base.units import exact_duration
from assay.campaign.companions import complete_recipe
from assay.campaign.finish import Finished, finish, labels_for
from assay.campaign.formats import is_remote
from assay.campaign.lengths import settings_of, unhurried
from assay.campaign.material import (
    Material,
    count_samples,
    dataset_on_disk,
    described_data,
    model_on_disk,
    sample_limit,
)
from assay.campaign.plan import PROBE_S, Plan, PlannedRun, make_plan
from assay.campaign.power import with_power
from assay.campaign.quantised import calibrates, quantised_model
from assay.campaign.recipes import recipe_words
from assay.campaign.request import RunRequest
from assay.campaign.slabs import slabbed_model
from assay.campaign.targets import targets_from
from assay.campaign.turns import in_turn, kept_if_it_breaks, require_room
from assay.harness.outcome import Ending, Outcome, Probe
from assay.harness.run import execute
from assay.harness.spec import RunSpec
from assay.loadgen.record import Artefact, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.settings import LoadgenSettings, Overrides, deviations
from assay.rules.model import Mode, Scenario
from assay.system.summary import host_facts
from assay.tasks.registry import tasks

_LIBRARIES = (
    "mlcommons-loadgen",
    "numpy",
    "onnx",
    "onnxruntime",
    "openvino",
    "opencv-python-headless",
    "pillow",
)


def run(request: RunRequest, *, settings: Settings | None = None, progress: Progress = SILENT) -> list[RunRecord]:
    """Plan a request and carry it out; the record of every run, in order.

    Args:
        request: what to run.
        settings: where things are kept; from the environment unless given.
        progress: told while it goes on.

    Raises:
        AssayError: what is wrong with the request, or with a run.
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    settings = settings or load_settings()
    return carry_out(make_plan(request, settings), settings, progress)


def carry_out(plan: Plan, settings: Settings, progress: Progress) -> list[RunRecord]:
    """Carry a plan out; returns the record of every run, in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    require_room(settings)
    material = gather(plan, settings, progress)

    def one(planned: PlannedRun, group: str) -> Finished:
        probe = probe_engine(plan, planned, material, settings, progress).probe if planned.probe else None
        return _run_one(plan, planned, material, settings, progress, probe=probe, group=group)

    return in_turn(plan.runs, one, settings)


def gather(plan: Plan, settings: Settings, progress: Progress) -> Material:
    """Get model and dataset onto this machine.

    Raises:
        NotFoundError: what cannot be had, and how to get it.
        InvalidInputError: what was had and is wrong.
    """
    subject, request = plan.subject, plan.request
    catalogue = load_catalogue(settings)
    store = AssetStore(settings, catalogue)
    # The dataset first: when only the user can get it, nothing should be downloaded before saying so.
    data = dataset_on_disk(subject.dataset, store, progress) if subject.dataset else None
    recipe = complete_recipe(subject, store, progress)
    labels = list(subject.model.labels if subject.model_file is None else ())
    if is_remote(backends().get(request.backend)):
        model, info = NO_FILE, Artefact(subject.model.name, None)
        labels.append(Label.REMOTE_MODEL.value)
    else:
        model, info = model_on_disk(subject, store, progress)
        labels += [Label.CUSTOM_MODEL.value] if subject.model_file is not None else []
    described = described_data(subject, data)
    path = described.path if described else None
    if plan.precision is Precision.INT8 and model != NO_FILE and subject.format is ModelFormat.ONNX:
        quantised = quantised_model(model, info, subject, recipe, path, store, settings, progress)
        if quantised != model and path is not None and calibrates(model, subject, recipe):
            labels.append(Label.CALIBRATED_ON_EVALUATION.value)
        model = quantised
    if model != NO_FILE:
        model = slabbed_model(plan, model, info, recipe, store, progress)
    labels += described.labels if described else (Label.SYNTHETIC_DATA.value,)
    loaded = subject.benchmark.limits[Scenario.OFFLINE].performance_sample_count
    dataset = described.info if described else Artefact("synthetic", None, loaded)
    count = count_samples(path, dataset, model, recipe, plan, settings, progress)
    return Material(model, info, path, dataset, count, tuple(labels), recipe)


def probe_engine(
    plan: Plan, planned: PlannedRun, material: Material, settings: Settings, progress: Progress
) -> Outcome:
    """Measure the engine in a worker process of its own, in a folder that is removed afterwards.

    Raises:
        AssayError: when the engine cannot be driven so.
        KeyboardInterrupt: after the worker has been stopped.
    """
    folder = settings.cache_dir / "probe" / RunCatalogue(settings.runs_dir).new_group()
    with machine_errors(folder):
        folder.mkdir(parents=True)
    try:
        spec = run_spec(
            plan,
            planned,
            material,
            settings,
            loadgen_settings(plan, planned, material, unhurried(planned.scenario)),
            probe_s=PROBE_S,
        )
        outcome = execute(spec, folder, label=f"{planned.scenario.value}: probe", progress=progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if outcome.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.failure is not None:
        raise outcome.failure.error()
    assert outcome.probe is not None
    return outcome


def loadgen_settings(plan: Plan, planned: PlannedRun, material: Material, found: Overrides) -> LoadgenSettings:
    """LoadGen's settings: what the user asked, then what the probe found, then the round's."""
    return settings_of(plan.request, plan.subject, planned.scenario, planned.mode, material.samples, found)


def _run_one(
    plan: Plan,
    planned: PlannedRun,
    material: Material,
    settings: Settings,
    progress: Progress,
    *,
    probe: Probe | None,
    group: str,
) -> Finished:
    subject = plan.subject
    found = targets_from(probe, planned.scenario, subject.benchmark.limits[planned.scenario]) if probe else Overrides()
    resolved = loadgen_settings(plan, planned, material, found)
    spec = run_spec(plan, planned, material, settings, resolved)
    record = first_record(plan, planned, material, settings, resolved, group)
    folder = RunCatalogue(settings.runs_dir).create(record)
    label = f"{planned.scenario.value} {planned.mode.value}"
    power = plan.power if planned.mode is Mode.PERFORMANCE else None

    def load(place: Path, note: str) -> Outcome:
        return execute(spec, place, label=label + note, progress=progress)

    done = kept_if_it_breaks(record, folder, lambda: with_power(power, load, folder.path, subject.round, progress))
    return finish(done.noted(record), folder, spec, done.outcome, subject.round, subject.benchmark, progress)


def run_spec(
    plan: Plan,
    planned: PlannedRun,
    material: Material,
    settings: Settings,
    resolved: LoadgenSettings,
    *,
    probe_s: float = 0.0,
) -> RunSpec:
    """The orders of a run, or of a probe; another program's run is scored and judged by them, too."""
    request, subject = plan.request, plan.subject
    return RunSpec(
        scenario=planned.scenario,
        mode=planned.mode,
        task=subject.benchmark.task,
        recipe=material.recipe,
        model=material.model,
        backend=request.backend,
        options=BackendOptions(request.threads, planned.streams, plan.precision, request.backend_options),
        dataset=material.dataset,
        cache=settings.cache_dir,
        batch_size=planned.batch_size,
        conf_model=resolved.conf_model,
        user_conf=resolved.user_conf(),
        attributes=resolved.attributes(),
        dataset_count=material.samples if material.dataset is None else 0,
        sample_limit=sample_limit(plan),
        skip_bad=request.skip_bad,
        max_batch_work=tasks().get(subject.benchmark.task).batch_work(subject.recipe, planned.batch_size),
        batch_wait_us=(request.batch_wait_ns or 0) // 1000,
        trace=request.trace and planned.mode is Mode.PERFORMANCE,
        probe_s=probe_s,
    )


def first_record(
    plan: Plan,
    planned: PlannedRun,
    material: Material,
    settings: Settings,
    resolved: LoadgenSettings,
    group: str,
) -> RunRecord:
    """What is known of a run before it begins."""
    request, subject = plan.request, plan.subject
    weaker = deviations(resolved, subject.benchmark)
    labels = labels_for(material.labels, weaker)
    if sample_limit(plan):
        labels += (Label.PARTIAL_DATASET,)
    return RunRecord(
        id=RunCatalogue(settings.runs_dir).new_id(subject.model.name, planned.scenario.value, planned.mode.value),
        group=group,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        status=RunStatus.RUNNING,
        round=subject.round.name,
        benchmark=subject.benchmark.name,
        task=subject.benchmark.task,
        scenario=planned.scenario.value,
        mode=planned.mode.value,
        category=planned.category.value,
        division=request.division.value,
        model=material.model_info,
        dataset=replace(material.dataset_info, count=material.samples),
        backend_name=request.backend,
        precision=plan.precision.value,
        batch_size=planned.batch_size,
        streams=planned.streams,
        threads=request.threads,
        command=command_of(plan, planned, resolved),
        labels=labels,
        deviations=weaker,
        settings=resolved.attributes(),
        versions=versions(),
        host=host_facts(),
    )


def command_of(plan: Plan, planned: PlannedRun, resolved: LoadgenSettings) -> str:
    """The command that runs this again with the same targets, the probed ones included."""
    request = plan.request
    words = ["assay", "run", request.name, "--scenario", planned.scenario.value, "--mode", planned.mode.value]
    words += ["--round", request.round, "--backend", request.backend, "--precision", plan.precision.value]
    words += ["--batch-size", str(planned.batch_size), "--streams", str(planned.streams)]
    for option, value in (
        ("--threads", request.threads),
        ("--model", request.model),
        ("--dataset", request.dataset),
        ("--samples", request.samples),
    ):
        if value:
            words += [option, str(value)]
    if request.batch_wait_ns and planned.scenario is Scenario.SERVER:
        words += ["--batch-wait", exact_duration(request.batch_wait_ns)]
    words += recipe_words(request.recipe)
    for key, value in request.backend_options.items():
        words += ["--backend-option", f"{key}={value}"]
    if planned.mode is Mode.PERFORMANCE:
        words += _target_words(planned.scenario, resolved)
        words += ["--quick"] if request.quick else []
        words += ["--duration", exact_duration(request.duration_ns)] if request.duration_ns is not None else []
        words += request.power_words
    return shlex.join(words + (["--skip-bad"] if request.skip_bad else []))


def _target_words(scenario: Scenario, resolved: LoadgenSettings) -> list[str]:
    words = ["--target-qps", f"{resolved.expected_qps:.6g}"] if scenario in (Scenario.OFFLINE, Scenario.SERVER) else []
    return words + (
        ["--target-latency", exact_duration(resolved.target_latency_ns)] if scenario is not Scenario.OFFLINE else []
    )


def versions() -> dict[str, str]:
    """Versions of assay and of the libraries that a figure depends on."""
    found = {"assay": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

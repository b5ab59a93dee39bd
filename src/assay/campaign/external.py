"""Runs of a program that is not assay's: planned like ours, started from its manifest, taken in from LoadGen's logs."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay import __version__
from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, content_hash, quick_identity
from assay.backends.protocol import NO_FILE, BackendOptions
from assay.base.files import require_space, sha256_file, write_atomic, write_json
from assay.base.processors import processor_count
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.companions import complete_recipe
from assay.campaign.execute import (
    Material,
    count_samples,
    dataset_on_disk,
    first_record,
    loadgen_settings,
    sample_limit,
)
from assay.campaign.external_plan import ExternalPlan, command_of
from assay.campaign.finish import Finished, finish
from assay.campaign.plan import Plan, PlannedRun
from assay.campaign.power import with_power
from assay.campaign.told import as_logged
from assay.cm import git
from assay.errors import AssayError
from assay.harness.external.command import Chosen, Invocation
from assay.harness.external.process import execute_foreign
from assay.harness.outcome import Ending, Outcome
from assay.harness.spec import USER_CONF, RunSpec
from assay.loadgen.conf import round_conf, run_conf
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Artefact, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.settings import LoadgenSettings, Overrides
from assay.models.build import materialise
from assay.results.record import record_run
from assay.rules.model import Mode, Scenario

MLPERF_CONF = "mlperf.conf"
INVOCATION_FILE = "invocation.json"
OUTPUT_FOLDER = "implementation"
_SPACE = 64 << 20
_NS_PER_MS = 1_000_000


def carry_out_external(external: ExternalPlan, settings: Settings, progress: Progress) -> list[RunRecord]:
    """Carry an external plan out; returns the record of every run, in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    require_space(settings.runs_dir, _SPACE)
    material = _material(external, settings, progress)
    group = RunCatalogue(settings.runs_dir).new_group()
    records: list[RunRecord] = []
    for planned in external.plan.runs:
        finished = _run_one(external, planned, material, settings, progress, group)
        records.append(finished.record)
        if finished.outcome.ending is Ending.INTERRUPTED:
            raise KeyboardInterrupt
        if finished.outcome.failure is not None:
            raise finished.outcome.failure.error()
        record_run(settings.runs_dir / finished.record.id, settings)
    return records


def _material(external: ExternalPlan, settings: Settings, progress: Progress) -> Material:
    """What the program is given, on this machine; and names for what it has of its own."""
    plan, subject = external.plan, external.plan.subject
    store = AssetStore(settings, load_catalogue(settings))
    data = dataset_on_disk(subject.dataset, store, progress) if subject.dataset and external.sees_data else None
    labels = list(subject.model.labels if subject.model_file is None else ())
    recipe = complete_recipe(subject, store, progress) if external.sees_data else subject.recipe
    if not (external.sees_model and external.sees_data):
        labels.append(Label.UNSEEN_MATERIAL.value)
    model, info = _model(external, store, progress)
    if subject.model_file is not None:
        labels.append(Label.CUSTOM_MODEL.value)
    path = data.path if data else subject.dataset_path
    if subject.dataset is not None and data is not None:
        labels += (*subject.dataset.labels, *data.labels)
        dataset = Artefact(subject.dataset.name, data.sha256, data.samples or subject.dataset.count)
    elif path is not None:
        labels.append(Label.CUSTOM_DATASET.value)
        dataset = Artefact(str(path), quick_identity(path) if path.is_dir() else content_hash(path))
    else:
        # Whatever the program loads: nothing is set over the round's count.
        own = subject.dataset.name if subject.dataset else f"of {external.chosen.implementation.name}"
        dataset = Artefact(own, None, subject.benchmark.limits[Scenario.OFFLINE].performance_sample_count)
    # The program prepares its samples itself: ours are opened only where nothing else says how many there are.
    counted = data is not None and dataset.count > 0
    count = dataset.count if counted else count_samples(path, dataset, model, recipe, plan, settings, progress)
    return Material(model, info, path, dataset, count, tuple(dict.fromkeys(labels)), recipe)


def _model(external: ExternalPlan, store: AssetStore, progress: Progress) -> tuple[Path, Artefact]:
    subject = external.plan.subject
    if subject.model_file is not None:
        return subject.model_file, Artefact(str(subject.model_file), content_hash(subject.model_file))
    if not external.sees_model:
        return NO_FILE, Artefact(subject.model.name, None)
    located = materialise(store, subject.model, progress=progress)
    return located.path, Artefact(subject.model.name, located.sha256)


def _run_one(
    external: ExternalPlan,
    planned: PlannedRun,
    material: Material,
    settings: Settings,
    progress: Progress,
    group: str,
) -> Finished:
    plan, subject = external.plan, external.plan.subject
    resolved = loadgen_settings(plan, planned, material, Overrides())
    record = replace(
        first_record(plan, planned, material, settings, resolved, group),
        command=command_of(external, planned),
        versions={"assay": __version__},
    )
    # The words before the folder: what cannot be said must leave no run behind.
    path = settings.runs_dir / record.id
    invocation = _invocation(external, planned, material, resolved, path)
    described = _described(external.chosen, invocation)
    record = replace(record, backend=described)
    folder = RunCatalogue(settings.runs_dir).create(record)
    write_json(path / INVOCATION_FILE, _kept(external, invocation))

    def load(place: Path, note: str) -> Outcome:
        write_atomic(place / USER_CONF, run_conf(resolved))
        write_atomic(place / MLPERF_CONF, round_conf(subject.round, subject.benchmark, planned.scenario))
        here = _invocation(external, planned, material, resolved, place)
        label = f"{planned.scenario.value} {planned.mode.value}{note}"
        return execute_foreign(here, place, label=label, progress=progress)

    power = plan.power if planned.mode is Mode.PERFORMANCE else None
    try:
        done = with_power(power, load, path, subject.round, progress)
        outcome = replace(done.outcome, backend=described)
        if outcome.ending is Ending.FINISHED:
            record = done.noted(as_logged(record, read_detail(path / DETAIL), subject.benchmark, material.labels))
    except AssayError as error:
        folder.write(replace(record, status=RunStatus.FAILED, failure=str(error)))
        raise
    except BaseException:
        folder.write(replace(record, status=RunStatus.FAILED, failure="the run could not be started"))
        raise
    spec = _spec(plan, planned, material, settings, resolved)
    # What a compliance test, which makes the run again, scores with.
    spec.write(path)
    return finish(record, RunFolder(path), spec, outcome, subject.round, subject.benchmark, progress)


def _invocation(
    external: ExternalPlan, planned: PlannedRun, material: Material, resolved: LoadgenSettings, path: Path
) -> Invocation:
    request = external.plan.request
    accuracy = planned.mode is Mode.ACCURACY
    given = {
        "target_qps": request.target_qps and not accuracy,
        "target_latency": request.target_latency_ns and not accuracy,
        "duration": request.wanted_duration_ns is not None and not accuracy,
        "samples": request.samples and not accuracy,
        "sample_limit": request.samples and accuracy,
        "batch_size": request.batch_size,
        "threads": request.threads,
        "streams": request.streams > 1,
        "precision": request.precision,
    }
    values = _values(external, planned, material, resolved)
    values |= {
        "user_conf": str(path / USER_CONF),
        "mlperf_conf": str(path / MLPERF_CONF),
    }
    known = frozenset(name for name, value in given.items() if value)
    return external.chosen.invocation(
        planned.scenario, planned.mode, values, known, path / OUTPUT_FOLDER, external.external.time_limit_ns
    )


def _values(
    external: ExternalPlan, planned: PlannedRun, material: Material, resolved: LoadgenSettings
) -> dict[str, str]:
    plan, request = external.plan, external.plan.request
    values = {
        "round": plan.subject.round.name,
        "benchmark": plan.subject.benchmark.name,
        "conf_model": resolved.conf_model,
        "target_qps": f"{resolved.expected_qps:.10g}",
        "target_latency_ms": f"{resolved.target_latency_ns / _NS_PER_MS:.10g}",
        "duration_ms": str(resolved.min_duration_ms),
        "duration_s": str(-(-resolved.min_duration_ms // 1000)),
        "samples": str(resolved.min_query_count),
        "sample_limit": str(sample_limit(plan) or material.samples),
        "batch_size": str(planned.batch_size),
        "threads": str(request.threads or processor_count()),
        "streams": str(planned.streams),
        "precision": plan.precision.value,
        "qsl_rng_seed": str(resolved.qsl_rng_seed),
        "sample_index_rng_seed": str(resolved.sample_index_rng_seed),
        "schedule_rng_seed": str(resolved.schedule_rng_seed),
    }
    if material.model != NO_FILE:
        values["model"] = str(material.model)
    if material.dataset is not None:
        values["dataset"] = str(material.dataset)
    return values


def _described(chosen: Chosen, invocation: Invocation) -> dict[str, str]:
    """The program in the place where an engine describes itself."""
    of, revision = chosen.implementation, ""
    # Without git nothing is known of its revision, and the run is none the worse.
    with contextlib.suppress(AssayError):
        revision = git.head(chosen.root) if (chosen.root / ".git").exists() else ""
    described = {
        "name": of.title,
        "implementation": of.name,
        "manifest_sha256": sha256_file(of.path),
        "command": shlex.join(invocation.command),
        "folder": str(invocation.folder),
    }
    return (
        described | ({"revision": revision} if revision else {}) | ({"container": of.container} if of.container else {})
    )


def _kept(external: ExternalPlan, invocation: Invocation) -> dict[str, Any]:
    """What was started, for whoever wants to start it again by hand."""
    return {
        "implementation": external.chosen.implementation.name,
        "manifest": str(external.chosen.implementation.path),
        "command": list(invocation.command),
        "folder": str(invocation.folder),
        "environment": dict(invocation.environment),
        "logs": str(invocation.logs),
    }


def _spec(
    plan: Plan, planned: PlannedRun, material: Material, settings: Settings, resolved: LoadgenSettings
) -> RunSpec:
    """The run as scoring and judging want it; no engine of ours is ever opened with it."""
    request, subject = plan.request, plan.subject
    return RunSpec(
        scenario=planned.scenario,
        mode=planned.mode,
        task=subject.benchmark.task,
        recipe=material.recipe,
        model=material.model,
        backend=request.backend,
        options=BackendOptions(request.threads, planned.streams, plan.precision, {}),
        dataset=material.dataset,
        cache=settings.cache_dir,
        batch_size=planned.batch_size,
        conf_model=resolved.conf_model,
        user_conf=run_conf(resolved),
        attributes=resolved.attributes(),
        sample_limit=sample_limit(plan),
        skip_bad=request.skip_bad,
    )

"""What another program is told of a run, and what the run's record says of the program."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.backends.protocol import NO_FILE
from assay.base.files import sha256_file
from assay.base.processors import processor_count
from assay.campaign.external_plan import RATED, ExternalPlan
from assay.campaign.material import Material, sample_limit
from assay.campaign.plan import PlannedRun
from assay.cm import git
from assay.errors import AssayError
from assay.harness.external.command import Chosen, Invocation
from assay.harness.external.container import contained, image_id
from assay.harness.spec import USER_CONF
from assay.loadgen.settings import LoadgenSettings
from assay.rules.model import Mode, Scenario

MLPERF_CONF = "mlperf.conf"
OUTPUT_FOLDER = "implementation"
_NS_PER_MS = 1_000_000
_TARGETS = frozenset({"target_qps", "target_latency"})


def invocation_of(
    external: ExternalPlan,
    planned: PlannedRun,
    material: Material,
    resolved: LoadgenSettings,
    place: Path,
    *,
    more: frozenset[str] = frozenset(),
) -> Invocation:
    """The words that start a run, in its container where it has one.

    Args:
        external: which program.
        planned: the run.
        material: what it runs on.
        resolved: LoadGen's settings, which its files hold.
        place: folder of these files, and of what the program writes.
        more: settings that are passed on although the user gave none, because they were found.

    Raises:
        UsageError: for something that the program has to be told and nobody knows.
    """
    values = _values(external, planned, material, resolved, place)
    mode, scenario = resolved.mode, resolved.scenario
    given = (_given(external, resolved) | more) - _idle(mode, scenario)
    output = place / OUTPUT_FOLDER
    limit = external.external.time_limit_ns
    found = external.chosen.invocation(scenario, mode, values, given, output, limit)
    if external.runtime is None:
        return found
    return contained(found, external.chosen, external.runtime, {**values, "output": str(output)})


def _given(external: ExternalPlan, resolved: LoadgenSettings) -> frozenset[str]:
    """Settings that the user gave."""
    request, accuracy = external.plan.request, resolved.mode is Mode.ACCURACY
    given = {
        "target_qps": request.target_qps,
        "target_latency": request.target_latency_ns,
        "duration": request.wanted_duration_ns is not None,
        "samples": request.samples and not accuracy,
        "sample_limit": request.samples and accuracy,
        "batch_size": request.batch_size,
        "threads": request.threads,
        "streams": request.streams > 1,
        "precision": request.precision,
    }
    return frozenset(name for name, value in given.items() if value)


def _idle(mode: Mode, scenario: Scenario) -> frozenset[str]:
    """Settings that mean nothing in a mode and a scenario."""
    if mode is Mode.ACCURACY:
        return _TARGETS | {"duration", "samples"}
    if scenario is Scenario.SERVER:
        return frozenset()
    return _TARGETS - {"target_qps" if scenario in RATED else "target_latency"}


def _values(
    external: ExternalPlan, planned: PlannedRun, material: Material, resolved: LoadgenSettings, place: Path
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
        "user_conf": str(place / USER_CONF),
        "mlperf_conf": str(place / MLPERF_CONF),
    }
    if material.model != NO_FILE:
        values["model"] = str(material.model)
    if material.dataset is not None:
        values["dataset"] = str(material.dataset)
    return values


def described(external: ExternalPlan, invocation: Invocation) -> dict[str, str]:
    """The program in the place where an engine describes itself."""
    chosen = external.chosen
    of = chosen.implementation
    facts = {
        "name": of.title,
        "implementation": of.name,
        "source": of.source,
        "revision": revision_of(chosen),
        "manifest_sha256": sha256_file(of.path),
        "options": shlex.join(f"{name}={word}" for name, word in chosen.words.items()),
        "command": shlex.join(invocation.command),
        "folder": str(invocation.folder),
    }
    if external.runtime is not None and of.container is not None:
        facts["container"] = f"{of.container.image} by {external.runtime.name}"
        facts["image"] = image_id(of.container, external.runtime)
    return {name: text for name, text in facts.items() if text}


def revision_of(chosen: Chosen) -> str:
    """The commit of a program's folder; empty where that is not known, which no run is the worse for."""
    with contextlib.suppress(AssayError):
        return git.head(chosen.root) if (chosen.root / ".git").exists() else ""
    return ""


def kept(external: ExternalPlan, material: Material, invocation: Invocation) -> dict[str, Any]:
    """What was started, for whoever wants to start it again by hand."""
    given: Mapping[str, Path | None] = {
        "model": material.model if material.model != NO_FILE else None,
        "dataset": material.dataset,
    }
    return {
        "implementation": external.chosen.implementation.name,
        "manifest": str(external.chosen.implementation.path),
        "command": list(invocation.command),
        "folder": str(invocation.folder),
        "environment": dict(invocation.environment),
        "logs": str(invocation.logs),
        "afterwards": list(invocation.afterwards),
        **{name: str(path) for name, path in given.items() if path is not None},
    }

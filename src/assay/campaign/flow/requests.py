"""What an entry of a campaign asks of ``assay run``, scenario by scenario."""

from __future__ import annotations

import shlex
from typing import Any

from assay.base.units import parse_duration
from assay.campaign.compliance_plan import missing_request
from assay.campaign.flow.forms import Campaign, EntryForm
from assay.campaign.recipes import recipe_words
from assay.campaign.request import RunRequest
from assay.rules.model import Division, Mode, Scenario

_RATED = (Scenario.OFFLINE, Scenario.SERVER)


def request_for(campaign: Campaign, entry: EntryForm, scenario: Scenario, mode: Mode) -> RunRequest:
    """The request of one run; options that mean nothing in the scenario are left out.

    The runs of a rehearsal are of the open division: the closed one takes no stand-in.
    """
    form, rated = campaign.form, scenario in _RATED
    wait = entry.batch_wait if scenario is Scenario.SERVER else None
    latency = entry.target_latency.get(scenario) if scenario is not Scenario.OFFLINE else None
    dataset = entry.dataset
    given: dict[str, Any] = {
        "name": entry.name,
        "scenarios": (scenario,),
        "round": form.round,
        "category": form.category,
        "division": Division.OPEN if form.rehearsal else form.division,
        "backend": entry.backend,
        "precision": entry.precision,
        "threads": entry.threads,
        "streams": entry.streams if rated else 1,
        "batch_size": None if scenario is Scenario.SINGLE_STREAM else entry.batch_size,
        "batch_wait_ns": parse_duration(wait) if wait else None,
        "backend_options": entry.backend_options,
        "model": campaign.place(entry.model) if entry.model else None,
        "recipe": entry.recipe,
        "dataset": str(campaign.place(dataset)) if dataset and "/" in dataset else dataset,
        "duration_ns": parse_duration(entry.duration) if entry.duration else None,
        "samples": entry.samples,
        "target_qps": entry.target_qps.get(scenario) if rated else None,
        "target_latency_ns": parse_duration(latency) if latency else None,
    }
    return missing_request(RunRequest(**given), (mode,))


def words_of(request: RunRequest) -> str:
    """The options that ask the same of ``assay run`` and ``assay compliance run``, its mode left out."""
    words = [request.name, "--scenario", request.scenarios[0].value, "--round", request.round]
    words += ["--division", request.division.value, "--backend", request.backend]
    words += ["--category", request.category.value] if request.category else []
    wait = f"{request.batch_wait_ns}ns" if request.batch_wait_ns else None
    duration = f"{request.duration_ns}ns" if request.duration_ns is not None else None
    latency = f"{request.target_latency_ns}ns" if request.target_latency_ns else None
    for option, value in (
        ("--precision", request.precision.value if request.precision else None),
        ("--threads", request.threads or None),
        ("--streams", request.streams if request.streams > 1 else None),
        ("--batch-size", request.batch_size),
        ("--batch-wait", wait),
        ("--model", request.model),
        ("--dataset", request.dataset),
        ("--duration", duration),
        ("--samples", request.samples),
        ("--target-qps", request.target_qps),
        ("--target-latency", latency),
    ):
        words += [option, str(value)] if value is not None else []
    words += recipe_words(request.recipe)
    for key, value in request.backend_options.items():
        words += ["--backend-option", f"{key}={value}"]
    return shlex.join(words)

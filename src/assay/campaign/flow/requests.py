"""What an entry of a campaign asks of ``assay run``, scenario by scenario."""

from __future__ import annotations

import shlex
from typing import Any

from assay.base.units import exact_duration, parse_duration
from assay.campaign.compliance_plan import missing_request
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.flow.forms import Campaign, EntryForm
from assay.campaign.recipes import recipe_words
from assay.campaign.request import RunRequest
from assay.campaign.setting import SETTING_KEYS, SettingForm, read_setting
from assay.rules.model import Division, Mode, Scenario

_RATED = (Scenario.OFFLINE, Scenario.SERVER)


def setting_for(campaign: Campaign, entry: EntryForm, scenario: Scenario) -> SettingForm:
    """How an entry drives its engine in a scenario: its own keys, then those of its file, then the usual ones.

    Raises:
        NotFoundError, InvalidInputError: when the file cannot be read as one.
    """
    path = entry.setting.get(scenario) if isinstance(entry.setting, dict) else entry.setting
    given = {key: getattr(entry, key) for key in SETTING_KEYS if key in entry.model_fields_set}
    if path is not None:
        kept = read_setting(campaign.place(path))
        given = {key: getattr(kept, key) for key in SETTING_KEYS if key in kept.given} | given
    return SettingForm.model_validate(given)


def request_for(campaign: Campaign, entry: EntryForm, scenario: Scenario, mode: Mode) -> RunRequest:
    """The request of one run; options that mean nothing in the scenario are left out.

    The runs of a rehearsal are of the open division: the closed one takes no stand-in.
    """
    form, rated = campaign.form, scenario in _RATED
    setting = setting_for(campaign, entry, scenario)
    wait = setting.batch_wait if scenario is Scenario.SERVER else None
    latency = entry.target_latency.get(scenario) if scenario is not Scenario.OFFLINE else None
    dataset = entry.dataset
    given: dict[str, Any] = {
        "name": entry.name,
        "scenarios": (scenario,),
        "round": form.round,
        # Of two categories the first that has the scenario; its limits are the same in both.
        "category": form.categories[0] if len(form.categories) == 1 else None,
        "division": Division.OPEN if form.rehearsal else form.division,
        "backend": setting.backend,
        "precision": setting.precision,
        "threads": setting.threads,
        "streams": setting.streams if rated else 1,
        "batch_size": None if scenario is Scenario.SINGLE_STREAM else setting.batch_size,
        "batch_wait_ns": parse_duration(wait) if wait else None,
        "backend_options": setting.backend_options,
        "model": campaign.place(entry.model) if entry.model else None,
        "recipe": entry.recipe,
        "dataset": str(campaign.place(dataset)) if dataset and "/" in dataset else dataset,
        "duration_ns": parse_duration(entry.duration) if entry.duration else None,
        "samples": entry.samples,
        "target_qps": entry.target_qps.get(scenario) if rated else None,
        "target_latency_ns": parse_duration(latency) if latency else None,
        **(_power(campaign) if mode is Mode.PERFORMANCE else {}),
    }
    return missing_request(RunRequest(**given), (mode,))


def _power(campaign: Campaign) -> dict[str, Any]:
    form = campaign.form
    official = campaign.place(form.power_official) if form.power_official else None
    return {"power": form.power, "power_ntp": form.power_ntp, "power_official": official}


def without_power(request: RunRequest) -> RunRequest:
    """The same run without a measurement of power: a search of the rate measures none, and no test does."""
    return request.model_copy(update=dict.fromkeys(("power", "power_ntp", "power_official")))


def program_of(campaign: Campaign, entry: EntryForm) -> ExternalRequest | None:
    """The program that runs an entry; None for assay's own harness."""
    if entry.implementation is None:
        return None
    name = entry.implementation
    return ExternalRequest(
        str(campaign.place(name)) if "/" in name or name.endswith((".yaml", ".yml")) else name,
        campaign.place(entry.implementation_dir) if entry.implementation_dir else None,
        entry.implementation_options,
        parse_duration(entry.time_limit) if entry.time_limit else None,
    )


def searches(entry: EntryForm) -> bool:
    """Whether the Server rate of an entry is searched.

    A rate that is given is taken. One that a probe suggests may be too high, and an INVALID run stops the campaign: so it is
    searched in short runs, too, whatever program makes them.
    """
    return entry.find_rate and Scenario.SERVER not in entry.target_qps


def words_of(request: RunRequest, program: ExternalRequest | None = None) -> str:
    """The options that ask the same of ``assay run`` and ``assay compliance run``, its mode left out."""
    words = [request.name, "--scenario", request.scenarios[0].value, "--round", request.round]
    words += ["--division", request.division.value]
    words += ["--backend", request.backend] if program is None else _program_words(program)
    words += ["--category", request.category.value] if request.category else []
    wait = exact_duration(request.batch_wait_ns) if request.batch_wait_ns else None
    duration = exact_duration(request.duration_ns) if request.duration_ns is not None else None
    latency = exact_duration(request.target_latency_ns) if request.target_latency_ns else None
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
    return shlex.join([*words, *request.power_words])


def _program_words(program: ExternalRequest) -> list[str]:
    words = ["--implementation", program.name]
    words += ["--implementation-dir", str(program.folder)] if program.folder else []
    for key, value in program.words.items():
        words += ["--implementation-option", f"{key}={value}"]
    return [*words, *(["--time-limit", exact_duration(program.time_limit_ns)] if program.time_limit_ns else [])]

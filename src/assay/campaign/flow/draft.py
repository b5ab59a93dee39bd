"""A campaign's file from options: what is asked for, and sensible words for the rest."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, State
from assay.base.files import write_atomic
from assay.base.settings import Settings
from assay.base.yamlfile import Located, validate
from assay.campaign.demo import STAND_INS
from assay.campaign.flow.forms import Campaign, CampaignForm, EntryForm, is_kept
from assay.campaign.flow.places import kept_file
from assay.campaign.flow.requests import request_for
from assay.campaign.subject import resolve_subject
from assay.errors import UsageError
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario
from assay.system.description import system_id
from assay.system.store import SystemStore, read_description

REHEARSED = "10s"
"""How long a performance run of a rehearsal takes unless another duration is asked for."""
_NOBODY = "Rehearsal"
UNTOLD = "Unnamed"
"""Stands for who submits, in a plan that is only looked at."""
_LONGEST_NAME = 61


@dataclass(frozen=True, slots=True)
class Wanted:
    """A campaign as options ask for it.

    Attributes:
        benchmarks: of the round, or models of the catalogue.
        model: a model of the catalogue for the one benchmark, or a file of yours.
        entry: keys that every entry gets.
        given: further keys of the file, as they are.
    """

    round: str
    benchmarks: tuple[str, ...]
    category: str
    division: str
    rehearsal: bool = False
    name: str = ""
    submitter: str = ""
    system: str = ""
    model: str = ""
    out: Path | None = None
    entry: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


def draft(wanted: Wanted, settings: Settings, path: Path | None = None) -> Campaign:
    """The campaign that is asked for; nothing is written. Its submitter is ``UNTOLD`` where nobody says who submits.

    Args:
        path: where its file will be; under its name in the home unless given.

    Raises:
        UsageError: when something has to be told that nobody can guess.
        NotFoundError: unknown round or benchmark.
        InvalidInputError: options that cannot hold together.
    """
    name = wanted.name or _name(wanted)
    system = wanted.system or _usual_system(settings)
    entries = [_entry(wanted, each, settings) for each in wanted.benchmarks]
    value: dict[str, Any] = {
        "format": 1,
        "name": name,
        "round": wanted.round,
        "division": wanted.division,
        "category": wanted.category,
        "submitter": wanted.submitter or _submitter(wanted, system, settings),
        "system": system,
        "out": str(wanted.out.expanduser().absolute()) if wanted.out else "tree",
        **({"rehearsal": True} if wanted.rehearsal else {}),
        **({"describe": {}} if is_kept(system) else {}),
        **wanted.given,
        "entries": entries,
    }
    place = (path or kept_file(name, settings)).expanduser().absolute()
    campaign = Campaign(validate(CampaignForm, Located(place, value)), place)
    for benchmark, entry in zip(wanted.benchmarks, campaign.form.entries, strict=True):
        _see_that_it_is_of(campaign, entry, benchmark, settings)
    return campaign


def text_of(campaign: Campaign) -> str:
    """The campaign's file; what is as usual is left out."""
    form = campaign.form.model_dump(mode="json", exclude_defaults=True, exclude={"entries"})
    entries = [entry.model_dump(mode="json", exclude_unset=True) for entry in campaign.form.entries]
    value = {**form, "round": campaign.form.round, "entries": entries}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def keep(campaign: Campaign, *, force: bool) -> bool:
    """Write the campaign's file; returns whether there was another one.

    Raises:
        UsageError: when another one is there and is not to be replaced.
    """
    text, path = text_of(campaign), campaign.path
    old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if old is not None and old != text and not force:
        raise UsageError(
            "another plan is kept here", where=path, hint="--force replaces it; --name NAME keeps both",
        )  # fmt: skip
    write_atomic(path, text)
    return old is not None and old != text


def stand_ins(campaign: Campaign, settings: Settings) -> list[str]:
    """Remarks on entries whose data only the user can get, with the stand-in that there is."""
    store, found = AssetStore(settings, load_catalogue(settings)), list[str]()
    for entry in campaign.form.entries:
        scenario = entry.scenarios[0] if entry.scenarios else Scenario.OFFLINE
        request = request_for(campaign, entry, scenario, Mode.PERFORMANCE)
        subject = resolve_subject(request, load_round(request.round), store.catalogue)
        data = subject.dataset
        if data is None or store.state(data.name) is not State.YOURS:
            continue
        other = next((each for each in STAND_INS if store.catalogue.get(each).task == subject.benchmark.task), None)
        if other is not None:
            found.append(f"only you can get {data.name}; to rehearse without: --rehearsal --model {other}")
    return found


def _name(wanted: Wanted) -> str:
    first = wanted.model if wanted.model and "/" not in wanted.model else wanted.benchmarks[0]
    more = f"-and-{len(wanted.benchmarks) - 1}" if len(wanted.benchmarks) > 1 else ""
    words = f"{first}{more}-{wanted.round}-{wanted.category}-{wanted.division}"
    words += "-rehearsal" if wanted.rehearsal else ""
    return re.sub(r"[^a-z0-9.-]+", "-", words.casefold()).strip("-.")[:_LONGEST_NAME]


def _usual_system(settings: Settings) -> str:
    """The one system that is described, else this machine under its own name."""
    names = SystemStore(settings.systems_dir).names()
    return names[0] if len(names) == 1 else system_id(socket.gethostname()) or "this-machine"


def _submitter(wanted: Wanted, system: str, settings: Settings) -> str:
    """The organisation that the system's description names, else a word that says that there is none."""
    path = SystemStore(settings.systems_dir).path(system) if is_kept(system) else Path(system)
    known = str(read_description(path).get("submitter") or "") if path.is_file() else ""
    return known or (_NOBODY if wanted.rehearsal else UNTOLD)


def _entry(wanted: Wanted, benchmark: str, settings: Settings) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": benchmark, **wanted.entry}
    if wanted.model:
        if len(wanted.benchmarks) > 1:
            raise UsageError("--model is for one benchmark", hint="write the file (--write FILE) and name each there")
        known = wanted.model.casefold() in {asset.name for asset in load_catalogue(settings).models()}
        if known:
            entry["name"] = wanted.model.casefold()
            entry |= {"label": benchmark} if benchmark != wanted.model else {}
        else:
            entry["model"] = str(Path(wanted.model).expanduser().absolute())
    if wanted.rehearsal and "duration" not in entry:
        entry["duration"] = REHEARSED
    return entry


def _see_that_it_is_of(campaign: Campaign, entry: EntryForm, wanted: str, settings: Settings) -> None:
    """A model that is named for a benchmark is one of it."""
    scenario = entry.scenarios[0] if entry.scenarios else Scenario.OFFLINE
    request = request_for(campaign, entry, scenario, Mode.PERFORMANCE)
    round_, catalogue = load_round(request.round), load_catalogue(settings)
    found = resolve_subject(request, round_, catalogue).benchmark.name
    asked = resolve_subject(request.model_copy(update={"name": wanted, "model": None, "recipe": {}}), round_, catalogue)
    if found != asked.benchmark.name:
        raise UsageError(f"{entry.name} is no model of {wanted}", expected=asked.benchmark.name, found=found)

"""The form of a campaign's YAML file, and its reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.base.yamlfile import read_yaml, validate
from assay.campaign.request import DEFAULT_ROUND
from assay.campaign.setting import Duration, SettingForm
from assay.rules.model import Category, Division, Scenario

FOLDER = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$"
"""A name that can be that of a folder in a tree."""
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,60}")
"""A campaign's name."""
BOTH = "both"
_NO_TITLES = frozenset({"system", "build", "check", "report"})
_OURS = frozenset({"backend", "backend_options", "batch_wait", "setting"})
"""Keys of assay's own harness."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntryForm(SettingForm):
    """One benchmark of a campaign, in one setting. Keys of a setting that stand here go before those of its file."""

    name: str = Field(description="A benchmark of the round (resnet50), or a model of the catalogue (mobilenet-v2).")
    label: str | None = Field(
        default=None, pattern=FOLDER, description="What its steps are named after; the name when left out."
    )
    system: str | None = Field(default=None, description="System that it is a result of; the campaign's when left out.")
    scenarios: tuple[Scenario, ...] = Field(
        default=(), description="Scenarios to run; all that the round asks of the category when left out."
    )
    setting: Path | dict[Scenario, Path] | None = Field(
        default=None, description="File of a setting, as assay tune writes it; or one for each scenario."
    )
    model: Path | None = Field(default=None, description="A model of your own, read as the named one is.")
    recipe: dict[str, Any] = Field(default_factory=dict, description="How that model wants its samples.")
    dataset: str | None = Field(default=None, description="Dataset of the catalogue, or a folder of yours (with a /).")
    target_qps: dict[Scenario, float] = Field(default_factory=dict, description="Rate by scenario; probed otherwise.")
    target_latency: dict[Scenario, Duration] = Field(
        default_factory=dict, description="Latency by scenario; the round's, or probed, otherwise."
    )
    duration: Duration | None = Field(default=None, description="Shortest performance run, for a rehearsal.")
    samples: int | None = Field(default=None, ge=1, description="Fewest queries or samples, for a rehearsal.")
    find_rate: bool = Field(
        default=True, description="Search the highest rate that Server holds, where none is given; a probe's otherwise."
    )
    rate_tolerance: float = Field(
        default=0.02, ge=0.001, le=0.5, description="How near the rate that is searched has to be, as a fraction."
    )
    implementation: str | None = Field(
        default=None,
        description="Program that runs it in place of assay: a name of assay implementations, or a manifest.",
    )
    implementation_dir: Path | None = Field(default=None, description="Folder of that program, such as a checkout.")
    implementation_options: dict[str, str] = Field(
        default_factory=dict, description="Words that its manifest lets you choose."
    )
    time_limit: Duration | None = Field(default=None, description="Longest time of one of that program's runs.")

    @property
    def title(self) -> str:
        """What its steps are named after."""
        return self.label or self.name

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        foreign = (self.implementation_dir, self.implementation_options, self.time_limit)
        if self.implementation is None and any(foreign):
            raise ValueError("implementation_dir, implementation_options and time_limit need an implementation")
        if self.implementation is not None and (own := sorted(_OURS & self.model_fields_set)):
            raise ValueError(f"{own[0]} means nothing to {self.implementation}")
        if self.find_rate and "find_rate" in self.model_fields_set and Scenario.SERVER in self.target_qps:
            raise ValueError("a rate that is given is not searched: leave out find_rate, or target_qps of Server")
        if "/" in self.title or self.title in _NO_TITLES:
            raise ValueError(f"{self.name}: give it a label, a word that its steps can be named after")
        return self


class CampaignForm(_Form):
    """The YAML file of a campaign."""

    format: Literal[1]
    name: str = Field(pattern=f"^{NAME.pattern}$", description="Its journal is kept under this name.")
    round: str = Field(default=DEFAULT_ROUND, description="Round whose rules hold.")
    division: Literal[Division.CLOSED, Division.OPEN] = Field(description="Division of the tree.")
    category: Category | Literal["both"] = Field(description="Category of the tree; both: of a system in both.")
    submitter: str = Field(pattern=FOLDER, description="Organisation that submits; the name of its folder.")
    system: str = Field(description="A kept description (assay system), or a file of one, with a / or ending in .json.")
    describe: dict[str, str] | None = Field(
        default=None,
        description="A kept description that is not there yet is made from this machine, with these fields of yours.",
    )
    out: Path = Field(description="The tree; relative paths begin at the folder of this file.")
    entries: tuple[EntryForm, ...] = Field(min_length=1, description="What is run.")
    rehearsal: bool = Field(default=False, description="Take runs that may not be submitted, and say so everywhere.")
    implementation: str | None = Field(
        default=None, pattern=FOLDER, description="Name of the implementation; the engine's otherwise."
    )
    fields: dict[str, str] = Field(default_factory=dict, description="What no record tells: FIELD or BENCHMARK.FIELD.")
    calibration: Path | None = Field(default=None, description="Text on how the models were calibrated.")
    power: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="What measures the power of performance runs: a director's HOST:PORT, simulate, or a meter.",
    )
    power_ntp: str | None = Field(default=None, description="Time server that clocks are compared with.")
    power_official: Path | None = Field(
        default=None, description="Clone of mlcommons/power-dev whose client (and server) measures."
    )
    power_settings: Path | None = Field(
        default=None, description="Text on how firmware and governor were set, for a tree with power."
    )
    notify: tuple[str, ...] = Field(
        default=(),
        max_length=64,
        description="Program and its words: started after each step, at the end and on failure, told by JSON on its stdin.",
    )

    @property
    def categories(self) -> tuple[Category, ...]:
        """The category, or both."""
        return (Category.DATACENTER, Category.EDGE) if self.category == BOTH else (Category(self.category),)

    def system_of(self, entry: EntryForm) -> str:
        """The system that an entry is a result of."""
        return entry.system or self.system

    @property
    def systems(self) -> tuple[str, ...]:
        """All systems, in the order of the entries."""
        return tuple(dict.fromkeys(self.system_of(entry) for entry in self.entries))

    @model_validator(mode="after")
    def _short_runs_are_rehearsals(self) -> Self:
        if self.power is None and (self.power_ntp or self.power_official or self.power_settings):
            raise ValueError("power_ntp, power_official and power_settings mean nothing without power")
        names = [entry.title.casefold() for entry in self.entries]
        if len(set(names)) < len(names):
            raise ValueError("a name is given twice in entries; give each a label of its own")
        for entry in self.entries:
            if not self.rehearsal and (entry.duration or entry.samples):
                raise ValueError(f"{entry.title}: duration and samples are for rehearsals (rehearsal: true)")
        return self


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign and the file that it was read from."""

    form: CampaignForm
    path: Path

    def place(self, path: Path | str) -> Path:
        """A path of the file: relative ones begin where the file lies."""
        return self.path.parent / Path(path).expanduser()

    @property
    def out(self) -> Path:
        """The tree."""
        return self.place(self.form.out)


def is_kept(system: str) -> bool:
    """Whether a system is one of assay's descriptions, and no file."""
    return not ("/" in system or system.endswith(".json"))


def folder_of(system: str) -> str:
    """The name of a system in a tree."""
    return system if is_kept(system) else Path(system).stem


def read_campaign(path: Path) -> Campaign:
    """Read a campaign's file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: what is wrong, with its line.
    """
    path = path.expanduser().absolute()
    return Campaign(validate(CampaignForm, read_yaml(path)), path)


def campaign_schema() -> dict[str, Any]:
    """The JSON schema of a campaign's file."""
    return CampaignForm.model_json_schema()

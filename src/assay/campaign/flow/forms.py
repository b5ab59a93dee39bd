"""The form of a campaign's YAML file, and its reader."""

from __future__ import annotations

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


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntryForm(SettingForm):
    """One benchmark of a campaign."""

    name: str = Field(description="A benchmark of the round (resnet50), or a model of the catalogue (mobilenet-v2).")
    scenarios: tuple[Scenario, ...] = Field(
        default=(), description="Scenarios to run; all that the round asks of the category when left out."
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


class CampaignForm(_Form):
    """The YAML file of a campaign."""

    format: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$", description="Its journal is kept under this name.")
    round: str = Field(default=DEFAULT_ROUND, description="Round whose rules hold.")
    division: Literal[Division.CLOSED, Division.OPEN] = Field(description="Division of the tree.")
    category: Category = Field(description="Category of the tree.")
    submitter: str = Field(pattern=FOLDER, description="Organisation that submits; the name of its folder.")
    system: str = Field(description="A kept description (assay system), or a file of one, with a / or ending in .json.")
    out: Path = Field(description="The tree; relative paths begin at the folder of this file.")
    entries: tuple[EntryForm, ...] = Field(min_length=1, description="What is run.")
    rehearsal: bool = Field(default=False, description="Take runs that may not be submitted, and say so everywhere.")
    implementation: str | None = Field(
        default=None, pattern=FOLDER, description="Name of the implementation; the engine's otherwise."
    )
    fields: dict[str, str] = Field(default_factory=dict, description="What no record tells: FIELD or BENCHMARK.FIELD.")
    calibration: Path | None = Field(default=None, description="Text on how the models were calibrated.")

    @model_validator(mode="after")
    def _short_runs_are_rehearsals(self) -> Self:
        names = [entry.name.casefold() for entry in self.entries]
        if len(set(names)) < len(names):
            raise ValueError("a name is given twice in entries; give each setting a campaign of its own")
        for entry in self.entries:
            if not self.rehearsal and (entry.duration or entry.samples):
                raise ValueError(f"{entry.name}: duration and samples are for rehearsals (rehearsal: true)")
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

"""A setting: how an engine is driven, apart from what it is driven with; and the YAML file that keeps one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from assay.backends.protocol import Precision
from assay.base.files import machine_errors, write_atomic
from assay.base.units import parse_duration
from assay.base.yamlfile import read_yaml, validate
from assay.campaign.formats import AUTO
from assay.errors import UsageError

FORMAT = 1


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""A length of time as people write it: ``2ms``."""


class SettingForm(BaseModel):
    """How an engine is driven. Options that mean nothing in a scenario are left out there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str = Field(default=AUTO, description="Engine; auto: the usual one for the model's form.")
    precision: Precision | None = Field(default=None, description="Number format; the model's own when left out.")
    threads: int = Field(default=0, ge=0, le=4096, description="Compute threads of one stream; 0: all cores.")
    streams: int = Field(default=1, ge=1, le=1024, description="Batches side by side, in Offline and Server.")
    batch_size: int | None = Field(default=None, ge=1, le=65536, description="Samples at once, except in SingleStream.")
    batch_wait: Duration | None = Field(default=None, description="Server: longest wait of a query for its batch.")
    backend_options: dict[str, str] = Field(default_factory=dict, description="Settings passed to the engine.")


SETTING_KEYS = tuple(SettingForm.model_fields)
"""The keys of a setting, in the order in which they are written."""


class SettingFile(SettingForm):
    """The YAML file of a setting."""

    format: Literal[1]
    about: str = Field(default="", max_length=4000, description="Where it comes from, for a reader.")

    @property
    def setting(self) -> SettingForm:
        """The setting alone."""
        return SettingForm.model_validate({key: getattr(self, key) for key in SETTING_KEYS if key in self.given})

    @property
    def given(self) -> frozenset[str]:
        """The keys that the file gives."""
        return frozenset(self.model_fields_set & set(SETTING_KEYS))


def read_setting(path: Path) -> SettingFile:
    """Read a setting's file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: what is wrong, with its line.
    """
    return validate(SettingFile, read_yaml(path))


def write_setting(path: Path, setting: SettingForm, *, about: str = "") -> None:
    """Write a setting's file, its folder included; keys that ask for nothing are left out.

    Raises:
        MachineError: when the machine refuses.
    """
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, setting_text(setting, about=about))


def setting_text(setting: SettingForm, *, about: str = "") -> str:
    """A setting as the text of its file."""
    document: dict[str, Any] = {"format": FORMAT, **({"about": about} if about else {}), **setting_values(setting)}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def setting_values(setting: SettingForm) -> dict[str, Any]:
    """The keys of a setting as plain values; those that ask for nothing are left out."""
    values = setting.model_dump(mode="json", include=set(SETTING_KEYS), exclude_none=True)
    return {key: values[key] for key in SETTING_KEYS if key in values and values[key] != {}}


def setting_schema() -> dict[str, Any]:
    """The JSON schema of a setting's file."""
    return SettingFile.model_json_schema()

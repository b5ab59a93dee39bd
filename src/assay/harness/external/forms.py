"""The form of an implementation's YAML file, and its reader."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from assay.base.units import parse_duration
from assay.base.yamlfile import read_yaml, validate
from assay.errors import UsageError
from assay.harness.external.command import PLACEHOLDERS, SETTINGS, placeholders_in
from assay.harness.external.model import Container, Implementation, Needs, Parameter
from assay.rules.model import Mode, Scenario


def _relative(path: str) -> str:
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        raise ValueError("the path has to be relative and to stay inside")
    return path


Relative = Annotated[str, AfterValidator(_relative)]
Words = tuple[str, ...]
Image = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Parameter(_Form):
    help: str = Field(description="What the word is.")
    default: str | None = Field(default=None, description="The word when the user chooses none.")


class _Needs(_Form):
    files: dict[str, str] = Field(default_factory=dict, description="Path to what it is and how to get it.")
    programs: dict[str, str] = Field(default_factory=dict, description="Program to how to get it.")


class _Container(_Form):
    image: Image = Field(description="Image, as podman and docker name it.")
    options: Words = Field(default=(), description="Words that run is given besides, such as --gpus=all.")
    network: bool = Field(default=False, description="Whether the program may reach the network.")
    writable: bool = Field(default=False, description="Whether the program may write to its own folder.")


class ImplementationForm(_Form):
    """The YAML file of a program that runs a benchmark with LoadGen on its own."""

    format: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$")
    title: str
    task: str = Field(description="Task of assay whose samples it answers and whose accuracy is reckoned from its log.")
    benchmarks: Words = Field(default=(), description="Benchmarks that it runs; every one of the task when left out.")
    command: Words = Field(min_length=1, description="Program and arguments with {placeholders}; no shell sees them.")
    folder: Relative = Field(default=".", description="Where it is started, below --implementation-dir.")
    modes: dict[Mode, Words] = Field(description="Arguments that each mode adds; a mode left out is not supported.")
    scenarios: dict[Scenario, str] = Field(min_length=1, description="Scenarios that it has, by its own names.")
    scenario_arguments: dict[Scenario, Words] = Field(
        default_factory=dict, description="Arguments that a scenario adds."
    )
    options: dict[str, Words] = Field(default_factory=dict, description="Setting to the arguments that pass it on.")
    parameters: dict[str, _Parameter] = Field(default_factory=dict, description="Words that the user may choose.")
    environment: dict[str, str] = Field(default_factory=dict, description="Variables that are set.")
    build: tuple[Words, ...] = Field(default=(), description="Commands that make it ready.")
    logs: Relative = Field(default=".", description="Folder of LoadGen's logs, below {output}.")
    time_limit: str | None = Field(default=None, description="Longest time of a run, such as 12h.")
    container: Image | _Container | None = Field(default=None, description="What it runs in: an image, or more of it.")
    needs: _Needs = Field(default_factory=_Needs, description="What is looked for before anything is started.")
    source: str = Field(default="", description="Where the program and this description of it come from.")

    @field_validator("time_limit")
    @classmethod
    def _a_duration(cls, text: str | None) -> str | None:
        try:
            parse_duration(text or "1s")
        except UsageError as error:
            raise ValueError(str(error)) from error
        return text

    @field_validator("options")
    @classmethod
    def _known_settings(cls, options: dict[str, Words]) -> dict[str, Words]:
        for name in options:
            if name not in SETTINGS:
                raise ValueError(f"no setting {name!r}; known are {', '.join(SETTINGS)}")
        return options

    @model_validator(mode="after")
    def _known_placeholders(self) -> Self:
        for name in self.parameters:
            if not name.isidentifier() or name in PLACEHOLDERS:
                raise ValueError(f"parameter {name!r} has to be a name of its own, of letters, digits and _")
        texts = [*self.command, *self.environment.values(), *self.needs.files, *self.needs.programs]
        lists = (*self.modes.values(), *self.scenario_arguments.values(), *self.options.values(), *self.build)
        texts += [word for words in lists for word in words]
        texts += self.container.options if isinstance(self.container, _Container) else ()
        known = {*PLACEHOLDERS, *self.parameters}
        for text in texts:
            for name in placeholders_in(text):
                if name not in known:
                    raise ValueError(
                        f"nothing is known of {{{name}}} in {text!r}; known are {', '.join(sorted(known))}"
                    )
        return self

    def _contained(self) -> Container | None:
        if isinstance(self.container, _Container):
            given = self.container
            return Container(given.image, given.options, given.network, given.writable)
        return Container(self.container) if self.container else None

    def to_implementation(self, path: Path) -> Implementation:
        """The implementation itself."""
        return Implementation(
            name=self.name,
            title=self.title,
            task=self.task,
            benchmarks=self.benchmarks,
            command=self.command,
            folder=self.folder,
            modes=dict(self.modes),
            scenarios=dict(self.scenarios),
            scenario_arguments=dict(self.scenario_arguments),
            options=dict(self.options),
            parameters={name: Parameter(each.help, each.default) for name, each in self.parameters.items()},
            environment=dict(self.environment),
            build=self.build,
            logs=self.logs,
            time_limit_ns=parse_duration(self.time_limit) if self.time_limit else None,
            container=self._contained(),
            needs=Needs(dict(self.needs.files), dict(self.needs.programs)),
            source=self.source,
            path=path,
        )


def read_implementation(path: Path) -> Implementation:
    """Read an implementation's YAML file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is malformed, with file, line and key.
    """
    return validate(ImplementationForm, read_yaml(path)).to_implementation(path)


def implementation_schema() -> dict[str, Any]:
    """JSON Schema of an implementation's YAML file."""
    return ImplementationForm.model_json_schema()

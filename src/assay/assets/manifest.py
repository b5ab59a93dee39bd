"""What an asset is: the nouns, and the form of their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assay.base.yamlfile import read_yaml, validate

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Kind(StrEnum):
    """What an asset is for."""

    MODEL = "model"
    WEIGHTS = "weights"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """A file behind one or more addresses, tried in order.

    Attributes:
        archive: the file is a zip or tar archive whose content is the asset.
    """

    urls: tuple[str, ...]
    archive: bool = False
    type: str = "https"


@dataclass(frozen=True, slots=True)
class PackageSource:
    """One or more files inside the wheel of a Python package.

    Attributes:
        files: path inside the wheel, or a pattern of file names in one folder of it.
    """

    package: str
    version: str
    files: str
    type: str = "package"


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A folder that the user has to get and register.

    Attributes:
        layout: name of the layout that is checked.
        instructions: how to get it.
    """

    layout: str
    instructions: str
    type: str = "local"


@dataclass(frozen=True, slots=True)
class BuildSource:
    """Made on this machine from weights, or from a seed.

    Attributes:
        architecture: what is built.
        weights: asset that holds the weights; None for seeded ones.
        seed: of the weights when there is no asset.
    """

    architecture: str
    weights: str | None
    seed: int
    type: str = "build"


Source = HttpsSource | PackageSource | LocalSource | BuildSource


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model.

    Attributes:
        format: of the file, ``onnx``.
        benchmark: benchmark of the rounds that it runs.
        recipe: how it wants its samples; read by the task.
        dataset: dataset it is run on by default; None where only speed means anything.
    """

    format: str
    benchmark: str
    recipe: Mapping[str, Any]
    dataset: str | None


@dataclass(frozen=True, slots=True)
class Asset:
    """A model, its weights, or a dataset.

    Attributes:
        sources: where it comes from, in order of preference.
        sha256: of the file, or of the folder's tree; None when the publisher names none or it is built.
        size: bytes to expect; 0 when not known.
        labels: what every figure taken with it is labelled with.
        count: samples of a dataset.
    """

    name: str
    kind: Kind
    task: str
    title: str
    sources: tuple[Source, ...]
    sha256: str | None
    size: int
    licence: str
    citation: str
    note: str
    labels: tuple[str, ...]
    count: int = 0
    model: ModelFacts | None = None

    @property
    def build(self) -> BuildSource | None:
        """How it is built, when it is."""
        return next((source for source in self.sources if isinstance(source, BuildSource)), None)

    @property
    def local(self) -> LocalSource | None:
        """What the user has to do, when only the user can get it."""
        return next((source for source in self.sources if isinstance(source, LocalSource)), None)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Https(_Form):
    type: Literal["https"]
    urls: tuple[str, ...] = Field(min_length=1)
    archive: bool = False

    @field_validator("urls")
    @classmethod
    def _only_http(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{url!r} is no http(s) address")
        return urls

    def to_source(self) -> HttpsSource:
        return HttpsSource(self.urls, self.archive)


class _Package(_Form):
    type: Literal["package"]
    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")
    files: str

    @field_validator("files")
    @classmethod
    def _inside(cls, files: str) -> str:
        path = PurePosixPath(files)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("the path has to stay inside the wheel")
        return files

    def to_source(self) -> PackageSource:
        return PackageSource(self.package, self.version, self.files)


class _Local(_Form):
    type: Literal["local"]
    layout: Literal["imagenet2012"]
    instructions: str

    def to_source(self) -> LocalSource:
        return LocalSource(self.layout, self.instructions)


class _Build(_Form):
    type: Literal["build"]
    architecture: str
    weights: str | None = None
    seed: int = Field(default=0, ge=0)

    def to_source(self) -> BuildSource:
        return BuildSource(self.architecture, self.weights, self.seed)


class _Model(_Form):
    format: Literal["onnx"] = "onnx"
    benchmark: str
    recipe: dict[str, Any] = Field(default_factory=dict)
    dataset: str | None = None


class AssetForm(_Form):
    """An asset's YAML file."""

    format: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$")
    kind: Kind
    task: str
    title: str
    sources: tuple[Annotated[_Https | _Package | _Local | _Build, Field(discriminator="type")], ...] = Field(
        min_length=1
    )
    sha256: Sha256 | None = None
    size: int = Field(default=0, ge=0)
    licence: str
    citation: str = ""
    note: str = ""
    labels: tuple[str, ...] = ()
    count: int = Field(default=0, ge=0)
    model: _Model | None = None

    def to_asset(self) -> Asset:
        """The asset itself."""
        facts = self.model and ModelFacts(
            self.model.format, self.model.benchmark, self.model.recipe, self.model.dataset
        )
        return Asset(
            name=self.name,
            kind=self.kind,
            task=self.task,
            title=self.title,
            sources=tuple(source.to_source() for source in self.sources),
            sha256=self.sha256,
            size=self.size,
            licence=self.licence,
            citation=self.citation,
            note=self.note,
            labels=self.labels,
            count=self.count,
            model=facts or None,
        )


def read_manifest(path: Path) -> Asset:
    """Read an asset's YAML file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is malformed, with file, line and key.
    """
    return validate(AssetForm, read_yaml(path)).to_asset()


def manifest_schema() -> dict[str, Any]:
    """JSON Schema of an asset's YAML file."""
    return AssetForm.model_json_schema()

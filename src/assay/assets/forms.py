"""The form of assets' YAML files, and their reader."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from assay.assets.layouts import LAYOUTS
from assay.assets.manifest import Asset, BuildSource, HttpsSource, Kind, LocalSource, ModelFacts, PackageSource
from assay.base.yamlfile import read_yaml, validate

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Https(_Form):
    type: Literal["https"]
    urls: tuple[str, ...] = Field(min_length=1)
    archive: bool = False
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None

    @field_validator("urls")
    @classmethod
    def _only_http(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{url!r} is no http(s) address")
        return urls

    def to_source(self) -> HttpsSource:
        return HttpsSource(self.urls, self.archive, self.md5)


def _inside(path: str) -> str:
    """A path of a package; it has to stay inside, and to be written the way archives write it."""
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts or "\\" in path or str(parts) != path:
        raise ValueError("the path has to stay inside the package")
    return path


Inside = Annotated[str, AfterValidator(_inside)]


class _Carrier(_Form):
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!~:_-]*$")
    files: tuple[str, ...] = Field(min_length=1)
    root: Inside | None = None
    unzip: tuple[str, ...] = ()

    @field_validator("files", mode="before")
    @classmethod
    def _one_or_more(cls, files: Any) -> Any:
        return (files,) if isinstance(files, str) else files

    @field_validator("files", "unzip")
    @classmethod
    def _all_inside(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_inside(path) for path in paths)

    @model_validator(mode="after")
    def _below_root(self) -> Self:
        for path in self.files:
            if self.root is not None and not PurePosixPath(path).is_relative_to(self.root):
                raise ValueError(f"{path!r} is not below root {self.root!r}")
        if self.unzip and (len(self.files) != 1 or self.root is not None):
            raise ValueError("unzip goes with one file and no root")
        return self


class _Package(_Carrier):
    type: Literal["package"]
    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")

    def to_source(self) -> PackageSource:
        return PackageSource(self.package, self.version, self.files, self.type, self.root or "", self.unzip)


class _Npm(_Carrier):
    type: Literal["npm"]
    package: str = Field(pattern=r"^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*$")

    def to_source(self) -> PackageSource:
        return PackageSource(self.package, self.version, self.files, self.type, self.root or "", self.unzip)


class _Debian(_Carrier):
    type: Literal["debian"]
    package: str = Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")
    pool: Annotated[str, Field(pattern=r"^pool/[A-Za-z0-9.+~_/-]+\.deb$"), AfterValidator(_inside)]

    def to_source(self) -> PackageSource:
        return PackageSource(self.package, self.version, self.files, self.type, self.root or "", self.unzip, self.pool)


class _Local(_Form):
    type: Literal["local"]
    layout: str
    instructions: str

    @field_validator("layout")
    @classmethod
    def _known(cls, layout: str) -> str:
        if layout not in LAYOUTS:
            raise ValueError(f"no such layout; known are {', '.join(sorted(LAYOUTS))}")
        return layout

    def to_source(self) -> LocalSource:
        return LocalSource(self.layout, self.instructions)


class _Build(_Form):
    type: Literal["build"]
    architecture: str
    weights: str | None = None
    seed: int = Field(default=0, ge=0)
    data: str | None = None

    def to_source(self) -> BuildSource:
        return BuildSource(self.architecture, self.weights, self.seed, data=self.data)


class _Model(_Form):
    format: Literal["onnx", "gguf", "ctranslate2", "tflite", "torch", "remote"] = "onnx"
    benchmark: str
    recipe: dict[str, Any] = Field(default_factory=dict)
    dataset: str | None = None
    assets: dict[str, str] = Field(default_factory=dict)
    precision: Literal["fp32", "bf16", "fp16", "int8"] = "fp32"

    def to_facts(self) -> ModelFacts:
        return ModelFacts(self.format, self.benchmark, self.recipe, self.dataset, self.assets, self.precision)


class AssetForm(_Form):
    """An asset's YAML file."""

    format: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$")
    kind: Kind
    task: str
    title: str
    sources: tuple[
        Annotated[_Https | _Package | _Npm | _Debian | _Local | _Build, Field(discriminator="type")], ...
    ] = Field(min_length=1)
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
            model=self.model.to_facts() if self.model else None,
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

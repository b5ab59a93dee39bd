"""What an asset is: the nouns. :mod:`assay.assets.forms` reads them from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
        md5: of the file as it is downloaded, where the publisher names no better checksum.
    """

    urls: tuple[str, ...]
    archive: bool = False
    md5: str | None = None
    type: str = "https"


@dataclass(frozen=True, slots=True)
class PackageSource:
    """One or more files inside a package of an index: a Python wheel, an npm tarball or a Debian package.

    Attributes:
        files: paths inside the package, each a name or a pattern of names in one folder. Those of an npm package are
            seen from its top folder, those of a Debian package from the root of the disk.
        type: ``package`` (PyPI), ``npm`` or ``debian``.
        root: folder of the package below which files keep their paths; empty to keep names only.
        unzip: members to take out of the one zip that ``files`` names; empty to take the files themselves.
        pool: path of a Debian package in the archive's pool, for machines without apt.
    """

    package: str
    version: str
    files: tuple[str, ...]
    type: str = "package"
    root: str = ""
    unzip: tuple[str, ...] = ()
    pool: str = ""

    @property
    def described(self) -> str:
        """The package for a person, such as ``npm package human 3.3.6``."""
        kind = {"package": "package", "npm": "npm package", "debian": "Debian package"}[self.type]
        return f"{kind} {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A folder that the user gets and registers.

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
        seed: of the weights when there is no asset, or of the training.
        data: dataset that the weights are trained on further; None when they are taken as they are.
    """

    architecture: str
    weights: str | None
    seed: int
    type: str = "build"
    data: str | None = None


Source = HttpsSource | PackageSource | LocalSource | BuildSource


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model.

    Attributes:
        format: of the file, ``onnx``.
        benchmark: benchmark of the rounds that it runs.
        recipe: how it wants its samples; read by the task.
        dataset: dataset it is run on by default; None where only speed means anything.
        assets: key of the recipe to the asset whose path it gets, such as the model's vocabulary.
        precision: number format that it is run in unless another is asked for; other than ``fp32`` for a model that was
            quantised, or whose weights are stored so.
    """

    format: str
    benchmark: str
    recipe: Mapping[str, Any]
    dataset: str | None
    assets: Mapping[str, str] = field(default_factory=dict)
    precision: str = "fp32"


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
        fetched = any(isinstance(source, (HttpsSource, PackageSource)) for source in self.sources)
        return None if fetched else self.layout

    @property
    def layout(self) -> LocalSource | None:
        """The layout that a user's own folder has to have, fetched from elsewhere or not."""
        return next((source for source in self.sources if isinstance(source, LocalSource)), None)

"""All assets that are known: those that come with assay, and the user's own manifests in ``<home>/manifests``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from assay.assets.forms import read_manifest
from assay.assets.manifest import Asset, Kind
from assay.base.settings import Settings
from assay.errors import InvalidInputError, unknown


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Assets by name."""

    assets: dict[str, Asset]

    def get(self, name: str) -> Asset:
        """An asset by name, in any case.

        Raises:
            NotFoundError: with the closest names.
        """
        found = self.assets.get(name.casefold())
        if found is None:
            raise unknown("asset", name, self.assets, hint="assay assets list")
        return found

    def all(self) -> list[Asset]:
        """All assets, by name."""
        return [self.assets[name] for name in sorted(self.assets)]

    def models(self, task: str | None = None) -> list[Asset]:
        """Models, of one task if named."""
        return [asset for asset in self.all() if asset.kind is Kind.MODEL and task in (None, asset.task)]

    def datasets(self, task: str | None = None) -> list[Asset]:
        """Datasets, of one task if named."""
        return [asset for asset in self.all() if asset.kind is Kind.DATASET and task in (None, asset.task)]


def load_catalogue(settings: Settings) -> Catalogue:
    """Read all manifests; a user's manifest replaces one of the same name.

    Raises:
        InvalidInputError: for a malformed manifest, or a reference to an asset that is not there.
    """
    assets = {asset.name: asset for asset in (*_shipped(), *_read(settings.home / "manifests"))}
    for asset in assets.values():
        for name in _references(asset):
            if name not in assets:
                raise InvalidInputError(
                    f"asset {asset.name!r} refers to {name!r}, which is not there",
                    expected=", ".join(sorted(assets)),
                )
    return Catalogue(assets)


@functools.cache
def _shipped() -> tuple[Asset, ...]:
    """What comes with assay: seventy files, which a command or a campaign asks for several times."""
    with resources.as_file(resources.files("assay.assets") / "manifests") as folder:
        return tuple(_read(folder))


def _read(folder: Path) -> Iterator[Asset]:
    for path in sorted(folder.glob("*.yaml")):
        asset = read_manifest(path)
        if path.stem != asset.name:
            raise InvalidInputError("the file is not named after its asset", where=path, expected=f"{asset.name}.yaml")
        yield asset


def _references(asset: Asset) -> list[str]:
    model, build = asset.model, asset.build
    names = [model.dataset, *model.assets.values()] if model else []
    return [name for name in (*names, *((build.weights, build.data) if build else ())) if name]

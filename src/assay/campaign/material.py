"""What a plan runs on, as files of this machine: its model, its data, and what both are called in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.assets.manifest import Asset
from assay.assets.store import AssetStore, Located, content_hash, quick_identity
from assay.backends.protocol import NO_FILE
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.demo import STAND_INS
from assay.campaign.plan import Plan
from assay.campaign.subject import Subject
from assay.errors import NotFoundError
from assay.loadgen.record import Artefact, Label
from assay.models.build import materialise
from assay.tasks.registry import tasks


@dataclass(frozen=True, slots=True)
class Material:
    """What a plan runs on, as files.

    Attributes:
        recipe: of the model, with the paths of assets it needs.
    """

    model: Path
    model_info: Artefact
    dataset: Path | None
    dataset_info: Artefact
    samples: int
    labels: tuple[str, ...]
    recipe: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Data:
    """The data of a subject: where they are, what they are called, and what follows for a figure made with them."""

    path: Path | None
    info: Artefact
    labels: tuple[str, ...]


def model_on_disk(subject: Subject, store: AssetStore, progress: Progress) -> tuple[Path, Artefact]:
    """The model's file: the user's own, or that of the catalogue, fetched and built.

    Raises:
        NotFoundError: when it cannot be had, and how to get it.
    """
    if subject.model_file is not None:
        return subject.model_file, Artefact(str(subject.model_file), content_hash(subject.model_file))
    located = materialise(store, subject.model, progress=progress)
    return located.path, Artefact(subject.model.name, located.sha256)


def dataset_on_disk(asset: Asset, store: AssetStore, progress: Progress) -> Located:
    """A dataset of the catalogue, fetched or registered.

    Raises:
        NotFoundError: when only the user can get it, with how, and which stand-in there is.
    """
    try:
        return store.ensure(asset.name, progress=progress)
    except NotFoundError as error:
        if asset.local is not None:
            stand_in = next((name for name in STAND_INS if store.catalogue.get(name).task == asset.task), None)
            error.hint = f"{error.hint}; without it, take a stand-in: assay run {stand_in}" if stand_in else error.hint
        raise


def described_data(subject: Subject, located: Located | None) -> Data | None:
    """The data as a record names them; None where there are none to be named.

    Args:
        located: the dataset of the catalogue, where it was fetched.
    """
    if subject.dataset is not None and located is not None:
        info = Artefact(subject.dataset.name, located.sha256, located.samples or subject.dataset.count)
        return Data(located.path, info, (*subject.dataset.labels, *located.labels))
    path = subject.dataset_path
    if path is None:
        return None
    info = Artefact(str(path), quick_identity(path) if path.is_dir() else content_hash(path))
    return Data(path, info, (Label.CUSTOM_DATASET.value,))


def count_samples(
    path: Path | None,
    dataset: Artefact,
    model: Path,
    recipe: Mapping[str, Any],
    plan: Plan,
    settings: Settings,
    progress: Progress,
) -> int:
    """Samples there are, after preparing them; LoadGen has to be told before it starts."""
    if path is None:
        return dataset.count
    opened = (
        tasks()
        .get(plan.subject.benchmark.task)
        .open_dataset(
            path,
            recipe,
            cache=settings.cache_dir,
            limit=sample_limit(plan),
            skip_bad=plan.request.skip_bad,
            model=None if model == NO_FILE else model,
            progress=progress,
        )
    )
    return opened.count


def sample_limit(plan: Plan) -> int | None:
    """How many samples of the dataset an accuracy run takes; None for all."""
    return plan.request.samples if plan.request.mode == "accuracy" else None

"""Assets that a model needs beside its file to understand its data, such as a vocabulary: paths in its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.assets.store import AssetStore
from assay.base.progress import Progress
from assay.campaign.subject import Subject


def companions(subject: Subject) -> dict[str, str]:
    """Key of the recipe to the asset whose path it will get; none for random inputs, or where the user gives a path."""
    facts = subject.model.model
    if facts is None or subject.synthetic:
        return {}
    return {key: name for key, name in facts.assets.items() if key not in subject.recipe}


def complete_recipe(subject: Subject, store: AssetStore, progress: Progress) -> Mapping[str, Any]:
    """The recipe of a model with the paths of the assets it needs.

    Raises:
        NotFoundError: when one cannot be had.
    """
    needed = companions(subject)
    paths = {key: str(store.ensure(name, progress=progress).path) for key, name in needed.items()}
    return {**subject.recipe, **paths}

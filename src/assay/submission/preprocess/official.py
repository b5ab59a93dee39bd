"""Filling in exactly as the script of v3.1 does, for whoever has to get the same tree.

Its oddities: each of ``results``, ``measurements`` and ``compliance`` (closed only) is filled in on its own; whether a
scenario is there is asked in lower case, so that on most disks ``offline`` is placed beside ``Offline``; which models
exist at 99 % is asked of the category of the last system that it saw, of whichever submitter.
Source: ``tools/submission/preprocess_submission.py``, tag v3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.rules.model import Category
from assay.submission.preprocess.model import Manner
from assay.submission.preprocess.shape import Shape
from assay.submission.tree import Folder


def fill_as_the_script(shapes: Sequence[Shape], manner: Manner) -> None:
    """Plan what the script would do to these submitters, in the order of the disk."""
    last: tuple[Category, ...] = ()
    for shape in shapes:
        kinds = ("results", "measurements", *(("compliance",) if shape.division == "closed" else ()))
        for kind in kinds:
            top = shape.kind(kind)
            if top is None:
                continue
            for system, models in list(top.folders.items()):
                categories = shape.categories(system)
                if categories is None:
                    continue
                last = categories
                if manner.scenarios:
                    for model, folder in list(models.folders.items()):
                        known = shape.scenarios(model, categories)
                        if known:
                            _fill(shape, f"{kind}/{system}/{model}", folder, known)
            if manner.low_accuracy:
                _fill_low_accuracy(shape, kind, top, last)


def _fill(shape: Shape, path: str, folder: Folder, known: frozenset[str]) -> None:
    for name in list(folder.folders):
        offline, multistream = ("offline" in folder.folders, "multistream" in folder.folders)
        targets: list[str] = []
        if name.lower() == "singlestream":
            if not multistream:
                targets = ([] if offline else ["offline"]) + (["multistream"] if "MultiStream" in known else [])
        elif name.lower() == "multistream" and not offline:
            targets = ["offline"]
        for target in targets:
            shape.copy(f"{path}/{name}", f"{path}/{target}", f"{target} follows from {name.lower()}")


def _fill_low_accuracy(shape: Shape, kind: str, top: Folder, categories: tuple[Category, ...]) -> None:
    for system, models in list(top.folders.items()):
        for model in list(models.folders):
            low = model[:-2]
            if model.endswith("-99.9") and low not in models.folders and shape.scenarios_of(low, categories):
                shape.copy(f"{kind}/{system}/{model}", f"{kind}/{system}/{low}", f"{model} serves as {low}")

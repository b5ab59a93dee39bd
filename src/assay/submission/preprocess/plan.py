"""What is to be filled in.

Source: ``tools/submission/preprocess_submission.py`` of mlcommons/inference, first released with v3.1: Offline and
MultiStream follow from SingleStream, Offline rather from MultiStream where that was measured; results of a model at
99.9 % serve at 99 % as well (with their code, since v4.0). Told apart from the script here: names are compared without
case, only scenarios that the benchmark has in the system's category are used, and what is placed in ``results`` decides
what is placed in ``measurements`` and ``compliance``.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.errors import InvalidInputError
from assay.rules.model import Category, Round
from assay.submission.preprocess.model import Change, Manner, Note, Plan
from assay.submission.preprocess.official import fill_as_the_script
from assay.submission.preprocess.shape import Shape
from assay.submission.tree import Folder, TreeReader

_BESIDE = ("measurements", "compliance")
_HIGH, _LOW = "-99.9", "-99"


def make_plan(reader: TreeReader, round_: Round, parts: Sequence[str], manner: Manner) -> Plan:
    """What is to be done to a tree; changes nothing.

    Args:
        parts: the submitters' folders, such as ``closed/Acme``.

    Raises:
        InvalidInputError: when a killed run left its unfinished folders in the tree.
    """
    shapes = [Shape(reader, round_, part, manner) for part in parts]
    left = [path for shape in shapes for path in shape.leftovers()]
    if left:
        raise InvalidInputError(
            "an interrupted run left this unfinished",
            where=left[0],
            hint="run again, or undo, with the journal of that run (--journal FILE, --undo FILE)",
        )
    changes: list[Change] = []
    notes: list[Note] = []
    if manner.empty_folders:
        for shape in shapes:
            shape.remove_empty()
            changes += shape.changes
            shape.changes = []
    if manner.exact:
        fill_as_the_script(shapes, manner)
    for shape in shapes:
        if not manner.exact:
            _fill(shape, manner)
        changes += shape.changes
        notes += shape.notes
    return Plan(tuple(changes), tuple(notes))


def _fill(shape: Shape, manner: Manner) -> None:
    results = shape.kind("results")
    if results is None:
        return
    for system, models in list(results.folders.items()):
        categories = shape.categories(system)
        if categories is None:
            continue
        if manner.scenarios:
            for model, folder in list(models.folders.items()):
                _fill_scenarios(shape, f"{system}/{model}", folder, shape.scenarios(model, categories))
        if manner.low_accuracy:
            for model in list(models.folders):
                _fill_low_accuracy(shape, system, model, models, categories)


def _fill_scenarios(shape: Shape, path: str, folder: Folder, known: frozenset[str]) -> None:
    """Place the scenarios that are missing and follow from one that is there."""
    if not known:
        shape.note(f"{shape.part}/results/{path}", "the round has no such benchmark for this system")
        return
    there = {name.lower(): name for name in folder.folders}
    wanted = [scenario for scenario in ("Offline", "MultiStream") if scenario in known]
    for scenario in wanted:
        if scenario.lower() in there:
            continue
        sources = ("MultiStream", "SingleStream") if scenario == "Offline" else ("SingleStream",)
        source = next((each for each in sources if each in known and each.lower() in there), None)
        if source is None:
            continue
        name = there[source.lower()]
        # A new folder is spelt like the one that it comes from.
        target = scenario if name != name.lower() else scenario.lower()
        if shape.copy(f"results/{path}/{name}", f"results/{path}/{target}", f"{scenario} follows from {source}"):
            _beside(shape, path, name, target)


def _beside(shape: Shape, path: str, source: str, target: str) -> None:
    """Place what belongs to a result in ``measurements`` and ``compliance``."""
    for kind in _BESIDE:
        top = shape.kind(kind)
        if top is None:
            continue
        folder = top.at(*path.split("/"))
        there = {name.lower(): name for name in folder.folders} if folder is not None else {}
        if target.lower() in there:
            continue
        if (name := there.get(source.lower())) is None:
            shape.note(f"{shape.part}/{kind}/{path}", f"it has no {source} to place as {target}")
            continue
        shape.copy(f"{kind}/{path}/{name}", f"{kind}/{path}/{target}", f"belongs to the {target} result")


def _fill_low_accuracy(shape: Shape, system: str, model: str, models: Folder, categories: tuple[Category, ...]) -> None:
    """Place the results of a model at 99.9 % as those at 99 %."""
    if not model.endswith(_HIGH):
        return
    low = model.removesuffix(_HIGH) + _LOW
    if low in models.folders or not shape.scenarios_of(low, categories):
        return
    if not shape.copy(f"results/{system}/{model}", f"results/{system}/{low}", f"{model} serves as {low}"):
        return
    for kind in _BESIDE:
        top = shape.kind(kind)
        folder = top.at(system) if top is not None else None
        if folder is None or low in folder.folders:
            continue
        if model not in folder.folders:
            shape.note(f"{shape.part}/{kind}/{system}", f"it has no {model} to place as {low}")
            continue
        shape.copy(f"{kind}/{system}/{model}", f"{kind}/{system}/{low}", f"belongs to the {low} results")
    code = shape.kind("code")
    if code is not None and code.exists(model) and not code.exists(low):
        shape.copy(f"code/{model}", f"code/{low}", f"code of the {low} results")

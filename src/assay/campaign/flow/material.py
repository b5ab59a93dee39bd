"""Getting an entry's model and data ready: fetched, prepared, quantised; each a step whose outcome has a hash."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, content_hash, quick_identity
from assay.backends.protocol import ModelFormat, Precision
from assay.backends.registry import backends
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.companions import complete_recipe
from assay.campaign.execute import gather
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.flow.steps import digest
from assay.campaign.formats import is_remote
from assay.campaign.material import dataset_on_disk
from assay.campaign.plan import Plan, make_plan
from assay.campaign.precision import own_precision
from assay.campaign.request import RunRequest
from assay.models.build import materialise


@dataclass(frozen=True, slots=True)
class Ready:
    """What was got ready.

    Attributes:
        output: hash of it.
        note: for a person.
    """

    output: str
    note: str


def fetch(request: RunRequest, program: ExternalRequest | None, settings: Settings, progress: Progress) -> Ready:
    """Get model and data onto this machine, verified; a model that is built is built.

    Raises:
        NotFoundError: what cannot be had, and how to get it.
        InvalidInputError: what was had and is wrong.
    """
    if program is None:
        plan, model, data = make_plan(request, settings), True, True
    else:
        external = make_external_plan(request, program, settings)
        plan, model, data = external.plan, external.sees_model, external.sees_data
    subject, store = plan.subject, AssetStore(settings, load_catalogue(settings))
    found: list[object] = [dict(subject.recipe)]
    # The dataset first: when only the user can get it, nothing should be downloaded before saying so.
    if data and subject.dataset is not None:
        found.append(dataset_on_disk(subject.dataset, store, progress).sha256)
    elif data and subject.dataset_path is not None:
        own = subject.dataset_path
        found.append(quick_identity(own) if own.is_dir() else content_hash(own))
    if data:
        complete_recipe(subject, store, progress)
    if subject.model_file is not None:
        found.append(content_hash(subject.model_file))
    elif model and (program is not None or not is_remote(backends().get(plan.request.backend))):
        found.append(materialise(store, subject.model, progress=progress).sha256)
    return Ready(digest(found), _names(plan))


def prepares(plan: Plan) -> bool:
    """Whether there are samples to prepare."""
    return not plan.subject.synthetic


def prepare(request: RunRequest, settings: Settings, progress: Progress) -> Ready:
    """Pre-process the samples, so that no run waits for it.

    Raises:
        InvalidInputError: for samples that cannot be read.
    """
    plan = make_plan(request, settings)
    # Quantising is a step of its own.
    material = gather(replace(plan, precision=Precision.FP32), settings, progress)
    return Ready(
        digest([material.dataset_info.sha256, material.samples, material.labels]), f"{material.samples} samples"
    )


def quantises(plan: Plan) -> bool:
    """Whether the model is quantised for its runs: it is asked for in int8 and is not made so."""
    if plan.precision is not Precision.INT8 or is_remote(backends().get(plan.request.backend)):
        return False
    return plan.subject.format is ModelFormat.ONNX and own_precision(plan.subject) is not Precision.INT8


def quantise(request: RunRequest, settings: Settings, progress: Progress) -> Ready:
    """Make the int8 form of the model.

    Raises:
        InvalidInputError: when it cannot be quantised.
    """
    material = gather(make_plan(request, settings), settings, progress)
    return Ready(digest([content_hash(material.model), material.labels]), material.model.name)


def _names(plan: Plan) -> str:
    subject = plan.subject
    data = subject.dataset.name if subject.dataset else subject.dataset_path or "random inputs"
    return f"{subject.model_file or subject.model.name}, {data}"

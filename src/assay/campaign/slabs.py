"""The form of a model whose large layers are computed in slabs: made once, kept by what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.assets.store import AssetStore
from assay.backends.protocol import ModelFormat, Precision
from assay.base.progress import Progress
from assay.campaign.plan import Plan
from assay.errors import InvalidInputError
from assay.harness.memory import model_bytes
from assay.loadgen.record import Artefact
from assay.tasks.registry import tasks

_ENGINE = "onnxruntime"
_MOST_BYTES = 2 << 30


def slabbed_model(
    plan: Plan, model: Path, info: Artefact, recipe: Mapping[str, Any], store: AssetStore, progress: Progress
) -> Path:
    """The model in slabs where its task wants it, the engine gains by it and the graph allows it; else the model itself.

    Args:
        plan: says engine and precision.
        model: the file.
        info: with its checksum.
        recipe: of the model.
        store: keeps what is made.
        progress: told while it is made.
    """
    most = tasks().get(plan.subject.benchmark.task).slab_bytes(recipe)
    digest = info.sha256
    if not most or digest is None or not _fits(plan, model):
        return model
    from assay.models.slabs import SLABS_VERSION, in_slabs

    def build(target: Path) -> None:
        import onnx

        step = progress.start("write layers in slabs", total=1, unit="models")
        try:
            whole = onnx.load(str(model))
            cut = in_slabs(whole, most)
            if cut is whole:
                raise InvalidInputError("the model has no layers that are worth it", where=model)
            onnx.save(cut, str(target))
        finally:
            step.finish()

    key = f"slabs-{most}-{digest[:16]}-v{SLABS_VERSION}"
    try:
        return store.built(key, "model.onnx", build).path
    except InvalidInputError:
        return model


def _fits(plan: Plan, model: Path) -> bool:
    """Other engines plan in their own way, accelerators have another memory, and a quantised graph is another graph."""
    request, subject = plan.request, plan.subject
    engine = request.backend == _ENGINE and "provider" not in request.backend_options
    plain = plan.precision is Precision.FP32 and subject.format is ModelFormat.ONNX
    return engine and plain and model.is_file() and model_bytes(model) <= _MOST_BYTES

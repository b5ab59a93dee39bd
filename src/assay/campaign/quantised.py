"""The int8 form of a model: quantised with samples of its dataset, kept by what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.assets.store import AssetStore
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.subject import Subject
from assay.errors import UsageError
from assay.loadgen.record import Artefact
from assay.models.quantize import QUANTIZER_VERSION, is_quantised, quantize_static
from assay.tasks.registry import tasks

_CALIBRATION_SAMPLES = 32
_CALIBRATION_SEED = 7


def quantised_model(
    model: Path,
    info: Artefact,
    subject: Subject,
    recipe: Mapping[str, Any],
    dataset: Path | None,
    store: AssetStore,
    settings: Settings,
    progress: Progress,
) -> Path:
    """The model in int8; itself when it is quantised already.

    Raises:
        InvalidInputError: when the model cannot be quantised.
    """
    if is_quantised(model):
        return model
    task = tasks().get(subject.benchmark.task)
    if dataset is None:
        inputs = task.synthetic_inputs(recipe, 8, _CALIBRATION_SEED)
        origin = "synthetic"
    else:
        opened = task.open_dataset(dataset, recipe, cache=settings.cache_dir, model=model, progress=progress)
        count = min(opened.count, _CALIBRATION_SAMPLES)
        inputs = opened.load(range(count))
        origin = dataset.name[:16]
    if isinstance(inputs, list):
        raise UsageError(
            f"a model for {subject.benchmark.task} cannot be quantised here: its samples differ in size",
            hint="give a quantised model with --model, or --precision fp32",
        )
    key = f"int8-{(info.sha256 or 'none')[:16]}-{origin}-v{QUANTIZER_VERSION}"
    step = progress.start("quantise to int8", total=None)
    try:
        return store.built(key, "model.onnx", lambda target: quantize_static(model, target, inputs)).path
    finally:
        step.finish()

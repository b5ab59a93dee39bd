"""The int8 form of a model: quantised with samples of its dataset, kept by what it is made of."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.assets.store import AssetStore, Located
from assay.base.files import machine_errors
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.calibration import USUAL_SAMPLES, Recorder, record_calls
from assay.campaign.subject import Subject
from assay.harness.parts import part_files
from assay.loadgen.record import Artefact
from assay.models.quantize import (
    QUANTIZER_VERSION,
    Method,
    check_fp32,
    is_quantised,
    quantize_int8,
    usual_method,
)
from assay.models.ranges import Ranges
from assay.tasks.protocol import MODEL, Samples, Task
from assay.tasks.registry import tasks

_SYNTHETIC_SAMPLES = 8
_CALIBRATION_SEED = 7


@dataclass(frozen=True, slots=True)
class Source:
    """What an int8 model is made of.

    Attributes:
        model: the fp32 model, a file or a folder of parts.
        sha256: of it.
        task: whose pipeline tells what the model gets.
        recipe: of the model.
        load: gives calibration samples.
        indices: which.
        origin: of the samples, for the key.
    """

    model: Path
    sha256: str | None
    task: Task
    recipe: Mapping[str, Any]
    load: Callable[[Sequence[int]], Samples]
    indices: Sequence[int]
    origin: str


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
    """The model in int8, by the usual method and the first samples; itself when it is quantised already.

    Raises:
        InvalidInputError: when the model cannot be quantised.
    """
    task = tasks().get(subject.benchmark.task)
    files = part_files(model, task.parts(recipe))
    if any(is_quantised(path) for path in files.values()):
        return model
    if dataset is None:
        made = task.synthetic_inputs(recipe, _SYNTHETIC_SAMPLES, _CALIBRATION_SEED)
        count = len(made) if isinstance(made, list) else len(made[0])
        source = Source(model, info.sha256, task, recipe, _some(made), range(count), "synthetic")
    else:
        opened = task.open_dataset(dataset, recipe, cache=settings.cache_dir, model=model, progress=progress)
        few = range(min(opened.count, USUAL_SAMPLES))
        source = Source(model, info.sha256, task, recipe, opened.load, few, dataset.name[:16])
    return int8_model(source, None, store, settings, progress).path


def calibrates(model: Path, subject: Subject, recipe: Mapping[str, Any]) -> bool:
    """Whether the usual int8 form of a model takes ranges from samples."""
    files = part_files(model, tasks().get(subject.benchmark.task).parts(recipe))
    return any(usual_method(path) is Method.STATIC for path in files.values())


def int8_model(
    source: Source,
    method: Method | None,
    store: AssetStore,
    settings: Settings,
    progress: Progress,
    ranges: Ranges | None = None,
) -> Located:
    """The int8 form of a model or of all its parts; made when it is not there.

    Args:
        source: what it is made of.
        method: how ranges are found; the usual one of each part when not given.
        store: keeps it.
        settings: where calibration samples lie meanwhile.
        progress: told while it goes on.
        ranges: how static ones are chosen; as usual for each part when not given.

    Raises:
        InvalidInputError: when the model cannot be quantised.
    """
    files = part_files(source.model, source.task.parts(source.recipe))
    methods = {name: method or usual_method(path) for name, path in files.items()}
    for path in files.values():
        check_fp32(path)
    words = "-".join(dict.fromkeys(each.value for each in methods.values()))
    words += f"-{ranges.value}" if ranges else ""
    key = f"int8-{words}-{(source.sha256 or 'none')[:16]}-{source.origin}-v{QUANTIZER_VERSION}"

    def build(target: Path) -> None:
        with machine_errors(settings.cache_dir):
            settings.cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="calibration-", dir=settings.cache_dir) as scratch:
            recorder = None
            if Method.STATIC in methods.values():
                recorder = record_calls(
                    source.task, source.recipe, files, source.load, source.indices, Path(scratch), progress
                )
            step = progress.start("quantise to int8", total=len(files), unit="models")
            try:
                _build(source.model, files, methods, ranges, recorder, target)
            finally:
                step.finish()

    return store.built(key, "model" if source.model.is_dir() else "model.onnx", build)


def _build(
    model: Path,
    files: Mapping[str, Path],
    methods: Mapping[str, Method],
    ranges: Ranges | None,
    recorder: Recorder | None,
    target: Path,
) -> None:
    if not model.is_dir():
        feeds = recorder.feeds(MODEL) if recorder else ()
        quantize_int8(model, target, feeds, methods[MODEL], ranges)
        return
    with machine_errors(target):
        shutil.copytree(model, target)
    for name, path in files.items():
        inside = target / path.relative_to(model)
        inside.unlink()
        feeds = recorder.feeds(name) if recorder else ()
        quantize_int8(path, inside, feeds, methods[name], ranges)


def _some(made: Samples) -> Callable[[Sequence[int]], Samples]:
    """Samples that were made up, by number."""

    def load(indices: Sequence[int]) -> Samples:
        if isinstance(made, list):
            return [made[index] for index in indices]
        return tuple(array[list(indices)] for array in made)

    return load

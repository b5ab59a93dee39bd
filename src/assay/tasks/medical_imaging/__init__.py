"""Medical imaging: one volume in, the class of each of its voxels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError, nearest
from assay.tasks.medical_imaging.recipe import Recipe, read_recipe
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Ragged
from assay.tasks.reading import require_some

_FLOAT = 4
# The largest volumes of KiTS19 have about 18 times the voxels of a window. What an engine holds for each voxel that it
# works on was measured with ONNX Runtime: MLPerf's 3D U-Net takes 126 float32 numbers (of which 96 are the input, the output and
# the kept copy of one layer of 32 channels), deepbrain 30.
_VOLUME_WINDOWS = 18
_WINDOW_NUMBERS = 130
_WHOLE_NUMBERS = 35
_MADE_UP = 8


class MedicalImaging(BaseTask):
    """The task; it keeps nothing."""

    name = "medical-imaging"

    def open_dataset(
        self,
        path: Path,
        recipe: Mapping[str, Any],
        *,
        cache: Path,
        limit: int | None = None,
        skip_bad: bool = False,
        model: Path | None = None,
        progress: Progress,
    ) -> Dataset:
        """Find and prepare the volumes of a folder."""
        del model
        from assay.tasks.medical_imaging.cases import open_cases
        from assay.tasks.medical_imaging.wholes import open_wholes

        wanted = read_recipe(recipe)
        require_some(limit)
        opener = open_cases if wanted.method == "windows" else open_wholes
        return opener(path, wanted, cache=cache, limit=limit, skip_bad=skip_bad, progress=progress)

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check for one volume as input and the classes of its voxels as output."""
        del part
        wanted = read_recipe(recipe)
        if len(inputs) != 1:
            raise InvalidInputError(
                "the model has another number of inputs than the task",
                expected="one volume",
                found=", ".join(spec.name for spec in inputs) or "none",
            )
        _check_input(inputs[0], wanted)
        _output_index(outputs, wanted)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> Ragged:
        """Volumes of noise in the range of prepared ones; eight are made and repeated, because one takes megabytes."""
        wanted = read_recipe(recipe)
        random = np.random.default_rng(seed)
        if wanted.method == "whole":
            shape = np.full(3, wanted.size, np.int64)
            cubes = [random.random((wanted.size,) * 3, np.float32) for _ in range(min(count, _MADE_UP))]
            return [(cubes[number % len(cubes)], shape) for number in range(count)]
        low, high = ((edge - wanted.raw.mean) / wanted.raw.std for edge in wanted.raw.clip)
        width, start = np.float32(high - low), np.float32(low)
        made = [random.random(wanted.synthetic, np.float32) * width + start for _ in range(min(count, _MADE_UP))]
        return [(made[number % len(made)],) for number in range(count)]

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """A window that slides over each volume, or whole volumes scaled."""
        from assay.tasks.medical_imaging.whole import WholePipeline
        from assay.tasks.medical_imaging.windows import WindowPipeline

        wanted = read_recipe(recipe)
        part = model[MODEL]
        index = _output_index(part.outputs, wanted)
        kind = WindowPipeline if wanted.method == "windows" else WholePipeline
        return kind(part, index, wanted)

    def batch_work(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Volumes are answered one at a time, whole ones as many as the model gets at once: a batch is no faster."""
        del batch_size
        wanted = read_recipe(recipe)
        return wanted.size * wanted.windows.per_call if wanted.method == "whole" else 1

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """What a volume is put together in, its response, and what the engine holds of the windows it works on."""
        del batch_size
        wanted = read_recipe(recipe)
        cube = wanted.size**3
        if wanted.method == "whole":
            return wanted.windows.per_call * cube * (_WHOLE_NUMBERS + 2) * _FLOAT
        scores = len(wanted.classes) + 1
        volume = _VOLUME_WINDOWS * cube
        windows = wanted.windows.per_call * cube * (1 + scores + _WINDOW_NUMBERS) * _FLOAT
        return volume * ((scores + 1) * _FLOAT + 1) + windows

    def slab_bytes(self, recipe: Mapping[str, Any]) -> int:
        """Of what the model gets at once."""
        wanted = read_recipe(recipe)
        return wanted.windows.slab_mb * 2**20 // wanted.windows.per_call

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Mean DICE, and that of each class."""
        return self._score(accuracy_log, dataset, recipe, part=False)

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same over the volumes that the log holds."""
        return self._score(accuracy_log, dataset, recipe, part=True)

    def _score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any], *, part: bool) -> Accuracy:
        from assay.tasks.medical_imaging.accuracy import score_log
        from assay.tasks.medical_imaging.cases import CaseDataset
        from assay.tasks.medical_imaging.wholes import WholeDataset

        assert isinstance(dataset, (CaseDataset, WholeDataset))
        return score_log(accuracy_log, dataset, read_recipe(recipe).classes, part=part)


def _check_input(spec: TensorSpec, recipe: Recipe) -> None:
    fits = len(spec.shape) == 5 and all(
        have in (-1, want) for have, want in zip(spec.shape[1:], recipe.shape, strict=True)
    )
    if not fits:
        raise InvalidInputError(
            f"input {spec.name!r} does not take the task's volumes",
            expected=f"shape (batch, {', '.join(map(str, recipe.shape))})",
            found=f"shape {spec.shape}",
            hint="the model wants another layout or size than the recipe says, or is no segmentation model",
        )
    if spec.dtype != np.dtype(np.float32):
        raise InvalidInputError(
            f"input {spec.name!r} has another type than the task's volumes", expected="float32", found=str(spec.dtype)
        )


def _output_index(outputs: Sequence[TensorSpec], recipe: Recipe) -> int:
    form = recipe.output
    if not outputs:
        raise InvalidInputError("the model has no outputs", expected="the classes of a volume's voxels")
    names = [spec.name for spec in outputs]
    if form.name is not None and form.name not in names:
        raise InvalidInputError(
            f"the model has no output {form.name!r}",
            expected=" or ".join(nearest(form.name, names)) or None,
            found=", ".join(names),
            hint="give its name as `name:` under output in the recipe",
        )
    index = names.index(form.name) if form.name is not None else 0
    shape = outputs[index].shape
    edges = (recipe.size,) * 3
    wanted = (len(recipe.classes) + 1, *edges) if form.kind == "logits" else recipe.shape
    loose = form.kind == "probability" and len(shape) == 4
    inner = edges if loose else wanted
    if len(shape) != len(inner) + 1 or any(h not in (-1, w) for h, w in zip(shape[1:], inner, strict=True)):
        raise InvalidInputError(
            f"output {names[index]!r} does not fit the recipe",
            expected=f"shape (batch, {', '.join(map(str, wanted))})",
            found=f"shape {shape}",
            hint=f"the classes are background, {', '.join(recipe.classes)}" if form.kind == "logits" else None,
        )
    return index


TASK = MedicalImaging()

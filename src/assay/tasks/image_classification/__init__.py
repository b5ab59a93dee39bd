"""Image classification: one image in, one of 1,000 ImageNet classes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.progress import Progress
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, nearest
from assay.tasks.image_classification.reader import make_reader
from assay.tasks.image_classification.recipe import Recipe, read_recipe
from assay.tasks.protocol import MODEL, Accuracy, Dataset, Reader, UniformTask


class ImageClassification(UniformTask):
    """The task; it keeps nothing."""

    name = "image-classification"

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
        """Find and prepare the images of a folder."""
        del model
        # OpenCV takes 0.2 s to import and is needed where images are.
        from assay.tasks.image_classification.dataset import open_images

        return open_images(path, read_recipe(recipe), cache=cache, limit=limit, skip_bad=skip_bad, progress=progress)

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check for one image input of the recipe's shape and an output of class scores or labels."""
        del part
        wanted = read_recipe(recipe)
        if len(inputs) != 1:
            names = ", ".join(spec.name for spec in inputs)
            raise InvalidInputError(
                "the model has another number of inputs than the task",
                expected="one image",
                found=names or "none",
            )
        _check_input(inputs[0], wanted)
        _output_index(outputs, wanted)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> tuple[Array, ...]:
        """Random pictures, normalised as the recipe says."""
        from assay.tasks.image_classification.preprocess import Normaliser

        wanted = read_recipe(recipe)
        random, normalise = np.random.default_rng(seed), Normaliser(wanted)
        samples = np.empty((count, *wanted.shape), wanted.dtype)
        for sample in samples:
            normalise(random.integers(0, 256, (wanted.crop, wanted.crop, 3), np.uint8), sample)
        return (samples,)

    def reader(self, outputs: Sequence[TensorSpec], recipe: Mapping[str, Any]) -> Reader:
        """How outputs are read, decided once: a function from a batch of outputs to response rows."""
        wanted = read_recipe(recipe)
        return make_reader(outputs, _output_index(outputs, wanted), wanted.output)

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Top-1 accuracy in percent, and top-k where the responses hold more labels."""
        from assay.tasks.image_classification.accuracy import score_log
        from assay.tasks.image_classification.dataset import ImageDataset

        del recipe
        assert isinstance(dataset, ImageDataset)
        return score_log(accuracy_log, dataset.labels)

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Top-1 accuracy over the pictures that the log holds."""
        from assay.tasks.image_classification.accuracy import score_log
        from assay.tasks.image_classification.dataset import ImageDataset

        del recipe
        assert isinstance(dataset, ImageDataset)
        return score_log(accuracy_log, dataset.labels, part=True)


def _check_input(spec: TensorSpec, recipe: Recipe) -> None:
    wanted = (-1, *recipe.shape)
    fits = len(spec.shape) == 4 and all(
        have in (-1, want) for have, want in zip(spec.shape[1:], wanted[1:], strict=True)
    )
    if not fits:
        other = "NHWC" if recipe.layout == "NCHW" else "NCHW"
        swapped = len(spec.shape) == 4 and 3 in (spec.shape[1], spec.shape[3])
        raise InvalidInputError(
            f"input {spec.name!r} does not take the task's images",
            expected=f"shape (batch, {', '.join(map(str, recipe.shape))})",
            found=f"shape {spec.shape}",
            hint=f"the model wants {other}, or another image size" if swapped else "this is no image classifier",
        )
    if spec.dtype != np.dtype(recipe.dtype):
        raise InvalidInputError(
            f"input {spec.name!r} has another type than the recipe",
            expected=recipe.dtype,
            found=str(spec.dtype),
        )


def _output_index(outputs: Sequence[TensorSpec], recipe: Recipe) -> int:
    form = recipe.output
    if not outputs:
        raise InvalidInputError("the model has no outputs")
    names = [spec.name for spec in outputs]
    index = names.index(form.name) if form.name in names else 0
    if form.name is not None and form.name not in names:
        close = nearest(form.name, names)
        raise InvalidInputError(
            f"the model has no output {form.name!r}",
            expected=" or ".join(close) or None,
            found=", ".join(names),
            hint="give its name as `name:` under output in the recipe",
        )
    shape = outputs[index].shape
    if form.kind == "logits" and (len(shape) != 2 or 0 <= shape[1] < form.top):
        raise InvalidInputError(
            f"output {names[index]!r} is no list of class scores",
            expected=f"shape (batch, classes), at least {form.top} classes",
            found=f"shape {shape}",
            hint="for a model that gives the label itself, say `kind: argmax` under output in the recipe",
        )
    if form.kind == "argmax" and any(size not in (-1, 1) for size in shape[1:]):
        raise InvalidInputError(
            f"output {names[index]!r} is no label",
            expected="shape (batch,) or (batch, 1)",
            found=f"shape {shape}",
            hint="for a model that gives class scores, say `kind: logits` under output in the recipe",
        )
    return index


TASK = ImageClassification()

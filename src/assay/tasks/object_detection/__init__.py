"""Object detection: one picture in, any number of boxes with their classes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.object_detection.pipeline import DetectionPipeline, output_places
from assay.tasks.object_detection.recipe import Recipe, read_recipe
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Ragged


class ObjectDetection(BaseTask):
    """The task; it keeps nothing.

    Samples are all of one size and yet ragged, because a sample is two things: the picture, and its index, which the
    official response repeats in every row.
    """

    name = "object-detection"

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
        """Find the pictures of a folder and try whether they can be read."""
        del model
        # OpenCV takes 0.2 s to import and is needed where pictures are.
        from assay.tasks.object_detection.dataset import open_pictures

        return open_pictures(path, read_recipe(recipe), cache=cache, limit=limit, skip_bad=skip_bad, progress=progress)

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check for one picture input of the recipe's shape, and outputs of boxes, scores and classes."""
        del part
        wanted = read_recipe(recipe)
        if len(inputs) != 1:
            names = ", ".join(spec.name for spec in inputs)
            raise InvalidInputError(
                "the model has another number of inputs than the task",
                expected="one picture",
                found=names or "none",
            )
        _check_input(inputs[0], wanted)
        output_places(outputs, wanted.output)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> Ragged:
        """Random pictures, normalised as the recipe says, and their index."""
        from assay.tasks.object_detection.picture import Preparer

        wanted = read_recipe(recipe)
        random, prepare = np.random.default_rng(seed), Preparer(wanted)
        return [
            (
                prepare(random.integers(0, 256, (wanted.size, wanted.size, 3), np.uint8)),
                np.array([index], np.float32),
            )
            for index in range(count)
        ]

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """Run the model on some pictures and write its detections down as rows."""
        return DetectionPipeline(model[MODEL], read_recipe(recipe))

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """The batch that the pictures are put together in."""
        wanted = read_recipe(recipe)
        batch_size = min(batch_size, wanted.together or batch_size)
        return batch_size * 3 * wanted.size**2 * np.dtype(wanted.dtype).itemsize if batch_size > 1 else 0

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Mean average precision in percent; the share of objects found where no boxes are known."""
        from assay.tasks.object_detection.accuracy import score_log
        from assay.tasks.object_detection.dataset import PictureDataset

        assert isinstance(dataset, PictureDataset)
        return score_log(accuracy_log, dataset.truth, positions=read_recipe(recipe).classes == "position")

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same over the pictures that the log holds."""
        from assay.tasks.object_detection.accuracy import score_log
        from assay.tasks.object_detection.dataset import PictureDataset

        assert isinstance(dataset, PictureDataset)
        positions = read_recipe(recipe).classes == "position"
        return score_log(accuracy_log, dataset.truth, positions=positions, part=True)


def _check_input(spec: TensorSpec, recipe: Recipe) -> None:
    fits = len(spec.shape) == 4 and all(
        have in (-1, want) for have, want in zip(spec.shape[1:], recipe.shape, strict=True)
    )
    if not fits:
        other = "NHWC" if recipe.layout == "NCHW" else "NCHW"
        swapped = len(spec.shape) == 4 and 3 in (spec.shape[1], spec.shape[3])
        raise InvalidInputError(
            f"input {spec.name!r} does not take the task's pictures",
            expected=f"shape (batch, {', '.join(map(str, recipe.shape))})",
            found=f"shape {spec.shape}",
            hint=f"the model wants {other}, or another size" if swapped else "this is no detector of pictures",
        )
    if spec.dtype != np.dtype(recipe.dtype):
        raise InvalidInputError(
            f"input {spec.name!r} has another type than the recipe",
            expected=recipe.dtype,
            found=str(spec.dtype),
        )


TASK = ObjectDetection()

"""Recommendation: will this user click on (or like) this item; samples are groups of 100 to 700 such pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Sample
from assay.tasks.recommendation.groups import QUANTILE
from assay.tasks.recommendation.recipe import Recipe, read_recipe

_FLOAT_BYTES = 4
_TYPICAL_WIDTH = 128


class Recommendation(BaseTask):
    """The task; it keeps nothing."""

    name = "recommendation"

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
        """Find the pairs of a folder and cut them into samples; a wrong pair is never left out."""
        del skip_bad, model
        from assay.tasks.recommendation.dataset import open_pairs

        return open_pairs(path, read_recipe(recipe), cache=cache, limit=limit, progress=progress)

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check for dense values and ids of the recipe's widths, and one number for each pair."""
        del part
        from assay.tasks.recommendation.pipeline import check_output, wire

        wire(inputs, read_recipe(recipe))
        check_output(outputs)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> list[Sample]:
        """Random pairs in groups of the official sizes."""
        wanted, random = read_recipe(recipe), np.random.default_rng(seed)
        rows = np.asarray(wanted.rows or (2,) * len(wanted.hots), np.int64)
        limits = np.repeat(rows, wanted.hots)
        samples: list[Sample] = []
        for size in random.choice(QUANTILE, count).tolist():
            dense = np.log1p(random.integers(0, 100, (size, wanted.dense))).astype(np.float32)
            ids = random.integers(0, limits, (size, wanted.ids)).astype(np.int32)
            samples.append((dense, ids, random.integers(0, 2, size).astype(np.float32)))
        return samples

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """All pairs of a batch through the engine, as many at once as the recipe says."""
        from assay.tasks.recommendation.pipeline import PairPipeline

        return PairPipeline(model[MODEL], read_recipe(recipe))

    def batch_work(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Pairs of one call of the engine."""
        del batch_size
        return read_recipe(recipe).pairs

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Buffers, and the rows that the engine looks up: those of the table that is asked for most, and all sums."""
        del batch_size
        return _working_memory(read_recipe(recipe))

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Area under the ROC curve in percent."""
        from assay.tasks.recommendation.accuracy import score_log
        from assay.tasks.recommendation.dataset import PairDataset

        del recipe
        assert isinstance(dataset, PairDataset)
        return score_log(accuracy_log, dataset)

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same over the samples that the log holds."""
        from assay.tasks.recommendation.accuracy import score_log
        from assay.tasks.recommendation.dataset import PairDataset

        del recipe
        assert isinstance(dataset, PairDataset)
        return score_log(accuracy_log, dataset, part=True)


def _working_memory(recipe: Recipe) -> int:
    buffers = recipe.dense + recipe.ids
    looked_up = (max(recipe.hots) + 3 * len(recipe.hots)) * _TYPICAL_WIDTH
    return recipe.pairs * _FLOAT_BYTES * (buffers + looked_up)


TASK = Recommendation()

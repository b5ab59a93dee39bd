"""The stand-in for DLRM: a small one, trained here on MovieLens-100k by a fixed recipe.

Everything is drawn from seeds: the split of the data, the weights, the order of the batches. What was done is written
into the model's metadata.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from assay.base.progress import SILENT, Progress
from assay.models.dlrm_graph import dlrm_graph
from assay.models.dlrm_movielens import SPLIT, SPLIT_SEED, MovieLens, read_movielens
from assay.models.dlrm_network import Network, Shape, draw_parameters
from assay.models.training import Schedule, Trained, train
from assay.models.training_auc import roc_auc

RECIPE_VERSION = "1"
WIDTH, BOTTOM, TOP = 16, (64, 16), (64, 32, 1)
SCHEDULE = Schedule(decay=1.0)


def build_movielens_dlrm(folder: Path, seed: int, *, progress: Progress = SILENT) -> onnx.ModelProto:
    """Train on the ratings of a folder; about 52,000 parameters.

    Raises:
        NotFoundError: when a file is missing.
        InvalidInputError: when one is of another form.
    """
    data = read_movielens(folder)
    shape = shape_for(data)
    trained = train_on(data, seed, SCHEDULE, progress=progress)
    count = sum(value.size for value in trained.parameters.values())
    metadata = {
        "recipe": f"movielens-dlrm {RECIPE_VERSION}",
        "seed": str(seed),
        "split": f"{'/'.join(f'{share:.0%}' for share in SPLIT)} at random, seed {SPLIT_SEED}",
        "pairs": f"{len(data.train)} trained on, {len(data.validation)} to stop by, {len(data.test)} kept for the test",
        "data": f"MovieLens-100k, ml-100k.inter sha256 {data.digest}",
        "epochs": f"{trained.epoch} of {len(trained.figures)}, at most {SCHEDULE.epochs}",
        "validation-auc": f"{trained.figure:.4f}",
        "parameters": str(count),
    }
    return dlrm_graph(
        "movielens-dlrm",
        trained.parameters,
        hots=(1,) * len(shape.rows),
        bottom=len(BOTTOM),
        top=len(TOP),
        metadata=metadata,
    )


def shape_for(data: MovieLens) -> Shape:
    """Sizes of the network for the data."""
    return Shape(data.train.dense.shape[1], data.rows, WIDTH, BOTTOM, TOP)


def train_on(data: MovieLens, seed: int, schedule: Schedule, *, progress: Progress = SILENT) -> Trained:
    """Train on the training part and stop by the validation part; the test part is not looked at."""
    shape = shape_for(data)
    return train(
        Network(shape),
        draw_parameters(shape, seed),
        data.train,
        data.validation,
        schedule,
        roc_auc,
        seed=seed,
        progress=progress,
    )

"""AUC from LoadGen's accuracy log, in the official form.

Source: mlcommons/inference v3.1, recommendation/dlrm/pytorch/tools/accuracy-dlrm.py: float32 pairs of prediction and
target, the first response of a sample holds, halves are rounded to the even number, three decimals.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.loadgen.logs import AccuracyLog, read_accuracy
from assay.models.training_auc import roc_auc
from assay.tasks.protocol import Accuracy
from assay.tasks.recommendation.dataset import PairDataset

_PAIR_BYTES = 8


def score_log(log: Path, dataset: PairDataset, *, part: bool = False) -> Accuracy:
    """Score ``mlperf_log_accuracy.json`` of a dataset; with ``part`` it may hold some samples only.

    Raises:
        InvalidInputError: when a sample has no response or one of another size, an answer is no number, the targets
            are not those of the dataset, or all of one class (the official tool has no figure then, either).
    """
    read = read_accuracy(log)
    indices, first = np.unique(read.qsl_idx, return_index=True)
    count = dataset.count
    enough = len(indices) > 0 if part else len(indices) == count
    if not enough or indices[0] < 0 or indices[-1] >= count:
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{count:,} samples",
            found=f"{len(indices):,} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    pairs = _pairs(read, indices, first, dataset)
    scores, targets = pairs[:, 0], pairs[:, 1]
    _check(scores, targets, indices, dataset, log)
    try:
        area = 100.0 * roc_auc(targets, scores)
    except InvalidInputError as error:
        error.where = str(log)
        raise
    good, total = int((np.round(scores) == targets).sum()), len(scores)
    accuracy = 100.0 * (good / total)
    return Accuracy(
        metrics={"AUC": area},
        units={"AUC": "percent"},
        samples=len(indices),
        text=f"AUC={area:.3f}%, accuracy={accuracy:.3f}%, good={good}, total={total}, queries={len(indices)}",
        details={"accuracy": accuracy},
    )


def _pairs(
    read: AccuracyLog, indices: NDArray[np.int64], first: NDArray[np.intp], dataset: PairDataset
) -> NDArray[np.float32]:
    """Prediction and target of every pair of the samples in the order of the dataset, ``(pairs, 2)``."""
    data = [read.data[place] for place in first.tolist()]
    sizes = dataset.sizes[indices]
    for index, item, size in zip(indices.tolist(), data, sizes.tolist(), strict=True):
        if len(item) != size * _PAIR_BYTES:
            raise InvalidInputError(
                f"the response to sample {index} has {len(item):,} bytes",
                where=read.path,
                expected=f"{size * _PAIR_BYTES:,} bytes: prediction and target of {size} pairs as float32",
                hint="a run that failed or was interrupted answers with nothing; run it again",
            )
    return np.frombuffer(b"".join(data), "<f4").reshape(-1, 2)


def _check(
    scores: NDArray[np.float32],
    targets: NDArray[np.float32],
    indices: NDArray[np.int64],
    dataset: PairDataset,
    log: Path,
) -> None:
    if not np.isfinite(scores).all():
        raise InvalidInputError("a prediction is no number", where=log)
    wrong = targets != _targets(indices, dataset)
    if wrong.any():
        ends = np.cumsum(dataset.sizes[indices])
        sample = int(indices[np.searchsorted(ends, int(np.argmax(wrong)), side="right")])
        raise InvalidInputError(
            "the targets in the log are not those of the dataset",
            where=f"{log}: sample {sample}",
            found=f"{int(wrong.sum()):,} of {len(targets):,} differ",
            hint="the run was made with other data",
        )


def _targets(indices: NDArray[np.int64], dataset: PairDataset) -> NDArray[np.float32]:
    """The dataset's own targets of the pairs of some samples, in its order."""
    every = dataset.targets()
    if len(indices) == dataset.count:
        return np.asarray(every)
    chosen = np.zeros(dataset.count, bool)
    chosen[indices] = True
    return np.asarray(every[np.repeat(chosen, dataset.sizes)])

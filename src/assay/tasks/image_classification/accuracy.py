"""Top-1 and top-k accuracy from LoadGen's accuracy log, in the official form.

Source: mlcommons/inference v3.1, vision/classification_and_detection/tools/accuracy-imagenet.py (first response of a
sample holds; three decimals) and tools/submission/truncate_accuracy_log.py (the hash line of ``accuracy.txt``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.loadgen.logs import read_accuracy
from assay.tasks.protocol import Accuracy


def score_log(log: Path, labels: NDArray[np.int64], *, part: bool = False) -> Accuracy:
    """Score ``mlperf_log_accuracy.json`` against the labels of the samples.

    A response holds float32 labels, best first; the first is the answer. With ``part`` the log may hold some samples only.

    Raises:
        InvalidInputError: when a sample has no response, an unknown index or a response that is no label.
    """
    read = read_accuracy(log)
    indices, first = np.unique(read.qsl_idx, return_index=True)
    enough = len(indices) > 0 if part else len(indices) == len(labels)
    if not enough or (len(indices) and (indices[0] < 0 or indices[-1] >= len(labels))):
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{len(labels)} samples",
            found=f"{len(indices)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    answers = read.values("<f4")[first]
    if not np.isfinite(answers).all():
        raise InvalidInputError("a response is no number", where=log)
    hits = answers.astype(np.int64) == labels[indices, None]
    good, total = int(hits[:, 0].sum()), len(indices)
    accuracy = 100.0 * good / total
    details = {} if answers.shape[1] < 2 else {f"top{answers.shape[1]}": 100.0 * float(hits.any(axis=1).mean())}
    return Accuracy(
        metrics={"acc": accuracy},
        units={"acc": "percent"},
        samples=total,
        text=f"accuracy={accuracy:.3f}%, good={good}, total={total}",
        details=details,
    )

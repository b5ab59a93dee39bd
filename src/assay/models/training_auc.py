"""Area under the receiver operating characteristic: how often a click is scored above a pair without one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError


def roc_auc(targets: NDArray[Any], scores: NDArray[Any]) -> float:
    """The area, between 0 and 1; pairs of equal score count half, as in scikit-learn's ``roc_auc_score``.

    The area is added up in whole numbers (exact up to 3e9 pairs), so that no order of summing plays a part.

    Args:
        targets: 0 or 1, ``(n,)``.
        scores: finite, larger for likelier clicks, ``(n,)``.

    Raises:
        InvalidInputError: when all targets are the same: the area is then not defined.
    """
    order = np.argsort(scores, kind="stable")[::-1]
    ranked = scores[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    hits = np.cumsum(targets[order] != 0, dtype=np.int64)[ends] if len(ranked) else np.zeros(1, np.int64)
    misses = ends + 1 - hits if len(ranked) else np.zeros(1, np.int64)
    positives, negatives = int(hits[-1]), int(misses[-1])
    if not positives or not negatives:
        raise InvalidInputError(
            "the area under the curve is not defined: all targets are the same",
            expected="clicks and pairs without one",
            found=f"{positives:,} of 1, {negatives:,} of 0",
        )
    below = np.diff(misses, prepend=0)
    twice = int(np.sum(below * (2 * hits - np.diff(hits, prepend=0)), dtype=np.int64))
    return twice / (2 * positives * negatives)

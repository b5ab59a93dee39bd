from __future__ import annotations

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.models.training_auc import roc_auc


def by_definition(targets: list[int], scores: list[float]) -> float:
    """How often a click is above a pair without one; equal ones count half."""
    ones = [score for score, target in zip(scores, targets, strict=True) if target]
    zeros = [score for score, target in zip(scores, targets, strict=True) if not target]
    wins = sum((one > zero) + 0.5 * (one == zero) for one in ones for zero in zeros)
    return wins / (len(ones) * len(zeros))


@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("count", [2, 3, 50, 200])
def test_it_is_the_share_of_pairs_in_the_right_order(count: int, levels: int) -> None:
    random = np.random.default_rng(count + levels)
    targets = random.integers(0, 2, count)
    targets[:2] = [0, 1]
    scores = (random.integers(0, levels, count) / levels).astype(np.float32)
    assert roc_auc(targets, scores) == pytest.approx(by_definition(targets.tolist(), scores.tolist()), abs=1e-12)


@pytest.mark.parametrize(
    ("targets", "scores", "area"),
    [
        ([0, 1], [0.1, 0.9], 1.0),
        ([1, 0], [0.1, 0.9], 0.0),
        ([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], 0.5),
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ([0, 1, 0], [-0.0, 0.0, -1.0], 0.75),
    ],
)
def test_known_areas(targets: list[int], scores: list[float], area: float) -> None:
    """The fourth is the example in scikit-learn's documentation of roc_auc_score."""
    assert roc_auc(np.array(targets), np.array(scores, np.float32)) == area


@pytest.mark.parametrize("targets", [[], [1, 1], [0, 0, 0]])
def test_of_one_class_there_is_none(targets: list[int]) -> None:
    with pytest.raises(InvalidInputError, match="not defined"):
        roc_auc(np.array(targets), np.linspace(0, 1, len(targets)))

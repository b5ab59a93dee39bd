from __future__ import annotations

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.models.dlrm_movielens import Pairs
from assay.models.dlrm_network import Network, Parameters, Shape, SparseGradient, draw_parameters, table_name
from assay.models.training import Adam, Schedule, Trained, train
from assay.models.training_auc import roc_auc

SHAPE = Shape(dense=2, rows=(20, 10), width=4, bottom=(4,), top=(8, 1))
QUICK = Schedule(batch=64, rate=0.01, epochs=12, patience=3)


def pairs(count: int, seed: int) -> Pairs:
    """Targets that depend on a table's row and a number."""
    random = np.random.default_rng(seed)
    dense = random.standard_normal((count, 2)).astype(np.float32)
    ids = np.stack([random.integers(0, 20, count), random.integers(0, 10, count)], axis=1).astype(np.int32)
    chance = 1 / (1 + np.exp(-(3 * (ids[:, 0] % 2) - 1.5 + dense[:, 0])))
    return Pairs(dense, ids, (random.random(count) < chance).astype(np.float32))


def trained(seed: int, schedule: Schedule = QUICK) -> tuple[Parameters, Trained]:
    start = draw_parameters(SHAPE, 1)
    found = train(Network(SHAPE), start, pairs(2000, 1), pairs(500, 2), schedule, roc_auc, seed=seed, progress=SILENT)
    return start, found


def test_it_learns_and_leaves_the_start_as_it_was() -> None:
    start, found = trained(1)
    assert found.figure > 0.8
    assert all(np.array_equal(value, draw_parameters(SHAPE, 1)[name]) for name, value in start.items())


def test_the_same_seed_gives_the_same_to_the_last_bit() -> None:
    one, two, other = trained(1)[1], trained(1)[1], trained(2)[1]
    assert one.figures == two.figures != other.figures
    assert all(np.array_equal(value, two.parameters[name]) for name, value in one.parameters.items())


def test_it_stops_early_and_keeps_the_best() -> None:
    figures = iter([0.6, 0.9, 0.8, 0.7, 0.6, 0.99])
    network, start = Network(SHAPE), draw_parameters(SHAPE, 1)
    schedule = Schedule(batch=64, epochs=20, patience=3)
    found = train(
        network, start, pairs(300, 1), pairs(100, 2), schedule, lambda *_: next(figures), seed=1, progress=SILENT
    )
    assert (found.epoch, found.figure, found.figures) == (2, 0.9, (0.6, 0.9, 0.8, 0.7, 0.6))
    two = Schedule(batch=64, epochs=2, patience=3)
    again = train(network, start, pairs(300, 1), pairs(100, 2), two, roc_auc, seed=1, progress=SILENT)
    assert all(np.array_equal(value, again.parameters[name]) for name, value in found.parameters.items()) == (
        again.epoch == 2
    )


def test_adams_first_step_is_the_rate_against_the_gradient() -> None:
    parameters = {"weight": np.array([1.0, 1.0, 1.0])}
    Adam(parameters, 0.1, 0.0).step({"weight": np.array([5.0, -0.01, 0.0])}, [])
    assert parameters["weight"] == pytest.approx([0.9, 1.1, 1.0], abs=1e-6)


def test_only_used_rows_of_a_table_move() -> None:
    parameters = {table_name(0): np.ones((3, 2))}
    adam = Adam(parameters, 0.1, 0.5)
    for _ in range(2):
        adam.step({}, [SparseGradient(np.array([1]), np.array([[1.0, -1.0]]))])
    table = parameters[table_name(0)]
    assert table[[0, 2]].tolist() == [[1, 1], [1, 1]]
    assert table[1] == pytest.approx([(1 * 0.95 - 0.1) * 0.95 - 0.1, (1 * 0.95 + 0.1) * 0.95 + 0.1], abs=1e-6)

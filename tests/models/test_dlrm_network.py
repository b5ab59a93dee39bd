from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from assay.models.dlrm_network import (
    Network,
    Parameters,
    Shape,
    below_diagonal,
    draw_parameters,
    sigmoid,
    sum_by_row,
    table_name,
)

SHAPE = Shape(dense=3, rows=(5, 4), width=4, bottom=(6, 4), top=(5, 1))


def batch(count: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    return (
        random.standard_normal((count, SHAPE.dense)),
        np.stack([random.integers(0, rows, count) for rows in SHAPE.rows], axis=1),
        random.integers(0, 2, count).astype(np.float64),
    )


def parameters() -> Parameters:
    """Drawn ones with biases that are not 0 and larger tables, so that every path is open."""
    random = np.random.default_rng(6)
    drawn = draw_parameters(SHAPE, 1, np.float64)
    return {name: value + 0.3 * random.standard_normal(value.shape) for name, value in drawn.items()}


def test_sizes_of_the_layers() -> None:
    assert SHAPE.bottom_sizes == ((3, 6), (6, 4))
    assert (SHAPE.products, SHAPE.top_sizes) == (3, ((7, 5), (5, 1)))
    drawn = draw_parameters(SHAPE, 1)
    assert drawn["top.0.weight"].shape == (5, 7)
    assert {value.dtype for value in drawn.values()} == {np.dtype(np.float32)}


def test_logits_are_those_of_a_pair_reckoned_by_hand() -> None:
    dense, ids, _ = batch()
    made = parameters()
    x = dense[2]
    for layer in range(2):
        x = np.maximum(made[f"bottom.{layer}.weight"] @ x + made[f"bottom.{layer}.bias"], 0)
    one, two = made[table_name(0)][ids[2, 0]], made[table_name(1)][ids[2, 1]]
    top = np.concatenate([x, [one @ x, two @ x, two @ one]])
    top = np.maximum(made["top.0.weight"] @ top + made["top.0.bias"], 0)
    expected = (made["top.1.weight"] @ top + made["top.1.bias"])[0]
    assert Network(SHAPE).logits(made, dense, ids)[2] == pytest.approx(expected, rel=1e-12)


def entries(made: Parameters) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, value in made.items():
        for place in np.ndindex(value.shape):
            yield name, place


def test_gradients_are_those_of_finite_differences() -> None:
    """Every single parameter, by central differences in double precision."""
    network, made = Network(SHAPE), parameters()
    dense, ids, targets = batch()

    def loss() -> float:
        return network.gradients(made, dense, ids, targets)[0]

    _, layers, tables = network.gradients(made, dense, ids, targets)
    whole = dict(layers)
    for number, table in enumerate(tables):
        whole[table_name(number)] = np.zeros_like(made[table_name(number)])
        whole[table_name(number)][table.rows] = table.values
    step, checked = 1e-6, 0
    for name, place in entries(made):
        kept = made[name][place]
        made[name][place] = kept + step
        above = loss()
        made[name][place] = kept - step
        difference = (above - loss()) / (2 * step)
        made[name][place] = kept
        assert whole[name][place] == pytest.approx(difference, abs=2e-8), f"{name}{place}"
        checked += difference != 0
    assert checked > 60, "a gradient of 0 proves little"


def test_the_loss_is_the_mean_cross_entropy() -> None:
    network, made = Network(SHAPE), parameters()
    dense, ids, targets = batch()
    chance = sigmoid(network.logits(made, dense, ids))
    expected = -np.mean(targets * np.log(chance) + (1 - targets) * np.log(1 - chance))
    assert network.gradients(made, dense, ids, targets)[0] == pytest.approx(expected, rel=1e-12)


def test_rows_used_more_than_once_are_added_up() -> None:
    found = sum_by_row(np.array([3, 1, 3, 0]), np.array([[1.0], [10.0], [2.0], [5.0]]))
    assert (found.rows.tolist(), found.values.tolist()) == ([0, 1, 3], [[5.0], [10.0], [3.0]])


def test_a_batch_larger_than_a_piece_gives_the_same() -> None:
    network, made = Network(Shape(200, (5, 4), 40, (300, 40), (100, 1))), None
    made = draw_parameters(Shape(200, (5, 4), 40, (300, 40), (100, 1)), 3, np.float64)
    random = np.random.default_rng(1)
    dense, ids = random.standard_normal((50, 200)), random.integers(0, 4, (50, 2))
    singly = [network.logits(made, dense[row : row + 1], ids[row : row + 1])[0] for row in range(50)]
    assert network.logits(made, dense, ids) == pytest.approx(singly, rel=1e-9)


def test_products_below_the_diagonal_come_row_by_row() -> None:
    rows, columns = below_diagonal(4)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0, 1e4], np.float32)).tolist() == [0, 0.5, 1]

"""Training by a recipe: batches in a drawn order, Adam, early stopping on a validation part.

Tables are updated in the rows that a batch used, as sparse Adam does (Kingma and Ba 2015; the moments of other rows
rest). The same seed gives the same parameters on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.base.progress import Progress
from assay.models.dlrm_movielens import Pairs
from assay.models.dlrm_network import Network, Parameters, SparseGradient, Values, table_name

Judge = Callable[[Values, Values], float]
"""From targets and scores to a figure that is better when larger."""

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        batch: pairs of a step.
        rate: Adam's step.
        decay: weights of tables are drawn towards 0 by this share of the rate (decoupled, Loshchilov and Hutter 2019).
        epochs: passes over the training part, at most.
        patience: passes without a better validation figure after which it ends.
    """

    batch: int = 512
    rate: float = 0.002
    decay: float = 0.0
    epochs: int = 20
    patience: int = 3


@dataclass(frozen=True, slots=True)
class Trained:
    """The best parameters met.

    Attributes:
        figure: on the validation part.
        epoch: pass after which they were met, from 1.
        figures: validation figure after every pass.
    """

    parameters: Parameters
    figure: float
    epoch: int
    figures: tuple[float, ...]


class Adam:
    """Adam over named parameters, changed in place.

    Args:
        parameters: what is trained.
        rate: step.
        decay: of tables.
    """

    def __init__(self, parameters: Parameters, rate: float, decay: float) -> None:
        self._parameters = parameters
        self._rate = rate
        self._decay = decay
        self._steps = 0
        self._first = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._second = {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(self, layers: Mapping[str, Values], tables: list[SparseGradient]) -> None:
        """One step."""
        self._steps += 1
        for name, gradient in layers.items():
            self._parameters[name] -= self._change(self._first[name], self._second[name], gradient)
        for number, table in enumerate(tables):
            name = table_name(number)
            first, second = self._first[name][table.rows], self._second[name][table.rows]
            change = self._change(first, second, table.values)
            self._first[name][table.rows], self._second[name][table.rows] = first, second
            kept = self._parameters[name][table.rows] * (1 - self._rate * self._decay)
            self._parameters[name][table.rows] = kept - change

    def _change(self, first: Values, second: Values, gradient: Values) -> Values:
        one, two = _BETAS
        first += (1 - one) * (gradient - first)
        second += (1 - two) * (gradient * gradient - second)
        scale = self._rate / (1 - one**self._steps)
        change = scale * first / (np.sqrt(second / (1 - two**self._steps)) + _EPSILON)
        return np.asarray(change, first.dtype)


def train(
    network: Network,
    parameters: Parameters,
    training: Pairs,
    validation: Pairs,
    schedule: Schedule,
    judge: Judge,
    *,
    seed: int,
    progress: Progress,
) -> Trained:
    """Train until the validation figure no longer grows; the parameters given are left as they are."""
    random = np.random.default_rng(seed)
    current = {name: value.copy() for name, value in parameters.items()}
    adam = Adam(current, schedule.rate, schedule.decay)
    best = Trained(current, -np.inf, 0, ())
    figures: list[float] = []
    step = progress.start("train", total=schedule.epochs, unit="epochs")
    for epoch in range(1, schedule.epochs + 1):
        order = random.permutation(len(training))
        for start in range(0, len(order), schedule.batch):
            batch = training.take(order[start : start + schedule.batch])
            _, layers, tables = network.gradients(current, batch.dense, batch.ids, batch.targets)
            adam.step(layers, tables)
        figures.append(judge(validation.targets, network.logits(current, validation.dense, validation.ids)))
        step.advance()
        if figures[-1] > best.figure:
            best = Trained({name: value.copy() for name, value in current.items()}, figures[-1], epoch, ())
        elif epoch - best.epoch >= schedule.patience:
            break
    step.finish()
    return Trained(best.parameters, best.figure, best.epoch, tuple(figures))

"""A small DLRM in numpy, forward and backward, to train it where there is no framework.

Dense values go through the bottom layers; embeddings of the ids are looked up; the dot products of all pairs of these
vectors go, with the bottom's output, through the top layers (Naumov et al., Deep Learning Recommendation Model for
Personalization and Recommendation Systems, 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SERIAL = 4 * 65536
"""Multiplications up to which OpenBLAS keeps to the calling thread."""

Values = NDArray[np.floating]
Parameters = dict[str, Values]
Gradients = dict[str, Values]


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network.

    Attributes:
        dense: numbers of a pair.
        rows: rows of each table.
        width: of the embeddings.
        bottom: widths of the bottom layers; the last is ``width``.
        top: widths of the top layers; the last is 1.
    """

    dense: int
    rows: tuple[int, ...]
    width: int
    bottom: tuple[int, ...]
    top: tuple[int, ...]

    @property
    def products(self) -> int:
        """Pairs of vectors."""
        vectors = len(self.rows) + 1
        return vectors * (vectors - 1) // 2

    @property
    def bottom_sizes(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each bottom layer."""
        return tuple(zip((self.dense, *self.bottom[:-1]), self.bottom, strict=True))

    @property
    def top_sizes(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each top layer."""
        return tuple(zip((self.width + self.products, *self.top[:-1]), self.top, strict=True))


@dataclass(frozen=True, slots=True)
class SparseGradient:
    """Gradient of the rows of a table that a batch used.

    Attributes:
        rows: each once, ``(k,)``.
        values: ``(k, width)``.
    """

    rows: NDArray[np.intp]
    values: Values


def table_name(number: int) -> str:
    """Parameter name of a table."""
    return f"table.{number}"


def draw_parameters(shape: Shape, seed: int, dtype: type[np.floating] = np.float32) -> Parameters:
    """Weights as at the start of training (He et al. 2015 for layers), drawn from a seed."""
    random = np.random.default_rng(seed)
    drawn: dict[str, NDArray[np.float64]] = {}
    for number, rows in enumerate(shape.rows):
        drawn[table_name(number)] = random.standard_normal((rows, shape.width)) * 0.1
    for part, sizes in (("bottom", shape.bottom_sizes), ("top", shape.top_sizes)):
        for layer, (inputs, outputs) in enumerate(sizes):
            drawn[f"{part}.{layer}.weight"] = random.standard_normal((outputs, inputs)) * np.sqrt(2.0 / inputs)
            drawn[f"{part}.{layer}.bias"] = np.zeros(outputs)
    return {name: value.astype(dtype) for name, value in drawn.items()}


def below_diagonal(vectors: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns below the diagonal, row by row: the order of the reference's products."""
    rows, columns = np.tril_indices(vectors, -1)
    return rows, columns


class Network:
    """Forward and backward of one batch after the other; it keeps no parameters.

    Args:
        shape: sizes of the network.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._rows, self._columns = below_diagonal(len(shape.rows) + 1)

    def logits(self, parameters: Mapping[str, Values], dense: Values, ids: NDArray[np.integer]) -> Values:
        """Outputs before the sigmoid, ``(n,)``."""
        return self._forward(parameters, dense, ids)[0]

    def gradients(
        self, parameters: Mapping[str, Values], dense: Values, ids: NDArray[np.integer], targets: Values
    ) -> tuple[float, Gradients, list[SparseGradient]]:
        """Mean cross entropy of a batch, and its gradients by the layers and by the tables."""
        logits, bottom, vectors, top = self._forward(parameters, dense, ids)
        loss = float(np.mean(np.logaddexp(0, logits) - targets * logits))
        found: Gradients = {}
        error = ((sigmoid(logits) - targets) / len(targets)).astype(logits.dtype)[:, None]
        error = self._layers_back("top", len(self._shape.top), parameters, top, error, found)
        width = self._shape.width
        products = np.zeros((len(targets), vectors.shape[1], vectors.shape[1]), vectors.dtype)
        products[:, self._rows, self._columns] = error[:, width:]
        by_vector = (products + products.transpose(0, 2, 1)) @ vectors
        by_vector[:, 0] += error[:, :width]
        # The bottom's last layer has a ReLU, too.
        last = by_vector[:, 0] * (bottom[-1] > 0)
        self._layers_back("bottom", len(self._shape.bottom), parameters, bottom, last, found)
        tables = [sum_by_row(ids[:, number], by_vector[:, number + 1]) for number in range(len(self._shape.rows))]
        return loss, found, tables

    def _forward(
        self, parameters: Mapping[str, Values], dense: Values, ids: NDArray[np.integer]
    ) -> tuple[Values, list[Values], Values, list[Values]]:
        """Logits, and what each layer was given and gave: ``[input, output of layer 0, ...]``."""
        bottom = [dense]
        for layer in range(len(self._shape.bottom)):
            bottom.append(np.maximum(_linear(parameters, f"bottom.{layer}", bottom[-1]), 0))
        looked_up = [parameters[table_name(number)][ids[:, number]] for number in range(len(self._shape.rows))]
        vectors = np.stack([bottom[-1], *looked_up], axis=1)
        products = (vectors @ vectors.transpose(0, 2, 1))[:, self._rows, self._columns]
        top = [np.concatenate([bottom[-1], products], axis=1)]
        last = len(self._shape.top) - 1
        for layer in range(last + 1):
            value = _linear(parameters, f"top.{layer}", top[-1])
            top.append(value if layer == last else np.maximum(value, 0))
        return top[-1][:, 0], bottom, vectors, top

    def _layers_back(
        self,
        part: str,
        layers: int,
        parameters: Mapping[str, Values],
        values: Sequence[Values],
        error: Values,
        found: Gradients,
    ) -> Values:
        """Gradient by the input of some layers; those by their weights go into ``found``."""
        for layer in reversed(range(layers)):
            found[f"{part}.{layer}.weight"] = _outer(error, values[layer])
            found[f"{part}.{layer}.bias"] = error.sum(axis=0)
            error = _times(error, parameters[f"{part}.{layer}.weight"])
            if layer:
                error = error * (values[layer] > 0)
        return error


def sum_by_row(rows: NDArray[np.integer], values: Values) -> SparseGradient:
    """Add up what belongs to the same row of a table."""
    order = np.argsort(rows, kind="stable")
    used, starts = np.unique(rows[order], return_index=True)
    return SparseGradient(used.astype(np.intp), np.add.reduceat(values[order], starts, axis=0))


def sigmoid(logits: Values) -> Values:
    """Probabilities, without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -logits)), logits.dtype)


def _linear(parameters: Mapping[str, Values], name: str, x: Values) -> Values:
    return _times(x, parameters[f"{name}.weight"].T) + parameters[f"{name}.bias"]


def _times(x: Values, matrix: Values) -> Values:
    """``x @ matrix``, a few rows at a time.

    Larger products are shared among threads that wait for each other: with others at work on the machine an epoch took
    20 s in place of 0.5 s. The result also no longer depends on the number of threads.
    """
    result = np.empty((len(x), matrix.shape[1]), x.dtype)
    for rows in _pieces(len(x), matrix.size):
        np.matmul(x[rows], matrix, out=result[rows])
    return result


def _outer(a: Values, b: Values) -> Values:
    """``a.T @ b``, a few rows at a time, for the same reason."""
    total = np.zeros((a.shape[1], b.shape[1]), a.dtype)
    for rows in _pieces(len(a), total.size):
        total += a[rows].T @ b[rows]
    return total


def _pieces(count: int, multiplications: int) -> list[slice]:
    rows = max(_SERIAL // multiplications, 1)
    return [slice(start, start + rows) for start in range(0, count, rows)]

"""The loaded samples: what LoadGen's QSL fills before the timed part and the hot path reads.

A batch whose samples lie side by side, in the order they were loaded, is handed to the engine as a view. LoadGen
repeats the loaded set in order in Offline and takes neighbours in MultiStream, so nearly every batch is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assay.base.tensors import Array

Loader = Callable[[Sequence[int]], tuple[Array, ...]]


class SampleStore:
    """Samples in memory, found by their index.

    Args:
        load: gives the model inputs of some sample indices, stacked; one array per input.
        batch_size: largest batch that will be asked for.
    """

    def __init__(self, load: Loader, batch_size: int) -> None:
        self._load = load
        self._batch_size = batch_size
        self._order: list[int] = []
        self._rows: dict[int, int] = {}
        self._arrays: tuple[Array, ...] = ()
        self._singles: dict[int, tuple[Array, ...]] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the loaded samples take."""
        return sum(array.nbytes for array in self._arrays)

    def load(self, indices: list[int]) -> None:
        """Load samples, replacing those loaded before (LoadGen's ``load_samples``; a sample may be named twice)."""
        self.unload([])
        # The first samples once more at the end: Offline repeats the set, and a batch across its end is then a view too.
        self._order = indices + indices[: min(self._batch_size, len(indices)) - 1]
        arrays = tuple(np.ascontiguousarray(array) for array in self._load(self._order))
        self._arrays = arrays
        for row, index in enumerate(self._order):
            self._rows.setdefault(index, row)
        self._singles = {index: tuple(a[row : row + 1] for a in arrays) for index, row in self._rows.items()}

    def unload(self, indices: list[int]) -> None:
        """Forget all samples (LoadGen always unloads the whole set)."""
        del indices
        self._order, self._rows, self._arrays, self._singles = [], {}, (), {}

    def one(self, index: int) -> tuple[Array, ...]:
        """Model inputs of one sample, as views of one row."""
        return self._singles[index]

    def batch(self, indices: list[int]) -> tuple[Array, ...]:
        """Model inputs of some samples, ``len(indices)`` rows: views where possible, else a copy."""
        count = len(indices)
        if count == 1:
            return self._singles[indices[0]]
        first = self._rows[indices[0]]
        if self._order[first : first + count] == indices:
            return tuple(array[first : first + count] for array in self._arrays)
        rows = [self._rows[index] for index in indices]
        return tuple(array[rows] for array in self._arrays)

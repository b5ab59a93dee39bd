"""The loaded samples: what LoadGen's QSL fills before the timed part and the hot path reads.

Of stacked samples, a batch whose samples lie side by side, in the order they were loaded, is handed to the engine as a
view. LoadGen repeats the loaded set in order in Offline and takes neighbours in MultiStream, so nearly every batch is
one. Ragged samples are kept as they came and handed on by reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from assay.errors import InvalidInputError
from assay.tasks.protocol import Sample, Samples, Stacked

Loader = Callable[[Sequence[int]], Samples]


class Store(Protocol):
    """Samples in memory, found by their index."""

    ragged: bool
    """Whether samples differ in size, so that a batch is a list of samples and not a tuple of arrays."""

    @property
    def nbytes(self) -> int:
        """Memory that the loaded samples take."""

    def load(self, indices: list[int]) -> None:
        """Load samples, replacing those loaded before (LoadGen's ``load_samples``; a sample may be named twice)."""

    def unload(self, indices: list[int]) -> None:
        """Forget all samples (LoadGen always unloads the whole set)."""

    def one(self, index: int) -> Samples:
        """One sample, as a batch of one."""

    def batch(self, indices: list[int]) -> Samples:
        """Some samples, in this order."""


def make_store(load: Loader, batch_size: int, *, ragged: bool) -> Store:
    """The store for samples of one size, or of several."""
    return RaggedStore(load) if ragged else SampleStore(load, batch_size)


class SampleStore:
    """Samples of one size.

    Args:
        load: gives the model inputs of some sample indices, stacked; one array per input.
        batch_size: largest batch that will be asked for.
    """

    ragged = False

    def __init__(self, load: Loader, batch_size: int) -> None:
        self._load = load
        self._batch_size = batch_size
        self._order: list[int] = []
        self._rows: dict[int, int] = {}
        self._arrays: Stacked = ()
        self._singles: dict[int, Stacked] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the loaded samples take."""
        return sum(array.nbytes for array in self._arrays)

    def load(self, indices: list[int]) -> None:
        """Load samples, replacing those loaded before (LoadGen's ``load_samples``; a sample may be named twice)."""
        self.unload([])
        # The first samples once more at the end: Offline repeats the set, and a batch across its end is then a view too.
        self._order = indices + indices[: min(self._batch_size, len(indices)) - 1]
        arrays = tuple(np.ascontiguousarray(array) for array in _stacked(self._load(self._order)))
        self._arrays = arrays
        for row, index in enumerate(self._order):
            self._rows.setdefault(index, row)
        self._singles = {index: tuple(a[row : row + 1] for a in arrays) for index, row in self._rows.items()}

    def unload(self, indices: list[int]) -> None:
        """Forget all samples (LoadGen always unloads the whole set)."""
        del indices
        self._order, self._rows, self._arrays, self._singles = [], {}, (), {}

    def one(self, index: int) -> Stacked:
        """Model inputs of one sample, as views of one row."""
        return self._singles[index]

    def batch(self, indices: list[int]) -> Stacked:
        """Model inputs of some samples, ``len(indices)`` rows: views where possible, else a copy."""
        count = len(indices)
        if count == 1:
            return self._singles[indices[0]]
        first = self._rows[indices[0]]
        if self._order[first : first + count] == indices:
            return tuple(array[first : first + count] for array in self._arrays)
        rows = [self._rows[index] for index in indices]
        return tuple(array[rows] for array in self._arrays)


class RaggedStore:
    """Samples of different size, each kept once.

    Args:
        load: gives some samples by their indices; no index comes twice in a call.
    """

    ragged = True

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._samples: dict[int, Sample] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the loaded samples take."""
        return sum(array.nbytes for sample in self._samples.values() for array in sample)

    def load(self, indices: list[int]) -> None:
        """Load samples, replacing those loaded before (LoadGen's ``load_samples``; a sample may be named twice)."""
        self.unload([])
        once = list(dict.fromkeys(indices))
        samples = self._load(once)
        if isinstance(samples, tuple) or len(samples) != len(once):
            raise InvalidInputError("the dataset gives its samples in two forms, or not all of them")
        self._samples = dict(zip(once, samples, strict=True))

    def unload(self, indices: list[int]) -> None:
        """Forget all samples (LoadGen always unloads the whole set)."""
        del indices
        self._samples = {}

    def one(self, index: int) -> list[Sample]:
        """A list of one sample."""
        return [self._samples[index]]

    def batch(self, indices: list[int]) -> list[Sample]:
        """Some samples, in this order."""
        samples = self._samples
        return [samples[index] for index in indices]


def _stacked(samples: Samples) -> Stacked:
    if isinstance(samples, tuple):
        return samples
    raise InvalidInputError("the dataset gives its samples in two forms")

"""What a task has to offer: samples for LoadGen's QSL, responses for its log, accuracy from its log.

A task is told by a *recipe* (a mapping in the model's manifest, or from the user) how its model wants samples prepared
and its outputs read. The harness knows nothing of images or text; it moves arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.base.tensors import Array, TensorSpec

Reader = Callable[[Sequence[Array]], NDArray[Any]]
"""From a batch of model outputs to one fixed-size response row per sample: C-contiguous ``(batch, k)``."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a task's scorer found.

    Attributes:
        metrics: value of each metric by official name (``acc`` in percent), the one judged first.
        units: unit of each metric.
        samples: samples scored.
        text: the line that the official accuracy script of the benchmark prints, without the hash line.
        details: further figures worth showing (``top5``).
    """

    metrics: Mapping[str, float]
    units: Mapping[str, str]
    samples: int
    text: str
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SkippedSample:
    """A sample left out because it could not be read."""

    name: str
    reason: str


class Dataset(Protocol):
    """Prepared samples, in LoadGen's index order 0 .. count-1."""

    @property
    def count(self) -> int:
        """Samples there are."""

    @property
    def skipped(self) -> tuple[SkippedSample, ...]:
        """Samples left out because they could not be read."""

    def load(self, indices: Sequence[int]) -> tuple[Array, ...]:
        """Model inputs of some samples, stacked: one C-contiguous array per model input, ``len(indices)`` rows.

        Called by LoadGen's QSL before the timed part; memory is bounded by the number of indices.
        """


class Task(Protocol):
    """One kind of problem."""

    name: str

    def open_dataset(
        self,
        path: Path,
        recipe: Mapping[str, Any],
        *,
        cache: Path,
        limit: int | None = None,
        skip_bad: bool = False,
        progress: Progress,
    ) -> Dataset:
        """Find the samples under ``path`` and prepare them (cached under ``cache``, in parallel).

        Args:
            path: the dataset's folder or file.
            recipe: how the model wants its samples.
            cache: folder for prepared samples; safe to delete.
            limit: use only the first ``limit`` samples.
            skip_bad: leave out samples that cannot be read instead of stopping.
            progress: told while samples are prepared.

        Raises:
            InvalidInputError: wrong layout, or a sample that cannot be read (which one).
        """

    def check_model(
        self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], recipe: Mapping[str, Any]
    ) -> None:
        """Check that a model fits the task before anything starts.

        Raises:
            InvalidInputError: naming the input or output, what it is and what was expected.
        """

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> tuple[Array, ...]:
        """Random inputs of the right shape and range, for speed only."""

    def reader(self, outputs: Sequence[TensorSpec], recipe: Mapping[str, Any]) -> Reader:
        """How a model's outputs become responses, decided once for a model so that the hot path decides nothing.

        Raises:
            InvalidInputError: when the outputs are not what the recipe says.
        """

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Accuracy from LoadGen's own ``mlperf_log_accuracy.json``.

        Raises:
            InvalidInputError: when the log does not hold exactly one usable response per sample.
        """

"""What a task has to offer: samples for LoadGen's QSL, responses for its log, accuracy from its log.

A task is told by a *recipe* (a mapping in the model's manifest, or from the user) how its model wants samples prepared
and its outputs read. The harness knows nothing of images or text; it moves arrays.

Between LoadGen's batches and the engine stands a :class:`Pipeline`, one for each stream. A task whose samples are all of
one size and whose model answers a batch with one call derives from :class:`UniformTask` and gives a :data:`Reader`; any
other derives from :class:`BaseTask` and makes its own pipeline, which may pad, run the model several times, run several
models, or generate text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assay.base.generation import Generate
from assay.base.progress import Progress
from assay.base.tensors import Array, TensorSpec

Stacked = tuple[Array, ...]
"""Samples of one size: one C-contiguous array per model input, one row per sample."""

Sample = tuple[Array, ...]
"""One sample by itself: its arrays, without a batch dimension, of any size and type."""

Ragged = list[Sample]
"""Samples of different size. A list, where :data:`Stacked` is a tuple: that is how the two are told apart."""

Samples = Stacked | Ragged
"""Some samples, in either form; a dataset gives always the same one."""


@dataclass(frozen=True, slots=True)
class Parted:
    """Responses of different length that lie side by side; an object for each would cost more than small models do.

    Attributes:
        rows: of all samples, C-contiguous; there may be more of them. The same array each time costs least.
        ends: where the rows of each sample end.
    """

    rows: Array
    ends: Sequence[int]

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[Array]:
        start = 0
        for end in self.ends:
            yield self.rows[start:end]
            start = end


class Counted(list[Array]):
    """Responses that are texts, with the number of tokens of each.

    Attributes:
        counts: tokens of each response; 0 where nobody counted.
    """

    def __init__(self, arrays: Iterable[Array], counts: Iterable[int]) -> None:
        super().__init__(arrays)
        self.counts = tuple(counts)


Responses = Array | Sequence[Array] | Parted
"""One response per sample, in order: the rows of a C-contiguous ``(batch, k)`` array, one C-contiguous array each, or
parts of one array.

The arrays of a sequence may have any size and type, and may be empty; LoadGen's log holds their bytes. A response that
could not be made is an exception, never zeros.
"""

Run = Callable[[Sequence[Array]], Sequence[Array]]
"""From model inputs to model outputs, by position; the outputs are valid until the next call."""

Reader = Callable[[Sequence[Array]], NDArray[Any]]
"""From a batch of model outputs to one fixed-size response row per sample: C-contiguous ``(batch, k)``."""

MODEL = "model"
"""Name of the only part of a model that is one file or folder."""


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model, or one of its parts, as the pipeline of one stream uses it.

    Attributes:
        inputs: what :attr:`run` takes.
        outputs: what it gives.
        run: runs the model once.
        generate: makes text; None for an engine that runs graphs only.
        fixed_shapes: a shape that was not met before costs time, so pad to a few shapes and meet them in the warm-up.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    run: Run
    generate: Generate | None = None
    fixed_shapes: bool = False


Model = Mapping[str, ModelPart]
"""The parts of a model by name; one part :data:`MODEL` unless the task names others."""


class Pipeline(Protocol):
    """From samples to responses; made once for each stream and used by one thread at a time."""

    def __call__(self, samples: Samples) -> Responses:
        """Answer some samples, ``batch_size`` at most; the hot path.

        The responses have to stay as they are until the next call.

        Raises:
            AssayError: (or anything else) ends the run as failed; the samples are counted as failed queries.
        """

    def figures(self) -> Mapping[str, float]:
        """Measurements of its own since :meth:`reset`, by name with the unit (``tokens``, ``first_token_p99_ns``).

        Figures of several streams are put together by their names: see :func:`merge_figures`.
        """

    def reset(self) -> None:
        """Forget what was measured; called after the warm-up, when the timed part begins."""


TellToken = Callable[[int, Array], None]
"""Told of a sample's first token as it comes: the sample's place in the batch, and what a response would hold of it."""


@runtime_checkable
class TellsFirst(Protocol):
    """A pipeline that can tell the first token of each answer as it comes, which LoadGen then times."""

    def answer(self, samples: Samples, tell: TellToken) -> Responses:
        """As a call of the pipeline; each response begins with the token that was told first.

        Args:
            samples: as in a call.
            tell: called once for each sample, from any thread; not at all where the engine cannot tell.
        """


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a task's scorer found.

    Attributes:
        metrics: value of each metric by official name (``acc`` in percent), the one judged first.
        units: unit of each metric, and of a detail that is not in percent.
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

    @property
    def sizes(self) -> NDArray[np.int64] | None:
        """Work that each sample is, in a unit of the task (tokens, pairs, frames); None when all are equal.

        ``(count,)``. Offline queries are answered in order of size, and ``batch_work`` limits its sum in a batch.
        """

    def load(self, indices: Sequence[int]) -> Samples:
        """Model inputs of some samples: stacked, ``len(indices)`` rows, or ragged, ``len(indices)`` samples.

        Called by LoadGen's QSL before the timed part; memory is bounded by the number of indices. For ragged samples
        an index comes once only.
        """


class Task(Protocol):
    """One kind of problem; derive from :class:`BaseTask` or :class:`UniformTask`, which say what is usual."""

    name: str

    def open_dataset(
        self,
        path: Path,
        recipe: Mapping[str, Any],
        *,
        cache: Path,
        limit: int | None = None,
        skip_bad: bool = False,
        model: Path | None = None,
        progress: Progress,
    ) -> Dataset:
        """Find the samples under ``path`` and prepare them (cached under ``cache``, in parallel).

        Args:
            path: the dataset's folder or file.
            recipe: how the model wants its samples.
            cache: folder for prepared samples; safe to delete.
            limit: use only the first ``limit`` samples.
            skip_bad: leave out samples that cannot be read instead of stopping.
            model: the model's file or folder, for tasks whose samples are made with what lies there (a vocabulary).
            progress: told while samples are prepared.

        Raises:
            InvalidInputError: wrong layout, or a sample that cannot be read (which one).
        """

    def parts(self, recipe: Mapping[str, Any]) -> Mapping[str, str]:
        """Files that the model's folder holds, by the name of the part; empty when the model is opened as a whole."""

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check that a model fits the task before anything starts; asked once for each part.

        Engines that generate text have no inputs and outputs; they are not asked here but in :meth:`pipeline`.

        Raises:
            InvalidInputError: naming the input or output, what it is and what was expected.
        """

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> Samples:
        """Random inputs of the right shape and range, for speed only; their size is that of their first array."""

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """The way from samples to responses for one stream; everything is decided here and nothing in the hot path.

        Raises:
            InvalidInputError: when the model is not what the recipe says.
        """

    def batch_work(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Largest sum of sizes in one batch; 0 for no limit. A larger sample makes a batch by itself."""

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Bytes a stream needs beside the model and the loaded samples, estimated; 0 when that is little."""

    def slab_bytes(self, recipe: Mapping[str, Any]) -> int:
        """Bytes that a piece of a large layer takes at most, where the model's layers are computed in slabs; 0 for none."""

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Accuracy from LoadGen's own ``mlperf_log_accuracy.json``.

        Raises:
            InvalidInputError: when the log does not hold exactly one usable response per sample.
        """


@runtime_checkable
class ScoresParts(Protocol):
    """A task that can also score a log of some of the dataset's samples, such as the one that TEST01 keeps."""

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy | None:
        """Accuracy over the samples in the log; None where the dataset is of a kind that has none.

        Raises:
            InvalidInputError: when it holds a sample that the dataset has not, or a response that is none.
        """


class BaseTask:
    """What is usual for a task: one model file, no limit of work, little extra memory."""

    def parts(self, recipe: Mapping[str, Any]) -> Mapping[str, str]:
        """The model is opened as a whole."""
        del recipe
        return {}

    def batch_work(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """No limit."""
        del recipe, batch_size
        return 0

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Little."""
        del recipe, batch_size
        return 0

    def slab_bytes(self, recipe: Mapping[str, Any]) -> int:
        """Layers are whole."""
        del recipe
        return 0


class UniformTask(BaseTask):
    """A task of samples of one size, whose model answers a batch with one call."""

    def reader(self, outputs: Sequence[TensorSpec], recipe: Mapping[str, Any]) -> Reader:
        """How a model's outputs become responses, decided once for a model so that the hot path decides nothing.

        Raises:
            InvalidInputError: when the outputs are not what the recipe says.
        """
        raise NotImplementedError

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """Run the model once and read its outputs."""
        part = model[MODEL]
        return ReaderPipeline(part.run, self.reader(part.outputs, recipe))


class PlainPipeline:
    """What is usual for a pipeline: no figures of its own."""

    def figures(self) -> Mapping[str, float]:
        """None."""
        return {}

    def reset(self) -> None:
        """Nothing was measured."""


class ReaderPipeline(PlainPipeline):
    """Runs the model once on stacked samples and reads the outputs."""

    __slots__ = ("_read", "_run")

    def __init__(self, run: Run, read: Reader) -> None:
        self._run = run
        self._read = read

    def __call__(self, samples: Samples) -> Responses:
        """Response rows of a batch."""
        return self._read(self._run(samples))  # type: ignore[arg-type]


def merge_figures(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The figures of several streams as one: the largest of names with ``max`` or ``_p`` and a percentile, the smallest
    of those with ``min``, the mean of those with ``mean``, and the sum of all others.

    A percentile of percentiles is not a percentile; the largest is on the safe side.
    """
    names = dict.fromkeys(name for one in figures for name in one)
    return {name: _merged(name, [one[name] for one in figures if name in one]) for name in names}


def _merged(name: str, values: Sequence[float]) -> float:
    words = name.split("_")
    if "max" in words or any(word[:1] == "p" and word[1:].replace(".", "").isdigit() for word in words):
        return max(values)
    if "min" in words:
        return min(values)
    return sum(values) / len(values) if "mean" in words else sum(values)

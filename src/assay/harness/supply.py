"""Where the samples of a run come from: the task's dataset, or inputs made up for speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.errors import InvalidInputError
from assay.harness.samples import Loader
from assay.harness.spec import RunSpec
from assay.tasks.protocol import Dataset, Samples, Task

_SYNTHETIC_SEED = 20_230_711
_SYNTHETIC_KEPT = 64


@dataclass(frozen=True, slots=True)
class Supply:
    """The samples of a run, not loaded yet.

    Attributes:
        load: gives some of them.
        count: samples there are.
        ragged: whether they differ in size.
        sizes: size of each, ``(count,)``; None when all are equal.
        sample_bytes: bytes of one in memory, on the average.
        skipped: samples left out, name to reason.
    """

    load: Loader
    count: int
    ragged: bool
    sizes: NDArray[np.int64] | None
    sample_bytes: float
    skipped: Mapping[str, str]

    def largest_first(self) -> list[int]:
        """All samples by size; as they come when all are equal."""
        if self.sizes is None:
            return list(range(self.count))
        return [int(index) for index in np.argsort(-self.sizes, kind="stable")]


def open_supply(spec: RunSpec, task: Task, progress: Progress) -> Supply:
    """Open the dataset of a spec, or make inputs up when it has none.

    Raises:
        InvalidInputError: a dataset of the wrong layout, without samples, or with sizes that fit no samples.
    """
    if spec.dataset is None:
        return _synthetic(task, spec)
    dataset = open_dataset(spec, task, progress)
    if dataset.count < 1:
        raise InvalidInputError("the dataset has no samples", where=spec.dataset)
    sizes = dataset.sizes
    if sizes is not None and (sizes.shape != (dataset.count,) or sizes.min() < 0):
        raise InvalidInputError(
            "the sizes of the samples do not fit them",
            where=spec.dataset,
            expected=f"{dataset.count} sizes, none below 0",
            found=f"shape {sizes.shape}",
        )
    one = dataset.load([0])
    scale = 1.0 if sizes is None or not sizes[0] else float(sizes.mean() / sizes[0])
    return Supply(
        load=dataset.load,
        count=dataset.count,
        ragged=isinstance(one, list),
        sizes=sizes,
        sample_bytes=_nbytes(one) * scale,
        skipped={sample.name: sample.reason for sample in dataset.skipped},
    )


def open_dataset(spec: RunSpec, task: Task, progress: Progress) -> Dataset:
    """The dataset of a spec that has one, as its run sees it.

    Raises:
        InvalidInputError: a dataset of the wrong layout, or a sample that cannot be read.
    """
    assert spec.dataset is not None
    return task.open_dataset(
        spec.dataset,
        spec.recipe,
        cache=spec.cache,
        limit=spec.sample_limit,
        skip_bad=spec.skip_bad,
        model=spec.model_files,
        progress=progress,
    )


def _synthetic(task: Task, spec: RunSpec) -> Supply:
    made = task.synthetic_inputs(spec.recipe, min(spec.dataset_count, _SYNTHETIC_KEPT), _SYNTHETIC_SEED)
    if isinstance(made, list):
        kept = len(made)
        lengths = np.array([len(sample[0]) if sample[0].ndim else 1 for sample in made], np.int64)

        def some(indices: Sequence[int]) -> Samples:
            return [made[i % kept] for i in indices]

        sizes = lengths[np.arange(spec.dataset_count) % kept]
        return Supply(some, spec.dataset_count, True, sizes, _nbytes(made) / spec.dataset_count, {})
    rows = len(made[0])

    def stacked(indices: Sequence[int]) -> Samples:
        return tuple(array[[i % rows for i in indices]] for array in made)

    return Supply(stacked, spec.dataset_count, False, None, _nbytes(made) / rows, {})


def _nbytes(samples: Samples) -> int:
    if isinstance(samples, tuple):
        return sum(array.nbytes for array in samples)
    return sum(array.nbytes for sample in samples for array in sample)

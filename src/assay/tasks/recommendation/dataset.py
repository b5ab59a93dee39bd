"""Samples of a recommendation benchmark: groups of pairs, cut out of the file when LoadGen loads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.protocol import Sample, SkippedSample
from assay.tasks.reading import require_some
from assay.tasks.recommendation import criteo, movielens, multihot
from assay.tasks.recommendation.groups import TRACE, Offsets, draw_offsets, read_offsets
from assay.tasks.recommendation.pairs import Numbers, PairSource, check_source, checked_rows
from assay.tasks.recommendation.recipe import Recipe

_FORMS = f"{criteo.BINARY} or {criteo.TEXT} with {TRACE}, {multihot.DENSE} and its companions, or {movielens.RATINGS}"


@dataclass(frozen=True, slots=True)
class PairDataset:
    """Groups of pairs.

    Attributes:
        source: the pairs.
        offsets: where each group begins, and where the last ends, ``(count + 1,)``.
        recipe: what the model wants.
    """

    source: PairSource
    offsets: Offsets
    recipe: Recipe

    @property
    def count(self) -> int:
        """Groups there are."""
        return len(self.offsets) - 1

    @property
    def skipped(self) -> tuple[SkippedSample, ...]:
        """None: a pair that is wrong ends the run."""
        return ()

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Pairs of each group, ``(count,)``."""
        return np.diff(self.offsets)

    def load(self, indices: Sequence[int]) -> list[Sample]:
        """Dense values ``(n, dense)``, ids ``(n, ids)`` and targets ``(n,)`` of some groups.

        Raises:
            InvalidInputError: for a value that is wrong, with row and column.
        """
        return [self._one(int(self.offsets[index]), int(self.offsets[index + 1])) for index in indices]

    def targets(self) -> Numbers:
        """Targets of all pairs of all groups, ``(offsets[-1],)``."""
        return self.source.targets()[: int(self.offsets[-1])]

    def _one(self, start: int, stop: int) -> Sample:
        rows = checked_rows(self.source, start, stop, self.recipe)
        return rows.dense, rows.ids, rows.targets


def open_pairs(path: Path, recipe: Recipe, *, cache: Path, limit: int | None, progress: Progress) -> PairDataset:
    """Open a folder of pairs in one of the layouts that are known.

    Raises:
        NotFoundError: when there is no such folder, or it holds none of the layouts.
        InvalidInputError: for what is wrong in it: a trace that does not fit, rows too short, other widths.
    """
    require_some(limit)
    if not path.is_dir():
        raise NotFoundError("there is no folder of user-item pairs", where=path, expected=_FORMS)
    trace = path / TRACE
    offsets = read_offsets(trace) if trace.is_file() else None
    source = _source(path, recipe, offsets, cache=cache, progress=progress)
    check_source(source, recipe)
    if offsets is None:
        offsets = draw_offsets(source.count)
    elif int(offsets[-1]) != source.count:
        raise InvalidInputError(
            "the trace of aggregated samples does not cover the rows of the data",
            where=trace,
            expected=f"{source.count:,} pairs, the rows of {source.where.name}",
            found=f"{int(offsets[-1]):,} pairs",
            hint="take the trace that belongs to the data; for fewer samples give --samples",
        )
    return PairDataset(source, offsets if limit is None else offsets[: limit + 1], recipe)


def _source(path: Path, recipe: Recipe, trace: Offsets | None, *, cache: Path, progress: Progress) -> PairSource:
    if (path / multihot.DENSE).is_file():
        return multihot.open_multihot(path)
    if (path / criteo.BINARY).is_file():
        return criteo.open_binary(path / criteo.BINARY, recipe.max_ind_range)
    if (path / criteo.TEXT).is_file():
        pairs = None if trace is None else int(trace[-1])
        return criteo.open_text(path / criteo.TEXT, pairs, recipe.max_ind_range, cache=cache, progress=progress)
    if (path / movielens.RATINGS).is_file():
        return movielens.open_movielens(path)
    raise NotFoundError("the folder holds no user-item pairs that are known", where=path, expected=_FORMS)

"""MovieLens-100k's test part as pairs: the data of the stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.models.dlrm_movielens import RATINGS, Pairs, read_movielens
from assay.tasks.recommendation.pairs import Numbers, Rows

__all__ = ["RATINGS", "MovieLensRows", "open_movielens"]


@dataclass(frozen=True, slots=True)
class MovieLensRows:
    """The test part, in memory: 10,000 pairs are little."""

    where: Path
    count: int
    dense: int
    hots: tuple[int, ...]
    pairs: Pairs

    def read(self, start: int, stop: int) -> Rows:
        """Some pairs."""
        pairs = self.pairs
        return Rows(pairs.dense[start:stop].copy(), pairs.ids[start:stop].copy(), pairs.targets[start:stop].copy())

    def targets(self) -> Numbers:
        """Targets of all pairs."""
        return self.pairs.targets


def open_movielens(folder: Path) -> MovieLensRows:
    """Open the three files.

    Raises:
        NotFoundError: when one is missing.
        InvalidInputError: when one is of another form.
    """
    test = read_movielens(folder).test
    return MovieLensRows(folder / RATINGS, len(test), test.dense.shape[1], (1,) * test.ids.shape[1], test)

"""User-item pairs as datasets keep them: rows read where they lie, so that only loaded samples take memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.tasks.recommendation.recipe import Recipe

Ids = NDArray[np.int32]
Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some consecutive pairs.

    Attributes:
        dense: numbers, ``(n, dense)``.
        ids: table rows asked for, the tables' ids side by side, ``(n, ids)``.
        targets: 1 for a click (or a liked film), else 0, ``(n,)``.
    """

    dense: Numbers
    ids: Ids
    targets: Numbers


class PairSource(Protocol):
    """Where pairs come from."""

    @property
    def where(self) -> Path:
        """File, for messages."""

    @property
    def count(self) -> int:
        """Pairs there are."""

    @property
    def dense(self) -> int:
        """Width of their numbers."""

    @property
    def hots(self) -> tuple[int, ...]:
        """Ids for each table."""

    def read(self, start: int, stop: int) -> Rows:
        """Pairs ``start`` to ``stop``; unchecked."""

    def targets(self) -> Numbers:
        """Targets of all pairs, ``(count,)``."""


def check_source(source: PairSource, recipe: Recipe) -> None:
    """Check that pairs are what the model wants.

    Raises:
        InvalidInputError: naming both widths.
    """
    if source.dense != recipe.dense:
        raise InvalidInputError(
            "the pairs have another number of dense values than the model takes",
            where=source.where,
            expected=f"dense: {recipe.dense} (recipe)",
            found=str(source.dense),
        )
    if source.hots != recipe.hots:
        raise InvalidInputError(
            "the pairs have other ids than the model takes",
            where=source.where,
            expected=f"hots: {_short(recipe.hots)} (recipe)",
            found=_short(source.hots),
            hint="give the ids of each table as hots in the recipe",
        )


def checked_rows(source: PairSource, start: int, stop: int, recipe: Recipe) -> Rows:
    """Read pairs and check every value; ids are folded where the recipe says so.

    Raises:
        InvalidInputError: for a dense value that is no number, a target other than 0 and 1, or an id out of range,
            with row and column.
    """
    rows = source.read(start, stop)
    finite = np.isfinite(rows.dense)
    if not finite.all():
        row, column = (int(each[0]) for each in np.nonzero(~finite))
        raise InvalidInputError(
            "a dense value is no finite number",
            where=f"{source.where}: row {start + row}, dense column {column}",
            found=str(rows.dense[row, column]),
        )
    wrong = (rows.targets != 0) & (rows.targets != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidInputError(
            "a target is neither 0 nor 1",
            where=f"{source.where}: row {start + row}",
            found=f"{rows.targets[row]:g}",
        )
    limits = _limits(recipe)
    if recipe.fold:
        np.remainder(rows.ids, limits, out=rows.ids)
        return rows
    outside = (rows.ids < 0) | (rows.ids >= limits)
    if outside.any():
        row, column = (int(each[0]) for each in np.nonzero(outside))
        raise InvalidInputError(
            "an id is out of the range of its table",
            where=f"{source.where}: row {start + row}, id column {column}",
            expected=f"0 to {int(limits[column]) - 1:,}",
            found=f"{rows.ids[row, column]:,}",
            hint="the data was made for larger tables; `fold: true` in the recipe takes ids modulo the tables' rows",
        )
    return rows


def _limits(recipe: Recipe) -> Ids:
    """What the ids of each column have to be smaller than, ``(ids,)``."""
    rows = recipe.rows or (2**31 - 1,) * len(recipe.hots)
    return np.repeat(np.asarray(rows, np.int32), recipe.hots)


def _short(hots: tuple[int, ...]) -> str:
    return f"{len(hots)} tables, {sum(hots)} ids" if len(hots) > 8 else str(list(hots))

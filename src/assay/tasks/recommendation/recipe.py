"""How a recommendation model wants its pairs: width of the dense part, ids of each table, pairs in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.tasks.forms import read_form

_Hots = Annotated[int, Field(ge=1, le=1024)]
_Rows = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Recipe(BaseModel):
    """A recipe.

    Attributes:
        dense: numbers of a pair (Criteo: 13).
        hots: ids that each table is asked for, in the order of the tables (Criteo: 26 ones).
        rows: rows of each table, to tell ids that are out of range; empty when they are not known.
        max_ind_range: ids of the click logs are taken modulo this (``--max-ind-range`` of the reference).
        fold: take ids modulo the rows of their table, for tables that were made smaller.
        output: what the model gives: the probability, or the ``logit`` before the sigmoid.
        pairs: pairs in one call of the engine, at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dense: int = Field(default=13, ge=1, le=4096)
    hots: tuple[_Hots, ...] = Field(default=(1,) * 26, min_length=1, max_length=1024)
    rows: tuple[_Rows, ...] = ()
    max_ind_range: int = Field(default=40_000_000, ge=1, le=2**31 - 1)
    fold: bool = False
    output: Literal["probability", "logit"] = "probability"
    pairs: int = Field(default=2048, ge=1, le=1 << 20)

    @model_validator(mode="after")
    def _fitting(self) -> Recipe:
        if self.rows and len(self.rows) != len(self.hots):
            raise ValueError(f"rows of {len(self.rows)} tables, but ids for {len(self.hots)}")
        if self.fold and not self.rows:
            raise ValueError("fold needs the rows of the tables")
        return self

    @property
    def ids(self) -> int:
        """Ids of a pair, all tables together."""
        return sum(self.hots)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    return read_form(Recipe, raw)

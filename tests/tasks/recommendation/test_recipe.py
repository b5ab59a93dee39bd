from __future__ import annotations

from typing import Any

import pytest

from assay.errors import InvalidInputError
from assay.tasks.recommendation.recipe import read_recipe


def test_without_a_word_it_is_criteo_as_in_the_reference() -> None:
    recipe = read_recipe({})
    assert (recipe.dense, len(recipe.hots), recipe.ids, recipe.max_ind_range) == (13, 26, 26, 40_000_000)


@pytest.mark.parametrize(
    ("raw", "where", "what"),
    [
        ({"hot": [1]}, "recipe: hot", "unknown key"),
        ({"hots": []}, "recipe: hots", "at least 1"),
        ({"hots": [0]}, "recipe: hots.0", "greater than or equal to 1"),
        ({"dense": 0}, "recipe: dense", "greater than or equal to 1"),
        ({"pairs": 10**9}, "recipe: pairs", "less than or equal"),
        ({"output": "score"}, "recipe: output", "probability"),
        ({"hots": [1, 1], "rows": [5]}, "recipe", "rows of 1 tables, but ids for 2"),
        ({"fold": True}, "recipe", "fold needs the rows"),
    ],
)
def test_a_wrong_recipe_is_told(raw: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(raw)
    assert caught.value.where == where
    assert what in caught.value.what

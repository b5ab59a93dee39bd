from __future__ import annotations

from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.settings import Settings
from assay.errors import InvalidInputError
from assay.models.text.features import WindowForm
from assay.tasks.language.recipe import read_recipe


def test_without_keys_it_is_that_of_mlperf() -> None:
    recipe = read_recipe({})
    assert (recipe.max_length, recipe.max_query, recipe.stride, recipe.n_best, recipe.max_answer) == (
        384,
        64,
        128,
        20,
        30,
    )
    assert recipe.windows == WindowForm(384, 64, 128)
    assert (recipe.kind, recipe.padding, recipe.lower_case) == ("question-answering", "longest", True)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"max_lenght": 384}, "max_length"),
        ({"inputs": {"id": "x"}}, "ids"),
        ({"outputs": {"ends": "x"}}, "end"),
        ({"kind": "translation"}, "question-answering"),
        ({"max_length": 4}, "max_length"),
        ({"padding": "none"}, "longest"),
        ({"max_length": 64}, "max_query"),
        ({"stride": 0}, "stride"),
    ],
    ids=str,
)
def test_a_key_that_is_wrong_is_named(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(raw)
    assert told in str(caught.value)
    assert "recipe: " in str(caught.value)


def test_a_short_model_of_vectors_needs_no_room_for_a_question() -> None:
    assert read_recipe({"kind": "similarity", "max_length": 32}).max_length == 32


def test_recipes_of_all_models_are_read(tmp_path: Any) -> None:
    models = load_catalogue(Settings(home=tmp_path)).models("language")
    assert {"bert-large", "bert-large-int8", "bert-large-synthetic", "minilm-l6", "minilm-l6-squad"} <= {
        model.name for model in models
    }
    for model in models:
        assert model.model is not None
        assert read_recipe(model.model.recipe).vocabulary_size == 30_522

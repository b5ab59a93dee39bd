from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.settings import Settings
from assay.errors import InvalidInputError
from assay.tasks.language_model.recipe import GPTJ_PROMPT, DecodingForm, read_recipe

from .conftest import RECIPE


def test_the_decoding_reaches_the_engine() -> None:
    form = {"beams": 4, "max_new_tokens": 128, "min_new_tokens": 30, "early_stopping": True}
    decoding = read_recipe({**RECIPE, "decoding": form}).wanted_decoding()
    assert (decoding.max_tokens, decoding.min_tokens, decoding.beams) == (128, 30, 4)
    assert dict(decoding.extra) == {"early_stopping": True}
    assert dict(read_recipe(RECIPE).wanted_decoding().extra) == {}


def test_without_a_recipe_the_prompt_is_that_of_the_benchmark() -> None:
    recipe = read_recipe({})
    assert recipe.prompt.endswith("### Response:")
    assert recipe.max_prompt_tokens == 1919


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"promt": "x"}, "recipe: promt", "unknown key"),
        ({"decoding": {"beam": 4}}, "recipe: decoding.beam", "unknown key"),
        ({"prompt": "{input} {input}"}, "recipe: prompt", "once"),
        ({"prompt": "nothing"}, "recipe: prompt", "once"),
        ({"prompt": "{input} {name}"}, "recipe: prompt", "nothing else"),
        ({"prompt": "{input!r}"}, "recipe: prompt", "no format"),
        ({"prompt": "{input:>10}"}, "recipe: prompt", "no format"),
        ({"prompt": "{input"}, "recipe: prompt", "braces"),
        ({"prompt": "{input.__class__}"}, "recipe: prompt", "nothing else"),
        ({"decoding": {"max_new_tokens": 0}}, "recipe: decoding.max_new_tokens", "wrong"),
        ({"decoding": {"max_new_tokens": 8, "min_new_tokens": 9}}, "recipe: decoding.min_new_tokens", "longest"),
        ({"max_prompt_tokens": "many"}, "recipe: max_prompt_tokens", "wrong"),
        ({"cut": "start"}, "recipe: cut", "wrong"),
    ],
    ids=range(13),
)
def test_a_wrong_recipe_is_told_with_its_key(change: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_recipe({**RECIPE, **change})
    assert caught.value.where == where


def test_the_recipes_of_the_catalogue_are_right(tmp_path: Path) -> None:
    models = load_catalogue(Settings(home=tmp_path)).models("language-model")
    recipes = {model.name: read_recipe(model.model.recipe) for model in models if model.model}
    assert recipes["smollm2-135m-instruct"] == recipes["smollm2-135m-instruct-fp32"]
    # Source: language/gpt-j/backend.py (gen_kwargs) and dataset.py of mlcommons/inference v3.1.
    official = recipes["gptj"]
    assert official.prompt == GPTJ_PROMPT
    assert (official.max_prompt_tokens, official.cut, official.clean_up) == (1919, "end", True)
    assert official.decoding == DecodingForm(beams=4, max_new_tokens=128, min_new_tokens=30, early_stopping=True)

from __future__ import annotations

from typing import Any

import pytest

from assay.errors import InvalidInputError
from assay.tasks.speech_recognition.recipe import read_recipe


def test_a_recipe_without_keys_is_the_benchmarks() -> None:
    recipe = read_recipe({})
    assert (recipe.decoder, recipe.max_seconds, recipe.max_symbols) == ("rnnt", 15.0, 30)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"decoder": "ctc"}, "decoder"),
        ({"max_seconds": 0}, "max_seconds"),
        ({"max_seconds": float("nan")}, "max_seconds"),
        ({"max_seconds": "long"}, "max_seconds"),
        ({"max_symbols": 0}, "max_symbols"),
        ({"language": "English"}, "language"),
        ({"max_tokens": 400}, "max_tokens"),
        ({"decoder": "whisper", "max_seconds": 31}, "max_seconds"),
        ({"max_second": 10}, "max_second"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_key_is_named(raw: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(raw)
    assert caught.value.where == f"recipe: {where}"


def test_a_misspelt_key_is_told_the_right_one() -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe({"max_second": 10})
    assert caught.value.expected is not None
    assert "max_seconds" in caught.value.expected

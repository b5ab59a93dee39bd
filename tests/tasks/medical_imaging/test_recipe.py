from __future__ import annotations

from typing import Any

import pytest

from assay.errors import InvalidInputError
from assay.tasks.medical_imaging.recipe import read_recipe


def test_the_defaults_are_the_reference_s() -> None:
    recipe = read_recipe({})
    assert (recipe.size, recipe.stride, recipe.shape) == (128, 64, (1, 128, 128, 128))
    assert recipe.classes == ("kidney", "tumor")
    raw = recipe.raw
    assert (raw.spacing, raw.clip, raw.mean, raw.std) == ((1.6, 1.2, 1.2), (-79.0, 304.0), 101.0, 76.9)
    assert read_recipe({"size": 16, "synthetic": [16, 24, 32], "windows": {"overlap": 0.5}}).stride == 8


@pytest.mark.parametrize(
    ("recipe", "where", "word"),
    [
        ({"methods": "windows"}, "methods", "method"),
        ({"windows": {"stride": 64}}, "windows.stride", "overlap"),
        ({"size": 4096}, "size", "512"),
        ({"classes": ["kidney", "kidney"]}, "classes", "twice"),
        ({"classes": []}, "classes", "at least 1"),
        ({"classes": ["KIDNEY\n"]}, "classes.0", "match"),
        ({"raw": {"clip": [304, -79]}}, "raw.clip", "smallest"),
        ({"raw": {"std": 0}}, "raw.std", "greater than 0"),
        ({"raw": {"mean": float("nan")}}, "raw.mean", "finite"),
        ({"output": {"kind": "probability"}}, "output.kind", "logits"),
        ({"layout": "NDHWC"}, "layout", "NCDHW"),
        ({"copies": 3}, "copies", "whole"),
        ({"synthetic": [128, 128, 100]}, "synthetic", "plus multiples of 64"),
        ({"size": 4, "windows": {"overlap": 0.9}, "synthetic": [4, 4, 4]}, "windows.overlap", "does not move"),
        ({"method": "whole"}, "output.kind", "probability"),
        ({"method": "whole", "output": {"kind": "probability"}}, "output.kind", "one class"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_what_is_wrong_is_named(recipe: dict[str, Any], where: str, word: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(recipe)
    assert caught.value.where == f"recipe: {where}"
    assert word in str(caught.value)

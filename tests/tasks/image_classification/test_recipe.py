from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.tasks.image_classification.recipe import Recipe, read_recipe


def refused(raw: dict[str, Any]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(raw)
    return caught.value


def test_an_empty_recipe_is_the_reference_without_means() -> None:
    recipe = read_recipe({})
    assert (recipe.resize.short_side, recipe.resize.filter, recipe.resize.library) == (256, "area", "cv2")
    assert (recipe.crop, recipe.layout, recipe.dtype, recipe.output.top) == (224, "NCHW", "float32", 5)
    assert recipe.std == (1.0, 1.0, 1.0)


def test_the_shape_follows_the_layout() -> None:
    assert read_recipe({"crop": 32}).shape == (3, 32, 32)
    assert read_recipe({"crop": 32, "layout": "NHWC"}).shape == (32, 32, 3)


def test_unknown_keys_are_told_with_the_closest() -> None:
    error = refused({"resize": {"short_size": 256}})
    assert error.where == "recipe: resize.short_size"
    assert error.expected == "short_side"
    assert refused({"means": [1, 2, 3]}).expected == "mean"
    assert refused({"zzz": 1}).expected == ", ".join(Recipe.model_fields)
    assert "kind" in str(refused({"output": {"zzz": 1}}).expected)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"crop": 300}, "crop"),
        ({"crop": 0}, "crop"),
        ({"mean": [1, 2]}, "mean.2"),
        ({"mean": [1, 2, float("nan")]}, "mean.2"),
        ({"scale": float("inf")}, "scale"),
        ({"std": [1, 0, 1]}, "std.1"),
        ({"layout": "NWCH"}, "layout"),
        ({"resize": {"filter": "lanczos"}}, "resize.filter"),
        ({"resize": 256}, "resize"),
        ({"output": {"top": 11}}, "output.top"),
        ({"dtype": "uint8", "mean": [1, 1, 1]}, "mean"),
        ({"dtype": "uint8", "scale": 0.5}, "scale"),
    ],
)
def test_wrong_values_name_their_key(raw: dict[str, Any], key: str) -> None:
    assert refused(raw).where == f"recipe: {key}"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Recipe.model_fields, "other"]), values, max_size=4))
def test_whatever_is_given_is_taken_or_refused(raw: dict[str, Any]) -> None:
    try:
        recipe = read_recipe(raw)
    except InvalidInputError as error:
        assert error.where is not None
        assert error.where.startswith("recipe: ")
    else:
        assert recipe.crop <= recipe.resize.short_side

from __future__ import annotations

from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.settings import Settings
from assay.errors import InvalidInputError
from assay.tasks.object_detection.recipe import read_recipe


def refused(raw: dict[str, Any]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_recipe(raw)
    return caught.value


def test_an_empty_recipe_is_the_official_form() -> None:
    recipe = read_recipe({})
    assert recipe.shape == (3, 800, 800)
    assert recipe.output.names == ("boxes", "scores", "labels")


def test_the_shape_follows_the_layout() -> None:
    assert read_recipe({"size": 300, "layout": "NHWC"}).shape == (300, 300, 3)


def test_outputs_that_are_read() -> None:
    assert read_recipe({"output": {"detections": "all"}}).output.names == ("all",)
    assert read_recipe({"output": {"count": "n"}}).output.names == ("boxes", "scores", "labels", "n")


@pytest.mark.parametrize(
    ("raw", "key", "expected"),
    [
        ({"sise": 300}, "sise", "size"),
        ({"output": {"box": "b"}}, "output.box", "boxes"),
    ],
    ids=["top", "output"],
)
def test_an_unknown_key_is_told_with_the_nearest(raw: dict[str, Any], key: str, expected: str) -> None:
    error = refused(raw)
    assert error.where == f"recipe: {key}"
    assert expected in str(error.expected)


@pytest.mark.parametrize(
    "raw",
    [
        {"size": 4},
        {"size": 1 << 20},
        {"divide": 0},
        {"std": [1, 0, 1]},
        {"mean": [float("nan"), 0, 0]},
        {"layout": "CHWN"},
        {"output": {"threshold": 2}},
        {"output": {"corners": "xywh"}},
        {"classes": "name"},
        {"together": 0},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(raw: dict[str, Any]) -> None:
    assert "recipe" in str(refused(raw))


@pytest.mark.parametrize("key", ["divide", "mean", "std"])
def test_bytes_are_not_normalised(key: str) -> None:
    value: Any = 2.0 if key == "divide" else [2.0, 2.0, 2.0]
    assert refused({"dtype": "uint8", key: value}).where == f"recipe: {key}"


@pytest.mark.parametrize(
    ("name", "size", "classes"),
    [
        ("retinanet", 800, "id"),
        ("retinanet-synthetic", 800, "id"),
        ("ssd-mobilenet", 300, "id"),
        ("ssd-resnet34", 1200, "position"),
        ("centernet-mobilenetv3", 512, "position"),
    ],
    ids=str,
)
def test_the_catalogue_has_recipes_of_every_detector(home: Any, name: str, size: int, classes: str) -> None:
    model = load_catalogue(Settings(home=home)).get(name).model
    assert model is not None
    recipe = read_recipe(model.recipe)
    assert (recipe.size, recipe.classes) == (size, classes)

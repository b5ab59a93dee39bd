from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from assay.campaign.recipes import read_recipe, recipe_words
from assay.errors import InvalidInputError, NotFoundError, UsageError


def test_a_file_and_single_keys_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("crop: 224\noutput: {kind: logits, top: 5}\n")
    recipe = read_recipe([str(path), "output.kind=argmax", "mean=[0.5, 0.5, 0.5]", "layout=NHWC", "scale=0.1"])
    assert recipe == {
        "crop": 224,
        "output": {"kind": "argmax", "top": 5},
        "mean": [0.5, 0.5, 0.5],
        "layout": "NHWC",
        "scale": 0.1,
    }


def test_a_recipe_can_be_written_as_options_again() -> None:
    recipe = {"crop": 32, "output": {"kind": "logits"}, "mean": [1, 2.5], "name": "a b=c"}
    words = shlex.split(shlex.join(recipe_words(recipe)))
    assert words[::2] == ["--recipe"] * 4
    assert read_recipe(words[1::2]) == recipe


@pytest.mark.parametrize(
    "word", ["crop", "=3", "a..b=3", "mean=[1, 2", "x=&a 1", "x=" + "1" * 5000, "a.b.c.d.e.f.g.h.i=1"]
)
def test_what_is_no_recipe_is_refused(word: str) -> None:
    with pytest.raises(UsageError):
        read_recipe([word])


def test_a_file_that_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_recipe([str(tmp_path / "none.yaml")])
    bad = tmp_path / "bad.yaml"
    bad.write_text("- 1\n")
    with pytest.raises(InvalidInputError, match="mapping"):
        read_recipe([str(bad)])

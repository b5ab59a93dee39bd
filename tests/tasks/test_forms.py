from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.errors import InvalidInputError
from assay.tasks.forms import read_form


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str = "logits"
    names: dict[str, int] = Field(default_factory=dict)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    crop: int = Field(default=224, ge=8)
    output: Inner = Inner()

    @model_validator(mode="after")
    def _even(self) -> Outer:
        if self.crop % 2:
            raise ValueError("the crop is odd")
        return self


def test_a_recipe_is_read() -> None:
    assert read_form(Outer, {"output": {"kind": "argmax"}}) == Outer(output=Inner(kind="argmax"))


@pytest.mark.parametrize(
    ("raw", "what", "where", "expected"),
    [
        ({"corp": 1}, "unknown key 'corp'", "recipe: corp", "crop"),
        ({"output": {"knid": "x"}}, "unknown key 'knid'", "recipe: output.knid", "kind"),
        ({"zzz": 1}, "unknown key 'zzz'", "recipe: zzz", "crop, output"),
        ({"crop": 4}, "the recipe is wrong: Input should be greater than or equal to 8", "recipe: crop", None),
        ({"crop": 9}, "the recipe is wrong: the crop is odd", "recipe", None),
        ({"output": {"names": {"a": "x"}}}, "the recipe is wrong", "recipe: output.names.a", None),
    ],
)
def test_the_key_that_is_wrong_is_named(raw: dict[str, Any], what: str, where: str, expected: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_form(Outer, raw)
    assert caught.value.what.startswith(what)
    assert (caught.value.where, caught.value.expected) == (where, expected)

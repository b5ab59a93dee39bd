"""How a language model wants its texts and how its outputs are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InvalidInputError
from assay.models.text.features import WindowForm
from assay.tasks.forms import read_form

_SPECIAL_TOKENS = 3


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputNames(_Form):
    """Names of the model's inputs, where they are not among the usual ones."""

    ids: str | None = None
    mask: str | None = None
    segments: str | None = None


class OutputNames(_Form):
    """Names of the model's outputs, where their order or usual names do not tell them."""

    start: str | None = None
    end: str | None = None
    embedding: str | None = None


class Recipe(_Form):
    """A recipe: what is asked, how text becomes tokens, how samples become batches.

    The defaults are those of BERT-Large on SQuAD v1.1 (mlcommons/inference v3.1, language/bert/squad_QSL.py and
    accuracy-squad.py).

    Attributes:
        kind: ``question-answering`` (a span of a text answers a question) or ``similarity`` (one vector per text).
        vocabulary: ``vocab.txt`` or ``tokenizer.json``, or a folder with one of them; beside the model if not given.
        vocabulary_size: word pieces that the model knows; another number of them is refused.
        lower_case: text is lower-cased and loses its accents.
        max_length: tokens of a sample, at most.
        max_query: tokens of a question, at most; the rest is cut off.
        stride: a text longer than a sample is cut into windows, one beginning so many tokens after the other.
        n_best: best starts and best ends that are combined.
        max_answer: tokens of an answer, at most.
        padding: samples of a batch are padded to the ``longest`` of them or to ``max_length`` (``max``).
        first_article: articles before this one are left out, because the model was trained on them.
    """

    kind: Literal["question-answering", "similarity"] = "question-answering"
    vocabulary: str | None = None
    vocabulary_size: int | None = Field(default=None, ge=8, le=1 << 22)
    lower_case: bool = True
    max_length: int = Field(default=384, ge=8, le=4096)
    max_query: int = Field(default=64, ge=1, le=4096)
    stride: int = Field(default=128, ge=1, le=4096)
    n_best: int = Field(default=20, ge=1, le=4096)
    max_answer: int = Field(default=30, ge=1, le=4096)
    padding: Literal["longest", "max"] = "longest"
    first_article: int = Field(default=0, ge=0)
    inputs: InputNames = InputNames()
    outputs: OutputNames = OutputNames()

    @property
    def windows(self) -> WindowForm:
        """How windows are cut."""
        return WindowForm(self.max_length, self.max_query, self.stride)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.kind == "question-answering" and recipe.max_query + _SPECIAL_TOKENS >= recipe.max_length:
        raise InvalidInputError(
            "a question of full length leaves no room for the text",
            where="recipe: max_query",
            expected=f"less than {recipe.max_length - _SPECIAL_TOKENS}, max_length less three special tokens",
            found=str(recipe.max_query),
        )
    return recipe

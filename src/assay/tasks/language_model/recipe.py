"""How a language model is prompted, how it answers and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assay.base.generation import Decoding
from assay.errors import InvalidInputError
from assay.tasks.forms import read_form

FIELDS = ("instruction", "input")
# What a sample of the benchmark is. Source: language/gpt-j/dataset.py of mlcommons/inference v3.1, prompt_input.
GPTJ_PROMPT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DecodingForm(_Form):
    """How text is made.

    Source of the keys of GPT-J: ``gen_kwargs`` of language/gpt-j/backend.py, mlcommons/inference v3.1.
    """

    beams: int = Field(default=1, ge=1, le=64)
    max_new_tokens: int = Field(default=128, ge=1, le=32768)
    min_new_tokens: int = Field(default=0, ge=0, le=32768)
    early_stopping: bool = False


class Recipe(_Form):
    """A recipe: prompt, decoding, reading.

    Attributes:
        prompt: a text with ``{input}``, and ``{instruction}`` where it is wanted; that of GPT-J when not given.
        instruction: for texts that come without one.
        max_prompt_tokens: longer prompts are cut.
        cut: what is cut off a long prompt: its ``end``, as the GPT-J reference does, or the ``input`` inside it.
        decoding: how text is made.
        tokenizer: file or folder of the tokenizer; that of the model when not given.
        clean_up: take out spaces before punctuation as Hugging Face's tokenizers of GPT-J's time do.
    """

    prompt: str = Field(default=GPTJ_PROMPT, min_length=1, max_length=20_000)
    instruction: str = Field(default="Summarize the following news article:", max_length=20_000)
    max_prompt_tokens: int = Field(default=1919, ge=1, le=1_000_000)
    cut: Literal["end", "input"] = "end"
    decoding: DecodingForm = DecodingForm()
    tokenizer: str | None = Field(default=None, max_length=4096)
    clean_up: bool = False

    @field_validator("prompt")
    @classmethod
    def _fields_known(cls, prompt: str) -> str:
        try:
            parts = list(Formatter().parse(prompt))
        except ValueError as error:
            raise ValueError(f"its braces do not fit: {error}") from error
        names = [name for _, name, _, _ in parts if name is not None]
        if names.count("input") != 1 or any(name not in FIELDS for name in names):
            raise ValueError("it takes {input} once, and {instruction}, and nothing else in braces")
        if any(form or conversion for _, _, form, conversion in parts):
            raise ValueError("its fields take no format")
        return prompt

    def wanted_decoding(self) -> Decoding:
        """The decoding for an engine."""
        form = self.decoding
        extra = {"early_stopping": True} if form.early_stopping else {}
        return Decoding(form.max_new_tokens, form.min_new_tokens, form.beams, extra)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.decoding.min_new_tokens > recipe.decoding.max_new_tokens:
        raise InvalidInputError(
            "the shortest answer is longer than the longest one",
            where="recipe: decoding.min_new_tokens",
            expected=f"at most {recipe.decoding.max_new_tokens}",
            found=str(recipe.decoding.min_new_tokens),
        )
    return recipe

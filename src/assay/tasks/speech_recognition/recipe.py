"""How a speech model wants its samples and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InvalidInputError
from assay.tasks.forms import read_form
from assay.tasks.speech_recognition.logmel import SECONDS


class Recipe(BaseModel):
    """A recipe.

    Attributes:
        decoder: ``rnnt`` (a folder of encoder, prediction and joint network, decoded here, one response of character
            labels) or ``whisper`` (an engine that generates text; a response holds its token ids).
        max_seconds: longest recording that is taken; the reference leaves longer ones out of LibriSpeech.
        max_symbols: characters that RNN-T may write at one step of time.
        language: two letters, told to a Whisper of several languages; not given for one that knows English only.
        max_tokens: longest answer of Whisper.
        together: recordings of a batch that Whisper hears at once. On a CPU more are no faster, and each takes 90 MB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoder: Literal["rnnt", "whisper"] = "rnnt"
    max_seconds: float = Field(default=15.0, gt=0, le=60.0, allow_inf_nan=False)
    max_symbols: int = Field(default=30, ge=1, le=1_000)
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    max_tokens: int = Field(default=200, ge=1, le=220)
    together: int = Field(default=1, ge=1, le=256)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.decoder == "whisper" and recipe.max_seconds > SECONDS:
        raise InvalidInputError(
            "Whisper hears one window of 30 seconds",
            where="recipe: max_seconds",
            expected=f"at most {SECONDS:g}",
            found=f"{recipe.max_seconds:g}",
        )
    return recipe

"""Text from prompts: the language that tasks and generating engines share, beside that of tensors.

A generating engine (llama.cpp, CTranslate2, an OpenAI-compatible server) decodes by itself; it takes prompts and a
limit and gives tokens with the moments they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array


@dataclass(frozen=True, slots=True)
class Prompt:
    """What text is made from; the engine takes the first of its attributes that it can use.

    Attributes:
        tokens: token ids of the model's own vocabulary, ``(n,)``.
        text: the same as text, for engines that split it themselves; empty when there is none.
        features: other input, such as the spectrogram of speech ``(bands, frames)``.
    """

    tokens: NDArray[np.int32] | None = None
    text: str = ""
    features: Array | None = None


TellFirst = Callable[[int, "int | None", str], None]
"""Told of a first token as it comes: the prompt's place in the call, the token's id (None where the engine tells no ids),
and the letters that came with it. Any thread may call it."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How text is made.

    Attributes:
        max_tokens: longest answer.
        min_tokens: shortest answer; the end token is not taken before.
        beams: beams of the search; 1 is greedy.
        extra: settings only some engines have, by their own name.
        tell_first: called with the first token of each answer; None when nobody asks. Engines that cannot tell leave it.
    """

    max_tokens: int
    min_tokens: int = 0
    beams: int = 1
    extra: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    tell_first: TellFirst | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Generated:
    """One answer.

    Attributes:
        tokens: token ids made, without the prompt; ``(n,)``, empty when the engine tells none.
        text: the same as text; empty when the engine tells none.
        first_token_ns: time from the call to the first token; None when the engine cannot tell.
        total_ns: time from the call to the last token.
        prompt_tokens: tokens of the prompt as the engine counted them.
        token_count: tokens made, where the engine tells how many but not which.
    """

    tokens: NDArray[np.int32]
    text: str
    first_token_ns: int | None
    total_ns: int
    prompt_tokens: int = 0
    token_count: int | None = None


Generate = Callable[[Sequence[Prompt], Decoding], Sequence[Generated]]
"""Answers to some prompts, in their order."""

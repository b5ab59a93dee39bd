"""From an article to what the model is given: the recipe's prompt, as text and as token ids, cut to its limit.

Source: language/gpt-j/dataset.py of mlcommons/inference v3.1: the whole prompt is made first and cut at its end, at 1,919
tokens (2,048 of the model, less 128 new ones and one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np
from numpy.typing import NDArray

from assay.models.tokenizer import TextTokenizer
from assay.tasks.language_model.articles import Article
from assay.tasks.language_model.recipe import Recipe


@dataclass(frozen=True, slots=True)
class MadePrompt:
    """A prompt.

    Attributes:
        tokens: its token ids, ``(n,)``; empty without a tokenizer.
        text: the same as text.
        cut: whether it was too long.
    """

    tokens: NDArray[np.int32]
    text: str
    cut: bool


class Prompter:
    """Makes prompts.

    Args:
        recipe: prompt and limit.
        tokenizer: of the model; None where only a server has it, and then prompts are not cut.
    """

    def __init__(self, recipe: Recipe, tokenizer: TextTokenizer | None) -> None:
        self._recipe = recipe
        self._tokenizer = tokenizer
        parts = [(literal, name) for literal, name, _, _ in Formatter().parse(recipe.prompt)]
        place = next(i for i, (_, name) in enumerate(parts) if name == "input")
        self._head = (*parts[:place], (parts[place][0], None))
        self._tail = tuple(parts[place + 1 :])

    def make(self, article: Article) -> MadePrompt:
        """The prompt of an article."""
        text = self._filled(self._head, article) + article.text + self._filled(self._tail, article)
        tokenizer, most = self._tokenizer, self._recipe.max_prompt_tokens
        if tokenizer is None:
            return MadePrompt(np.empty(0, np.int32), text, cut=False)
        tokens = tokenizer.encode(text)
        if len(tokens) <= most:
            return MadePrompt(tokens, text, cut=False)
        if self._recipe.cut == "input":
            end = tokenizer.encode(self._filled(self._tail, article))[:most]
            tokens = np.concatenate([tokens[: most - len(end)], end])
        else:
            tokens = tokens[:most]
        return MadePrompt(tokens, tokenizer.decode(tokens, special=True), cut=True)

    def make_all(self, articles: Sequence[Article]) -> list[MadePrompt]:
        """The prompts of some articles."""
        return [self.make(article) for article in articles]

    def _filled(self, parts: Sequence[tuple[str, str | None]], article: Article) -> str:
        # Put together and not formatted: braces of the article are its own.
        instruction = self._recipe.instruction if article.instruction is None else article.instruction
        return "".join(literal + (instruction if name else "") for literal, name in parts)

"""What Whisper's tokens say, by the tokenizer that lies beside the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.speech_recognition.text import plain_text

TOKENIZER = "tokenizer.json"


def need_tokenizer(model: Path | None) -> Path:
    """The tokenizer's file, told missing before a run and not after it.

    Raises:
        NotFoundError: when there is none in the model's folder.
    """
    path = (model or Path()) / TOKENIZER
    if model is None or not path.is_file():
        raise NotFoundError(f"{TOKENIZER} is missing in the model's folder", where=model)
    return path


def open_vocabulary(model: Path | None) -> Callable[[list[int]], str]:
    """A function from token ids to the text they say, in the form in which it is compared.

    Args:
        model: the model's folder.

    Raises:
        NotFoundError: when there is no tokenizer in it.
        InvalidInputError: when it is none. The function raises it for a token that there is not.
    """
    path = need_tokenizer(model)
    # The library takes 40 ms to import and is wanted only to read answers.
    from assay.models.tokenizer import open_tokenizer

    tokenizer = open_tokenizer(path)

    def say(tokens: list[int]) -> str:
        wrong = next((token for token in tokens if not 0 <= token < tokenizer.size), None)
        if wrong is not None:
            raise InvalidInputError(
                "a response holds a token that there is not",
                where=path,
                expected=f"0 to {tokenizer.size - 1}",
                found=str(wrong),
            )
        return plain_text(tokenizer.decode(np.array(tokens, np.int64)))

    return say

"""Whisper models of CTranslate2: tokens from spectrograms."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.ctranslate2_stream import TextStream, broken
from assay.backends.protocol import Decoding, Generated, Prompt
from assay.errors import InvalidInputError, nearest

_EXTRA_DECODING = frozenset(
    {"length_penalty", "no_repeat_ngram_size", "patience", "repetition_penalty", "suppress_blank"}
)
_LONGEST = 448
"""Tokens of a prompt and its answer together: Whisper has no more places."""
_TASK = "<|transcribe|>"
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>")


class WhisperStream(TextStream):
    """One worker's way into the shared model.

    Args:
        library: CTranslate2.
        model: a Whisper that it has loaded.
    """

    def __init__(self, library: Any, model: Any) -> None:
        self._view = library.StorageView.from_array
        self._model = model
        self._bands = int(model.n_mels)
        self._multilingual = bool(model.is_multilingual)

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Tokens for some spectrograms, in one batch; the library tells no moment of the first token.

        Raises:
            InvalidInputError: when a prompt has no spectrogram of the model's size, or no room for the answer.
            RunFailedError: when the engine breaks.
        """
        features = self._features(prompts)
        starts = [_start(prompt, multilingual=self._multilingual) for prompt in prompts]
        options = _decoding(decoding, max(map(len, starts)))
        began = time.perf_counter_ns()
        try:
            results = self._model.generate(self._view(features), starts, **options)
        except (RuntimeError, ValueError, TypeError) as error:
            raise broken(error) from error
        took = time.perf_counter_ns() - began
        return [
            Generated(np.array(result.sequences_ids[0], np.int32), "", None, took, len(start))
            for result, start in zip(results, starts, strict=True)
        ]

    def _features(self, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        shapes = {None if prompt.features is None else prompt.features.shape for prompt in prompts}
        shape = next(iter(shapes), None)
        if len(shapes) != 1 or shape is None or len(shape) != 2 or shape[0] != self._bands:
            raise InvalidInputError(
                "Whisper is asked by spectrograms of one size",
                expected=f"({self._bands}, frames)",
                found=", ".join(map(str, shapes)) or "no prompt",
            )
        return np.stack([np.asarray(prompt.features, np.float32) for prompt in prompts])


def _start(prompt: Prompt, *, multilingual: bool) -> list[int] | list[str]:
    """What the answer begins with: token ids, or the special tokens that a text is made of.

    An English-only model that is told a language still answers, and worse; so does the other kind without one.
    """
    if prompt.tokens is not None:
        return [int(token) for token in prompt.tokens]
    found = _SPECIAL.findall(prompt.text)
    if not found or "".join(found) != prompt.text:
        raise InvalidInputError(
            "Whisper's prompt is made of special tokens", expected="<|startoftranscript|>...", found=prompt.text[:60]
        )
    if (_TASK in found) != multilingual:
        raise InvalidInputError(
            f"the model knows {'several languages' if multilingual else 'English only'}",
            expected="a language and a task in the prompt"
            if multilingual
            else "neither language nor task in the prompt",
            found=prompt.text[:60],
            hint=f"{'give' if multilingual else 'leave out'} language in the recipe",
        )
    return list(found)


def _decoding(decoding: Decoding, start: int) -> dict[str, Any]:
    """The library's arguments.

    Its ``max_length`` counts the prompt's tokens, and an answer has at most half of it.
    """
    most = _LONGEST // 2
    if not 1 <= decoding.max_tokens <= min(most, _LONGEST - start):
        raise InvalidInputError(
            "Whisper has no room for so long an answer",
            expected=f"1 to {min(most, _LONGEST - start)} tokens",
            found=str(decoding.max_tokens),
        )
    if decoding.min_tokens:
        raise InvalidInputError("CTranslate2's Whisper has no shortest answer", expected="min_tokens of 0")
    for key in decoding.extra:
        if key not in _EXTRA_DECODING:
            close = nearest(key, _EXTRA_DECODING)
            raise InvalidInputError(
                f"CTranslate2's Whisper has no setting {key!r}", expected=" or ".join(close or sorted(_EXTRA_DECODING))
            )
    length = max(2 * decoding.max_tokens, decoding.max_tokens + start)
    return {"beam_size": decoding.beams, "max_length": min(length, _LONGEST), **decoding.extra}

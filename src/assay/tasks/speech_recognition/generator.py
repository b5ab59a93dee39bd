"""Whisper: a spectrogram in, tokens out; the engine decodes by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.base.generation import Decoding, Generate, Prompt
from assay.base.tensors import Array
from assay.tasks.protocol import Samples
from assay.tasks.speech_recognition.logmel import LogMel
from assay.tasks.speech_recognition.recipe import Recipe
from assay.tasks.speech_recognition.wav import RATE


class Generator:
    """The way from recordings to tokens for one stream.

    Args:
        generate: the engine's.
        features: may be shared with other streams.
        recipe: language, longest answer, and how many recordings are heard at once.
    """

    def __init__(self, generate: Generate, features: LogMel, recipe: Recipe) -> None:
        self._generate = generate
        self._features = features
        told = f"<|{recipe.language}|><|transcribe|>" if recipe.language else ""
        self._start = f"<|startoftranscript|>{told}<|notimestamps|>"
        self._decoding = Decoding(max_tokens=recipe.max_tokens, beams=1)
        self._together = recipe.together
        self._sound = 0
        self._tokens = 0

    def __call__(self, samples: Samples) -> Sequence[Array]:
        """Tokens of each recording, int64 ``(n,)``; none when nothing is heard."""
        answers = [
            answer
            for first in range(0, len(samples), self._together)
            for answer in self._generate(self._prompts(samples[first : first + self._together]), self._decoding)
        ]
        self._sound += sum(len(sample[0]) for sample in samples)
        self._tokens += sum(len(answer.tokens) for answer in answers)
        return [answer.tokens.astype(np.int64) for answer in answers]

    def _prompts(self, samples: Samples) -> list[Prompt]:
        return [
            Prompt(text=self._start, features=self._features(sample[0]))  # type: ignore[arg-type]
            for sample in samples
        ]

    def figures(self) -> Mapping[str, float]:
        """Seconds of sound that were heard, and tokens that were written."""
        return {"audio_s": self._sound / RATE, "tokens": float(self._tokens)}

    def reset(self) -> None:
        """Forget what was heard."""
        self._sound = self._tokens = 0

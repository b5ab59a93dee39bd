"""Recordings of noise with the lengths of the benchmark's, for speed only."""

from __future__ import annotations

import numpy as np

from assay.tasks.protocol import Sample
from assay.tasks.speech_recognition.fbank import LEAST_SAMPLES
from assay.tasks.speech_recognition.wav import RATE

# Every twentieth part of the lengths of the 2,513 utterances, from the reference's dev-clean-wav.json; mean 6.25 s.
_LENGTHS_S = (
    *(1.445, 2.335, 2.685, 2.935, 3.265, 3.625, 3.975, 4.36, 4.72, 5.065, 5.535),
    *(6.04, 6.59, 7.12, 7.73, 8.42, 9.16, 10.0, 10.89, 12.29, 14.995),
)
_LOUDNESS = 0.1


def noise(count: int, seed: int, max_seconds: float) -> list[Sample]:
    """Recordings: float32 ``(samples,)`` each, lengths spread as those of LibriSpeech dev-clean.

    They are parts of one stretch of noise, which keeps them small in memory and different all the same.
    """
    random = np.random.default_rng(seed)
    places = np.linspace(0.0, 1.0, len(_LENGTHS_S))
    seconds = np.minimum(np.interp(random.uniform(size=count), places, _LENGTHS_S), max_seconds)
    lengths = np.maximum((seconds * RATE).astype(np.int64), LEAST_SAMPLES)
    longest = int(lengths.max(initial=LEAST_SAMPLES))
    stretch = (_LOUDNESS * random.standard_normal(2 * longest)).astype(np.float32)
    starts = random.integers(0, longest, count)
    return [(stretch[start : start + length],) for start, length in zip(starts, lengths, strict=True)]

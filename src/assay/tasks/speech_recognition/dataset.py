"""Recordings as LoadGen's samples: waveforms of 32-bit floats, read when they are loaded.

Nothing is prepared beforehand, because the features are part of the timed path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError
from assay.tasks.protocol import Sample, SkippedSample
from assay.tasks.reading import require_some
from assay.tasks.speech_recognition.fbank import LEAST_SAMPLES
from assay.tasks.speech_recognition.listing import Utterance, find_utterances
from assay.tasks.speech_recognition.recipe import Recipe
from assay.tasks.speech_recognition.wav import RATE, Wav, open_wav, read_wav


@dataclass(frozen=True, slots=True)
class SpeechDataset:
    """Recordings and their transcripts.

    Attributes:
        texts: what is said in each, in the form in which it is compared.
        sizes: samples of each, ``(count,)``.
        model: the model's folder, where Whisper's tokenizer lies.
    """

    skipped: tuple[SkippedSample, ...]
    texts: tuple[str, ...]
    wavs: tuple[Wav, ...]
    sizes: NDArray[np.int64]
    model: Path | None

    @property
    def count(self) -> int:
        """Recordings there are."""
        return len(self.wavs)

    def load(self, indices: Sequence[int]) -> list[Sample]:
        """Waveforms of some recordings: float32 from -1 to 1, ``(samples,)`` each."""
        return [(read_wav(self.wavs[index]),) for index in indices]


def open_speech(
    source: Path, recipe: Recipe, *, limit: int | None, skip_bad: bool, model: Path | None, progress: Progress
) -> SpeechDataset:
    """Find the recordings of a folder and check every one's header.

    Raises:
        NotFoundError: when there is no dataset at this path, or a recording is not there.
        InvalidInputError: for a wrong layout, or a recording of another kind (which one).
        UsageError: for a limit below one.
    """
    require_some(limit)
    listed = find_utterances(source, recipe.max_seconds)[:limit]
    good: list[tuple[Utterance, Wav]] = []
    bad: list[SkippedSample] = []
    step = progress.start("recordings", total=len(listed), unit="files")
    try:
        for utterance in listed:
            try:
                good.append((utterance, _checked(utterance, recipe)))
            except AssayError as error:
                if not skip_bad:
                    raise
                bad.append(SkippedSample(utterance.name, str(error)))
            step.advance()
    finally:
        step.finish()
    if not good:
        raise InvalidInputError("no recording of the dataset can be read", where=source, found=bad[0].reason)
    return SpeechDataset(
        skipped=tuple(bad),
        texts=tuple(utterance.text for utterance, _ in good),
        wavs=tuple(wav for _, wav in good),
        sizes=np.array([wav.frames for _, wav in good], np.int64),
        model=model,
    )


def _checked(utterance: Utterance, recipe: Recipe) -> Wav:
    wav = open_wav(utterance.path)
    if wav.frames < LEAST_SAMPLES:
        raise InvalidInputError(
            "the recording is too short for two frames of 30 ms",
            where=wav.path,
            expected=f"at least {LEAST_SAMPLES} samples",
            found=str(wav.frames),
        )
    # A manifest's seconds are rounded.
    if wav.frames > round((recipe.max_seconds + 0.01) * RATE):
        raise InvalidInputError(
            "the recording is longer than the task takes",
            where=wav.path,
            expected=f"at most {recipe.max_seconds:g} s",
            found=f"{wav.seconds:.2f} s",
            hint="cut it, leave it out with --skip-bad, or set max_seconds in the recipe",
        )
    return wav

"""Features of Whisper: the log mel spectrogram of 30 seconds, silence after the end of the recording.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, section 2.2 (80 bands, 25 ms windows,
10 ms apart), and the published model's own scaling. Part of the timed path, as RNN-T's features are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.tasks.speech_recognition.mel import hann, mel_filters, power_frames
from assay.tasks.speech_recognition.wav import RATE

BANDS = 80
FRAMES = 3_000
SECONDS = 30.0

_HOP, _N_FFT = 160, 400
_LEAST_ENERGY = 1e-10
_RANGE = 8.0


class LogMel:
    """Makes spectrograms; holds only its window and filters, so threads may share it."""

    def __init__(self) -> None:
        self._window = hann(_N_FFT, periodic=True)
        self._filters = mel_filters(_N_FFT, BANDS)

    def __call__(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Spectrogram of a recording of at most 30 seconds: ``(80, 3000)``, about -1 to 2."""
        half = _N_FFT // 2
        sound = sound[: round(SECONDS * RATE)]
        # Windows beyond the recording hold nothing but silence: their logarithm is known.
        count = min(FRAMES, -(-(len(sound) + half) // _HOP))
        whole = np.zeros(min(round(SECONDS * RATE), max(len(sound), count * _HOP + half)), np.float32)
        whole[: len(sound)] = sound
        padded = np.pad(whole, half, mode="reflect")
        energies = power_frames(padded, self._window, _HOP, count) @ self._filters
        logs = np.log10(np.maximum(energies, np.float32(_LEAST_ENERGY)))
        spectrogram = np.full((BANDS, FRAMES), np.log10(_LEAST_ENERGY), np.float32)
        spectrogram[:, :count] = logs.T
        floor = spectrogram.max() - np.float32(_RANGE)
        return np.asarray((np.maximum(spectrogram, floor) + np.float32(4.0)) / np.float32(4.0), np.float32)

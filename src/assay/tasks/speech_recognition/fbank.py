"""Features of RNN-T: log mel energies of 10 ms frames, three of them side by side every 30 ms, normalised.

Source: mlcommons/inference v3.1, speech_recognition/rnnt/pytorch/parts/features.py with configs/rnnt.toml; harness-spec,
section 5. They are part of the timed path.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.tasks.speech_recognition.mel import hann, mel_filters, power_frames

BANDS = 80
SPLICED = 3
FEATURES = BANDS * SPLICED
LEAST_SAMPLES = 481
"""Shortest sound: two frames of 30 ms, because a deviation needs two values."""

_HOP, _WINDOW, _N_FFT = 160, 320, 512
_EMPHASIS = np.float32(0.97)
_DITHER_POWER = np.float32(1e-5**2)
_LEAST_ENERGY = np.float32(1e-20)
_LEAST_DEVIATION = 1e-5


class Features:
    """Makes features; holds only its window and filters, so threads may share it."""

    def __init__(self) -> None:
        margin = (_N_FFT - _WINDOW) // 2
        self._window = np.pad(hann(_WINDOW, periodic=False), margin)
        self._filters = mel_filters(_N_FFT, BANDS)

    def __call__(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of a recording: ``(frames, 240)``, :func:`frames_of` frames of 30 ms."""
        emphasised = np.empty_like(sound)
        emphasised[0] = sound[0]
        np.subtract(sound[1:], _EMPHASIS * sound[:-1], out=emphasised[1:])
        padded = np.pad(emphasised, _N_FFT // 2, mode="reflect")
        power = power_frames(padded, self._window, _HOP, 1 + len(sound) // _HOP)
        energies = np.log((power + _DITHER_POWER) @ self._filters + _LEAST_ENERGY)
        # The last frame is filled up with zeros, as the reference does after the logarithm.
        spliced = np.pad(energies, ((0, -len(energies) % SPLICED), (0, 0))).reshape(-1, FEATURES)
        return _normalised(spliced[: frames_of(len(sound))])


def frames_of(samples: int) -> int:
    """Feature frames of 30 ms of a recording of so many samples."""
    hops = (samples + _HOP - 1) // _HOP
    return (hops + SPLICED - 1) // SPLICED


def _normalised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each feature less its mean over time, by its deviation (of a sample: n - 1)."""
    mean = values.mean(axis=0, dtype=np.float64)
    deviation = values.std(axis=0, ddof=1, dtype=np.float64) + _LEAST_DEVIATION
    return np.asarray((values - mean.astype(np.float32)) / deviation.astype(np.float32), np.float32)

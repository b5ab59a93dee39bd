"""Short-time spectra and the mel scale of Slaney's Auditory Toolbox, which both models' features use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.tasks.speech_recognition.wav import RATE

_LINEAR_TO = 1_000.0
_LINEAR_STEP = 200.0 / 3.0
_LOG_STEP = np.log(6.4) / 27.0


def mel_filters(n_fft: int, bands: int) -> NDArray[np.float32]:
    """Triangles on the mel scale from 0 Hz to half the rate, each of area one: ``(n_fft / 2 + 1, bands)``."""
    edges = _to_hertz(np.linspace(0.0, _to_mel(RATE / 2), bands + 2))
    bins = np.linspace(0.0, RATE / 2, n_fft // 2 + 1)
    widths = np.diff(edges)
    rising = (bins[:, None] - edges[None, :-2]) / widths[:-1]
    falling = (edges[None, 2:] - bins[:, None]) / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return np.ascontiguousarray(triangles, np.float32)


def hann(length: int, *, periodic: bool) -> NDArray[np.float32]:
    """A Hann window; the periodic one leaves out its last zero."""
    steps = length if periodic else length - 1
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / steps), np.float32)


def power_frames(padded: NDArray[np.float32], window: NDArray[np.float32], hop: int, count: int) -> NDArray[np.float32]:
    """Power spectra of windows ``hop`` samples apart: ``(count, len(window) / 2 + 1)``.

    Args:
        padded: sound, long enough for ``count`` windows.
        window: as long as the transform.
        hop: samples from one window to the next.
        count: windows.
    """
    views = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop][:count]
    spectra = np.fft.rfft(views * window)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)


def _to_mel(hertz: float) -> float:
    assert hertz >= _LINEAR_TO
    return float(_LINEAR_TO / _LINEAR_STEP + np.log(hertz / _LINEAR_TO) / _LOG_STEP)


def _to_hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_TO / _LINEAR_STEP
    logarithmic = _LINEAR_TO * np.exp(_LOG_STEP * (np.maximum(mels, knee) - knee))
    return np.where(mels < knee, mels * _LINEAR_STEP, logarithmic)

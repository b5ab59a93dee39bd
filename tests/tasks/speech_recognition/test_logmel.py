from __future__ import annotations

import numpy as np
import pytest

from assay.tasks.speech_recognition.logmel import BANDS, FRAMES, LogMel

from .conftest import tone


# The published model's arithmetic (PyTorch's transform over 480,000 samples, librosa's filters) on the tone: band, frame, value.
@pytest.mark.parametrize(
    ("samples", "expected", "total"),
    [
        (4_000, ((10, 1, 0.645240), (40, 12, 0.570277), (79, 24, 0.491613), (5, 26, 0.217901), (79, 2_999, -0.668887)), 160163.34),
        (480_000, ((10, 1, 0.645240), (79, 24, 0.491797), (5, 26, 0.597965), (79, 2_999, 1.155569)), 116037.42),
        (479_900, ((10, 1, 0.645240), (79, 24, 0.491797), (79, 2_999, 1.130650)), 116035.52),
    ],
    ids=["short", "whole", "nearly whole"],
)  # fmt: skip
def test_spectrogram_is_the_published_models(
    samples: int, expected: tuple[tuple[int, int, float], ...], total: float
) -> None:
    spectrogram = LogMel()(tone(samples))
    assert spectrogram.shape == (BANDS, FRAMES)
    assert spectrogram.dtype == np.float32
    assert spectrogram[0, 0] == pytest.approx(0.8994736, abs=1e-4)
    for band, frame, value in expected:
        assert spectrogram[band, frame] == pytest.approx(value, abs=1e-4)
    assert np.abs(spectrogram).sum() == pytest.approx(total, rel=1e-5)


def test_silence_is_even() -> None:
    spectrogram = LogMel()(np.zeros(1_000, np.float32))
    assert [spectrogram.min(), spectrogram.max()] == pytest.approx([-1.5, -1.5])


def test_what_is_beyond_30_seconds_is_not_heard() -> None:
    sound = tone(481_000)
    assert np.array_equal(LogMel()(sound), LogMel()(sound[:480_000]))

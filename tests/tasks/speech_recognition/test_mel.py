from __future__ import annotations

import numpy as np
import pytest

from assay.tasks.speech_recognition.mel import hann, mel_filters, power_frames


@pytest.mark.parametrize(("n_fft", "bins"), [(512, 257), (400, 201)])
def test_filters_are_triangles_of_one_area(n_fft: int, bins: int) -> None:
    filters = mel_filters(n_fft, 80)
    assert filters.shape == (bins, 80)
    assert filters.dtype == np.float32
    assert (filters >= 0).all()
    # librosa 0.11: filters.mel(sr=16000, n_fft=512, n_mels=80)
    if n_fft == 512:
        assert filters.max() == pytest.approx(0.026406592, abs=1e-8)
    # The wide ones of high frequencies hold enough bins for the sum to be the integral.
    assert filters[:, 60:].sum(axis=0) * 16_000 / n_fft == pytest.approx(np.ones(20), rel=0.06)
    assert (np.diff(filters[:, 40:].argmax(axis=0)) > 0).all()


def test_windows_begin_and_end_at_zero() -> None:
    whole, periodic = hann(320, periodic=False), hann(400, periodic=True)
    assert (whole[0], whole[-1], periodic[0]) == (0, 0, 0)
    assert np.allclose(whole, whole[::-1])
    assert periodic[-1] > 0
    assert periodic.sum() == pytest.approx(200)


def test_power_of_a_tone_is_in_its_bin() -> None:
    time = np.arange(4_000) / 16_000
    sound = np.sin(2 * np.pi * 2_000 * time).astype(np.float32)
    power = power_frames(sound, hann(400, periodic=True), 160, 20)
    assert power.shape == (20, 201)
    assert (power.argmax(axis=1) == 50).all()
    # A Hann window passes half of an amplitude; a tone has half of that on each side.
    assert power[:, 50] == pytest.approx(np.full(20, 100.0**2), rel=1e-3)

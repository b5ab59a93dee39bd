from __future__ import annotations

import numpy as np
import pytest

from assay.tasks.speech_recognition.synthetic import noise


def test_lengths_are_spread_as_the_benchmarks() -> None:
    seconds = np.array([len(sample[0]) for sample in noise(4_000, 1, 15.0)]) / 16_000
    assert seconds.mean() == pytest.approx(6.25, abs=0.25)
    assert np.median(seconds) == pytest.approx(5.5, abs=0.3)
    assert 1.4 <= seconds.min() < 2.0
    assert 14.0 < seconds.max() <= 15.0


def test_the_longest_can_be_limited() -> None:
    assert max(len(sample[0]) for sample in noise(50, 1, 2.0)) <= 32_000
    assert {len(sample[0]) for sample in noise(5, 1, 0.001)} == {481}


def test_recordings_share_their_memory() -> None:
    made = noise(64, 3, 15.0)
    bases = {id(sample[0].base) for sample in made}
    assert len(bases) == 1
    assert all(sample[0].flags.c_contiguous and sample[0].dtype == np.float32 for sample in made)

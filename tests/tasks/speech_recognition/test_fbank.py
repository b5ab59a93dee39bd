from __future__ import annotations

import numpy as np
import pytest

from assay.tasks.speech_recognition.fbank import LEAST_SAMPLES, Features, frames_of

from .conftest import tone

# mlcommons/inference v3.1, speech_recognition/rnnt/pytorch/preprocessing.py with configs/rnnt.toml, run on the tone:
# frame, feature, value.
_OF_4000 = (
    *((0, 0, 1.683536), (0, 1, 2.201209), (0, 40, -1.687383), (0, 79, -0.661197), (0, 80, -0.302312)),
    *((0, 239, -0.633149), (4, 0, 0.194307), (4, 60, -0.669570), (4, 100, -0.460773), (4, 200, -0.798020)),
    *((8, 0, -0.162071), (8, 79, -0.343198), (8, 100, -0.114380), (8, 159, 1.093111), (8, 160, 2.609665)),
)
_OF_4160 = (
    *((0, 80, -0.007406), (0, 239, -0.701735), (4, 100, -0.431356), (4, 200, -1.710247)),
    *((8, 100, -0.324876), (8, 159, 0.408791), (8, 160, 2.396462), (8, 239, -1.242131)),
)


@pytest.mark.parametrize(("samples", "expected"), [(4_000, _OF_4000), (4_160, _OF_4160)], ids=["filled up", "full"])
def test_features_are_the_references(samples: int, expected: tuple[tuple[int, int, float], ...]) -> None:
    features = Features()(tone(samples))
    assert features.shape == (9, 240)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    for frame, number, value in expected:
        assert features[frame, number] == pytest.approx(value, abs=1e-4)


def test_sums_are_the_references() -> None:
    assert np.abs(Features()(tone(4_000))).sum() == pytest.approx(1575.1345, rel=1e-5)
    assert np.abs(Features()(tone(4_160))).sum() == pytest.approx(1675.1407, rel=1e-5)


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(481, 2), (640, 2), (960, 2), (961, 3), (1_600, 4), (16_000, 34), (16_001, 34), (113_600, 237)],
)
def test_number_of_frames_is_the_references(samples: int, frames: int) -> None:
    assert frames_of(samples) == frames
    assert len(Features()(tone(samples))) == frames


def test_the_shortest_recording_has_a_deviation() -> None:
    assert frames_of(LEAST_SAMPLES) == 2
    assert frames_of(LEAST_SAMPLES - 1) == 1
    assert np.isfinite(Features()(tone(LEAST_SAMPLES))).all()


def test_each_feature_is_normalised_over_time() -> None:
    features = Features()(tone(32_000))
    assert np.abs(features.mean(axis=0)).max() < 1e-5
    assert features.std(axis=0, ddof=1) == pytest.approx(np.ones(240), abs=1e-4)


def test_silence_has_features_too() -> None:
    assert np.isfinite(Features()(np.zeros(8_000, np.float32))).all()


def test_the_recording_is_left_as_it_is() -> None:
    sound = tone(4_000)
    before = sound.copy()
    Features()(sound)
    assert np.array_equal(sound, before)

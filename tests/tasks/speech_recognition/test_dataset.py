from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.tasks.speech_recognition.dataset import SpeechDataset, open_speech
from assay.tasks.speech_recognition.recipe import read_recipe

from .conftest import write_official, write_wav


def opened(folder: Path, *, limit: int | None = None, skip_bad: bool = False, **recipe: Any) -> SpeechDataset:
    return open_speech(folder, read_recipe(recipe), limit=limit, skip_bad=skip_bad, model=None, progress=SILENT)


def test_waveforms_are_floats_of_their_own_length(official: Path) -> None:
    dataset = opened(official)
    assert dataset.count == 5
    assert dataset.sizes.tolist() == [3_200, 4_000, 4_800, 5_600, 6_400]
    assert dataset.texts[4] == "his wife's action"
    (first,), (second,) = dataset.load([3, 1])
    assert (first.shape, second.shape, first.dtype) == ((5_600,), (4_000,), np.float32)
    assert 0 < np.abs(first.astype(np.float64)).max() < 0.1


def test_a_recording_that_is_missing_or_of_another_kind_ends_it_with_its_name(official: Path) -> None:
    broken = official / "dev-clean-wav/84/121123/84-121123-0002.wav"
    write_wav(broken, rate=8_000)
    with pytest.raises(InvalidInputError, match="another rate") as caught:
        opened(official)
    assert caught.value.where == str(broken)
    broken.unlink()
    with pytest.raises(NotFoundError) as missing:
        opened(official)
    assert missing.value.where == str(broken)


def test_bad_recordings_are_skipped_when_asked(official: Path) -> None:
    write_wav(official / "dev-clean-wav/84/121123/84-121123-0002.wav", bits=24)
    dataset = opened(official, skip_bad=True)
    assert dataset.count == 4
    (skipped,) = dataset.skipped
    assert skipped.name == "dev-clean-wav/84/121123/84-121123-0002.wav"
    assert "24 bits" in skipped.reason
    assert dataset.texts[2] == "it's"


def test_a_dataset_of_bad_recordings_only_is_refused(tmp_path: Path) -> None:
    folder = write_official(tmp_path, ["a", "b"])
    for path in folder.rglob("*.wav"):
        write_wav(path, channels=2)
    with pytest.raises(InvalidInputError, match="no recording of the dataset can be read") as caught:
        opened(folder, skip_bad=True)
    assert "2 channels" in str(caught.value.found)


def test_recordings_have_a_shortest_and_a_longest(tmp_path: Path) -> None:
    folder = write_official(tmp_path, ["a"])
    (path,) = folder.rglob("*.wav")
    write_wav(path, 480)
    with pytest.raises(InvalidInputError, match="too short") as caught:
        opened(folder)
    assert (caught.value.expected, caught.value.found) == ("at least 481 samples", "480")
    write_wav(path, 16_000)
    assert opened(folder, max_seconds=1.0).count == 1
    # The manifest says 0.2 s and the file holds 1 s.
    with pytest.raises(InvalidInputError, match="longer than the task takes") as caught:
        opened(folder, max_seconds=0.5)
    assert (caught.value.expected, caught.value.found) == ("at most 0.5 s", "1.00 s")


def test_a_limit_takes_the_first(official: Path) -> None:
    assert opened(official, limit=2).texts == ("he was in", "a fevered state of mind")
    assert opened(official, limit=99).count == 5
    with pytest.raises(UsageError):
        opened(official, limit=0)

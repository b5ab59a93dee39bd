from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.tasks.speech_recognition.wav import open_wav, read_wav

from .conftest import write_wav


def test_samples_are_16_bit_values_over_32768(tmp_path: Path) -> None:
    values = np.array([0, 1, -1, 32_767, -32_768, 16_384], np.int16)
    wav = open_wav(write_wav(tmp_path / "a.wav", values))
    assert (wav.frames, wav.seconds) == (6, 6 / 16_000)
    sound = read_wav(wav)
    assert sound.dtype == np.float32
    assert sound.tolist() == [0.0, 2**-15, -(2**-15), 32_767 / 32_768, -1.0, 0.5]


@pytest.mark.parametrize("coding", [1, 0xFFFE])
def test_chunks_of_no_interest_are_passed_over(tmp_path: Path, coding: int) -> None:
    # A chunk of odd length is followed by a byte that it does not count.
    extra = b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"fact" + struct.pack("<I", 4) + b"\1\0\0\0"
    wav = open_wav(write_wav(tmp_path / "a.wav", np.arange(10, dtype=np.int16), coding=coding, extra=extra))
    assert (read_wav(wav) * 32_768).tolist() == list(range(10))


@pytest.mark.parametrize(
    ("form", "expected", "found"),
    [
        ({"rate": 8_000}, "16,000 Hz", "8,000 Hz"),
        ({"rate": 44_100}, "16,000 Hz", "44,100 Hz"),
        ({"channels": 2}, "1 channel", "2 channels"),
        ({"bits": 24}, "16 bits", "24 bits"),
        ({"bits": 8}, "16 bits", "8 bits"),
        ({"coding": 3, "bits": 32}, "PCM", "floating point"),
        ({"coding": 7}, "PCM", "u-law"),
        ({"coding": 99}, "PCM", "coding 99"),
    ],
    ids=["8 kHz", "44.1 kHz", "stereo", "24 bits", "8 bits", "floats", "u-law", "unknown"],
)
def test_another_form_is_named_with_the_way_out(
    tmp_path: Path, form: dict[str, Any], expected: str, found: str
) -> None:
    path = write_wav(tmp_path / "a.wav", **form)
    with pytest.raises(InvalidInputError) as caught:
        open_wav(path)
    assert (caught.value.expected, caught.value.found) == (expected, found)
    assert str(path) in str(caught.value)
    assert caught.value.hint is not None
    assert "sox" in caught.value.hint


def test_a_cut_off_recording_tells_both_lengths(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", 100, claims=1_000)
    with pytest.raises(InvalidInputError, match="cut off") as caught:
        open_wav(path)
    assert (caught.value.expected, caught.value.found) == ("1,000 bytes of sound", "200")
    # What a program writes that was given a pipe.
    with pytest.raises(InvalidInputError, match="cut off"):
        open_wav(write_wav(tmp_path / "b.wav", 100, claims=0xFFFFFFFF))


def test_a_recording_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no sound"):
        open_wav(write_wav(tmp_path / "a.wav", 0))
    with pytest.raises(InvalidInputError, match="half a sample"):
        open_wav(write_wav(tmp_path / "b.wav", 10, claims=19))


def test_what_is_no_wav_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    whole = write_wav(tmp_path / "whole.wav", 10).read_bytes()
    with pytest.raises(NotFoundError):
        open_wav(path)
    for content in (
        b"",
        b"RIFF",
        b"fLaC" * 20,
        whole[:20],
        whole[:30],
        whole[:36],
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 99,
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidInputError):
            open_wav(path)
    path.write_bytes(whole[:12] + whole[36:])
    with pytest.raises(InvalidInputError, match="before its form"):
        open_wav(path)


def test_a_recording_that_shrank_is_no_silence(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", 100)
    wav = open_wav(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InvalidInputError, match="changed"):
        read_wav(wav)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 60), value=st.binary(min_size=1, max_size=6))
def test_damage_is_an_error_or_a_recording(tmp_path: Path, place: int, value: bytes) -> None:
    raw = bytearray(write_wav(tmp_path / "a.wav", 40).read_bytes())
    raw[place : place + len(value)] = value
    (tmp_path / "b.wav").write_bytes(raw)
    try:
        assert len(read_wav(open_wav(tmp_path / "b.wav"))) > 0
    except AssayError as error:
        assert str(tmp_path) in str(error)

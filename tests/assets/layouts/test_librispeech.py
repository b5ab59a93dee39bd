from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import pytest

from assay.assets.layouts import check_layout, librispeech
from assay.errors import InvalidInputError


def utterance(number: int, seconds: float) -> dict[str, Any]:
    name = f"dev-clean-wav/2277/149896/2277-149896-{number:04d}.wav"
    return {"files": [{"fname": name, "sample_rate": 16000.0}], "original_duration": seconds, "transcript": "he was"}


def wav(path: Path, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(width)
        stream.setframerate(rate)
        stream.writeframes(bytes(320))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three utterances, of which one is longer than 15 seconds and has no file."""
    entries = [utterance(0, 6.59), utterance(1, 15.0), utterance(2, 15.01)]
    for entry in entries[:2]:
        wav(tmp_path / entry["files"][0]["fname"])
    return write(tmp_path, entries)


def write(folder: Path, entries: object) -> Path:
    (folder / "dev-clean-wav.json").write_text(json.dumps(entries))
    return folder


def test_only_utterances_of_at_most_15_seconds_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check_layout("librispeech-dev-clean", folder, partial=True)
    assert (found.path, found.samples, found.partial) == (folder, 2, True)
    with pytest.raises(InvalidInputError, match="expected 2,513; found 2"):
        check_layout("librispeech-dev-clean", folder)
    monkeypatch.setattr(librispeech, "SAMPLES", 2)
    with pytest.raises(InvalidInputError, match="expected 2,703; found 3"):
        check_layout("librispeech-dev-clean", folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"rate": 8_000}, "8,000 Hz"), ({"channels": 2}, "2 channels"), ({"width": 1}, "8 bits")],
    ids=str,
)
def test_audio_of_another_kind_is_told(folder: Path, changes: dict[str, int], message: str) -> None:
    path = folder / "dev-clean-wav/2277/149896/2277-149896-0001.wav"
    wav(path, **changes)
    with pytest.raises(InvalidInputError, match=message) as caught:
        check_layout("librispeech-dev-clean", folder, partial=True)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("raw", [b"", b"RIFF", b"fLaC" + bytes(60)])
def test_what_is_no_wav_is_told(folder: Path, raw: bytes) -> None:
    (folder / "dev-clean-wav/2277/149896/2277-149896-0001.wav").write_bytes(raw)
    with pytest.raises(InvalidInputError, match="no WAV file"):
        check_layout("librispeech-dev-clean", folder, partial=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"original_duration": "6"}, "original_duration is wrong"),
        ({"original_duration": float("nan")}, "no length of time"),
        ({"original_duration": -1}, "no length of time"),
        ({"files": []}, "has no file"),
        ({"files": [{}]}, "fname is wrong"),
        ({"files": [{"fname": "../x.wav"}]}, "leaves the folder"),
        ({"files": [{"fname": "x.wav"}]}, "1 of 1 WAV files are missing"),
        ({"transcript": None}, "transcript is wrong"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_told(folder: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_layout("librispeech-dev-clean", write(folder, [utterance(0, 1.0) | change]), partial=True)

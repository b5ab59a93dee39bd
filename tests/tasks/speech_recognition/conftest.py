"""Recordings made here, and folders of them in the layouts that are read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

WriteWav = Callable[..., Path]


def tone(samples: int) -> NDArray[np.float32]:
    """A rising tone in noise; the reference's features of it are known to the tests."""
    time = np.arange(samples) / 16_000
    rising = 0.3 * np.sin(2 * np.pi * (300 * time + 400 * time * time))
    return np.asarray(rising + 0.05 * np.random.default_rng(7).standard_normal(samples), np.float32)


def write_wav(
    path: Path,
    samples: int | NDArray[np.int16] = 1_600,
    *,
    rate: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    coding: int = 1,
    extra: bytes = b"",
    claims: int | None = None,
) -> Path:
    """Write a WAV file.

    Args:
        path: where; folders are made.
        samples: 16-bit values, or how many of a quiet noise.
        rate: of the form chunk.
        channels: of the form chunk.
        bits: of the form chunk.
        coding: of the form chunk; 0xFFFE writes the extended form of PCM.
        extra: chunks between form and sound.
        claims: bytes of sound that the file says it has; those it has when not given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(samples, int):
        samples = np.random.default_rng(samples).integers(-3_000, 3_000, samples).astype(np.int16)
    data = samples.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    if coding == 0xFFFE:
        form += struct.pack("<HHIH", 22, bits, 4, 1) + bytes(14)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + extra
    chunks += b"data" + struct.pack("<I", len(data) if claims is None else claims) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def entry(name: str, seconds: float, text: str, **more: Any) -> dict[str, Any]:
    """An entry of the official manifest."""
    file = {"channels": 1, "sample_rate": 16000.0, "duration": seconds, "fname": name, "speed": 1, **more}
    return {
        "files": [file],
        "original_duration": seconds,
        "original_num_samples": round(seconds * 16_000),
        "transcript": text,
    }


def write_official(folder: Path, texts: Sequence[str], *, seconds: Sequence[float] = ()) -> Path:
    """LibriSpeech dev-clean's layout made small: one recording for each text."""
    lengths = seconds or [0.2 + 0.05 * number for number in range(len(texts))]
    entries = []
    for number, (text, length) in enumerate(zip(texts, lengths, strict=True)):
        name = f"dev-clean-wav/84/121123/84-121123-{number:04d}.wav"
        write_wav(folder / name, round(16_000 * length))
        entries.append(entry(name, length, text))
    (folder / "dev-clean-wav.json").write_text(json.dumps(entries))
    return folder


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """Five recordings in the official layout."""
    texts = ("he was in", "a fevered state of mind", "owing to the blight", "it's", "his wife's action")
    return write_official(tmp_path / "official", texts)

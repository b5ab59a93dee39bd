"""A small asset that is no Python package, fetched the way this machine can: by apt, or from Debian's pool."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest


def test_clips_come_out_of_a_debian_package(stand_in_home: Path) -> None:
    command = [sys.executable, "-m", "assay", "assets", "fetch", "librivox-5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    if done.returncode == 3 and not os.environ.get("CI"):
        pytest.skip(f"the package cannot be fetched: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)
    assert entry["sha256"] == "7b15879d5b58c8f4385efb4f06d34e4b20bfbb6b3dca01443408015490d25772"
    clips = sorted(Path(entry["path"]).glob("*.wav"))
    assert len(clips) == 5
    seconds = 0.0
    for clip in clips:
        with wave.open(str(clip)) as stream:
            assert (stream.getframerate(), stream.getnchannels(), stream.getsampwidth()) == (16_000, 1, 2)
            seconds += stream.getnframes() / 16_000
    assert round(seconds, 1) == 24.7
    transcripts = (Path(entry["path"]) / "transcription").read_text().splitlines()
    assert [line.rpartition("(")[2].rstrip(")") for line in transcripts] == [clip.stem for clip in clips]

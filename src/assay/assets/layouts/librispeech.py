"""LibriSpeech dev-clean as the RNN-T reference prepares it: WAV files of 16 kHz and a manifest."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from assay.assets.layouts.common import Checked, checked, entries, need_files, need_folder, read_list
from assay.errors import InvalidInputError

SAMPLES = 2_513
MAX_SECONDS = 15.0
RATE = 16_000
_WHOLE = 2_703
_HINT = (
    "unpack dev-clean.tar.gz (assay assets fetch librispeech-dev-clean-flac) and run stage 2 of MLCommons' "
    "speech_recognition/rnnt/run.sh; it makes dev-clean-wav.json and dev-clean-wav/"
)


def check_librispeech(path: Path, partial: bool) -> Checked:
    """LibriSpeech: ``dev-clean-wav.json`` and the WAV files that its ``fname`` values name.

    The manifest lists 2,703 utterances; the 2,513 of at most 15 seconds are the samples, in the manifest's order
    (harness-spec, section 5).

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    manifest = path / "dev-clean-wav.json"
    fields: dict[str, type | tuple[type, ...]] = {"files": list, "original_duration": (int, float), "transcript": str}
    utterances = entries(read_list(manifest, _HINT), "utterances", fields, manifest)
    short = [utterance for utterance in utterances if _seconds(utterance, manifest) <= MAX_SECONDS]
    names = [_name(utterance, number, manifest) for number, utterance in enumerate(short)]
    found = checked(
        path,
        len(short),
        SAMPLES,
        what=f"utterances of at most {MAX_SECONDS:g} s",
        where=manifest,
        partial=partial,
        hint=_HINT,
    )
    if not found.partial and len(utterances) != _WHOLE:
        raise InvalidInputError(
            "not the manifest of the whole dataset",
            where=manifest,
            expected=f"{_WHOLE:,}",
            found=f"{len(utterances):,}",
        )
    need_files(path, names, what="WAV files", hint=_HINT)
    for name in names:
        _check_wav(path / name)
    return found


def _seconds(utterance: dict[str, Any], manifest: Path) -> float:
    value = float(utterance["original_duration"])
    if not math.isfinite(value) or value <= 0:
        raise InvalidInputError("original_duration is no length of time", where=manifest, found=str(value))
    return value


def _name(utterance: dict[str, Any], number: int, manifest: Path) -> str:
    files = entries(utterance["files"], f"utterances[{number}].files", {"fname": str}, manifest)
    if not files:
        raise InvalidInputError(f"utterances[{number}] has no file", where=manifest)
    return str(files[0]["fname"])


def _check_wav(path: Path) -> None:
    """Only the header is read; the fields are those of the WAVE format chunk."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if len(head) < 36 or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        raise InvalidInputError("no WAV file", where=path, hint=_HINT)
    coding, channels, rate = struct.unpack_from("<HHI", head, 20)
    bits = struct.unpack_from("<H", head, 34)[0]
    if (coding not in (1, 0xFFFE), channels, rate, bits) != (False, 1, RATE, 16):
        raise InvalidInputError(
            "a WAV file of another kind",
            where=path,
            expected="PCM, 16 bits, one channel, 16,000 Hz",
            found=f"coding {coding}, {bits} bits, {channels} channels, {rate:,} Hz",
            hint=_HINT,
        )

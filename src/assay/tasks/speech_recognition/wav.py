"""WAV files of speech, read without trust: 16 kHz, one channel, 16 bits, nothing announced that is not there."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from assay.base.files import machine_errors
from assay.errors import InvalidInputError, NotFoundError

RATE = 16_000
"""Samples per second that both models are made for."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MOST_CHUNKS = 64
_CODINGS = {_FLOAT: "floating point", 2: "ADPCM", 6: "A-law", 7: "u-law", 0x55: "MP3"}
_HINT = "turn it into WAV with: sox FILE -r 16000 -c 1 -b 16 OUT.wav"


@dataclass(frozen=True, slots=True)
class Wav:
    """Where a file's sound lies.

    Attributes:
        offset: of the first sample, in bytes.
        frames: samples there are.
    """

    path: Path
    offset: int
    frames: int

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.frames / RATE


def open_wav(path: Path) -> Wav:
    """Read a file's header and check that the sound is all there.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no WAV file of 16 bits, one channel and 16 kHz, is cut off, or holds no sound.
    """
    if not path.is_file():
        raise NotFoundError("the recording is not there", where=path)
    with machine_errors(path), path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        offset, length = _find_sound(stream, path)
    if offset + length > size:
        raise InvalidInputError(
            "the recording is cut off", where=path, expected=f"{length:,} bytes of sound", found=f"{size - offset:,}"
        )
    if length < 2:
        raise InvalidInputError("the recording holds no sound", where=path, found=f"{length} bytes")
    if length % 2:
        raise InvalidInputError("half a sample is left over", where=path, found=f"{length:,} bytes of sound")
    return Wav(path, offset, length // 2)


def read_wav(wav: Wav) -> NDArray[np.float32]:
    """The samples, from -1 to 1, ``(frames,)``; 16-bit values divided by 32,768 as the reference's library does.

    Raises:
        InvalidInputError: when the file has become shorter since it was opened.
    """
    with machine_errors(wav.path), wav.path.open("rb") as stream:
        stream.seek(wav.offset)
        data = stream.read(2 * wav.frames)
    if len(data) != 2 * wav.frames:
        raise InvalidInputError("the recording has changed since it was listed", where=wav.path)
    return np.frombuffer(data, "<i2").astype(np.float32) * np.float32(1 / 32_768)


def _find_sound(stream: IO[bytes], path: Path) -> tuple[int, int]:
    """Offset and length of the chunk of sound, after checking its form."""
    head = stream.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise InvalidInputError("not a WAV file", where=path, expected="RIFF ... WAVE", hint=_HINT)
    formed = False
    for _ in range(_MOST_CHUNKS):
        chunk = stream.read(8)
        if len(chunk) < 8:
            break
        name, length = struct.unpack("<4sI", chunk)
        if name == b"data":
            if not formed:
                raise InvalidInputError("the sound comes before its form (fmt chunk)", where=path)
            return stream.tell(), length
        if name == b"fmt ":
            _check_form(stream.read(min(length, 40)), path)
            formed = True
            length = max(length - 40, 0)
        stream.seek(length + length % 2, os.SEEK_CUR)
    raise InvalidInputError("the WAV file has no sound (data chunk)", where=path, hint=_HINT)


def _check_form(form: bytes, path: Path) -> None:
    if len(form) < 16:
        raise InvalidInputError("the WAV file's form (fmt chunk) is cut off", where=path, found=f"{len(form)} bytes")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if coding == _EXTENSIBLE and len(form) >= 26:
        coding = struct.unpack_from("<H", form, 24)[0]
    if coding != _PCM:
        raise InvalidInputError(
            "the recording is not PCM",
            where=path,
            expected="PCM",
            found=_CODINGS.get(coding, f"coding {coding}"),
            hint=_HINT,
        )
    if bits != 16:
        raise InvalidInputError(
            "the recording has another sample size", where=path, expected="16 bits", found=f"{bits} bits", hint=_HINT
        )
    if channels != 1:
        raise InvalidInputError(
            "the recording is not mono", where=path, expected="1 channel", found=f"{channels} channels", hint=_HINT
        )
    if rate != RATE:
        raise InvalidInputError(
            "the recording has another rate", where=path, expected=f"{RATE:,} Hz", found=f"{rate:,} Hz", hint=_HINT
        )

"""Which recordings a folder holds, and what is said in them.

Three layouts are read:

* LibriSpeech dev-clean as the RNN-T reference prepares it: ``dev-clean-wav.json`` and the files it names;
* PocketSphinx test data: ``fileids`` and ``transcription`` (lines ``text (id)``), the files beside them;
* your own: ``transcripts.txt`` with lines ``file.wav text``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from assay.base.files import machine_errors, read_json
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.speech_recognition.text import official_text, plain_text

MANIFEST, FILE_IDS, TRANSCRIPTION, OWN = "dev-clean-wav.json", "fileids", "transcription", "transcripts.txt"

_MOST_BYTES = 64 << 20
_MOST_LINES = 1_000_000
_LINE = re.compile(r"^(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\(([^()\s]+)\)$")
_LAYOUTS = f"{MANIFEST}, {FILE_IDS} and {TRANSCRIPTION}, or {OWN} with lines `file.wav text`"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording and what is said in it.

    Attributes:
        name: of the file, seen from the dataset's folder.
        text: the transcript in the form in which it is compared.
    """

    name: str
    path: Path
    text: str


def find_utterances(folder: Path, max_seconds: float) -> list[Utterance]:
    """The recordings of a folder in the order of LoadGen's indices.

    Args:
        folder: the dataset.
        max_seconds: longer ones of the official manifest are left out, as the reference does.

    Raises:
        NotFoundError: when the folder is not there.
        InvalidInputError: when it has none of the layouts, or a list in it is malformed.
    """
    if not folder.is_dir():
        raise NotFoundError("the dataset's folder is not there", where=folder)
    if (folder / MANIFEST).is_file():
        found = _official(folder, max_seconds)
    elif (folder / TRANSCRIPTION).is_file():
        found = _pocketsphinx(folder)
    elif (folder / OWN).is_file():
        found = _own(folder)
    else:
        raise InvalidInputError("no speech dataset in this folder", where=folder, expected=_LAYOUTS)
    if not found:
        raise InvalidInputError("the dataset lists no recording", where=folder)
    if not any(utterance.text for utterance in found):
        raise InvalidInputError("no transcript of the dataset has a word", where=folder)
    return found


def _official(folder: Path, max_seconds: float) -> list[Utterance]:
    path = folder / MANIFEST
    entries = read_json(path, max_bytes=_MOST_BYTES)
    if not isinstance(entries, list):
        raise InvalidInputError("not a JSON list", where=path, found=type(entries).__name__)
    found = []
    for number, entry in enumerate(entries):
        where = f"{path}: [{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("transcript"), str):
            raise InvalidInputError("an entry without a transcript", where=where)
        seconds = entry.get("original_duration")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds > 0:
            raise InvalidInputError("original_duration is no length of time", where=where, found=repr(seconds)[:40])
        if seconds <= max_seconds:
            text = official_text(entry["transcript"], where)
            found.append(_utterance(folder, _file_name(entry.get("files"), where), text, where))
    return found


def _file_name(files: Any, where: str) -> str:
    """The first file of the original speed; the manifest may list others that were sped up for training."""
    for each in files if isinstance(files, list) else ():
        if isinstance(each, dict) and each.get("speed", 1) == 1 and isinstance(each.get("fname"), str):
            return str(each["fname"])
    raise InvalidInputError("an entry without a file of the original speed", where=where)


def _pocketsphinx(folder: Path) -> list[Utterance]:
    path = folder / TRANSCRIPTION
    texts = {}
    for number, line in _lines(path):
        match = _LINE.match(line)
        if match is None:
            raise InvalidInputError("not a line `text (id)`", where=f"{path}:{number}", found=line[:60])
        texts[PurePosixPath(match[2]).name] = plain_text(match[1])
    listed = folder / FILE_IDS
    names = [line for _, line in _lines(listed)] if listed.is_file() else list(texts)
    found = []
    for name in names:
        stem = PurePosixPath(name).name
        if stem not in texts:
            raise InvalidInputError(f"{name[:60]!r} has no transcript", where=path)
        # The package keeps its files beside the lists, which name them by the folder they once lay in.
        inside = f"{stem}.wav" if (folder / f"{stem}.wav").is_file() else f"{name}.wav"
        found.append(_utterance(folder, inside, texts[stem], str(listed)))
    return found


def _own(folder: Path) -> list[Utterance]:
    path = folder / OWN
    found = []
    for number, line in _lines(path):
        name, *rest = line.split(maxsplit=1)
        if not name.lower().endswith(".wav"):
            raise InvalidInputError("not a line `file.wav text`", where=f"{path}:{number}", found=line[:60])
        found.append(_utterance(folder, name, plain_text(rest[0] if rest else ""), f"{path}:{number}"))
    return found


def _utterance(folder: Path, name: str, text: str, where: str) -> Utterance:
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\\" in name or "\0" in name or not name:
        raise InvalidInputError(f"a name that leaves the folder: {name[:60]!r}", where=where)
    return Utterance(name, folder / name, text)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Numbers and texts of the lines that are not empty."""
    with machine_errors(path), path.open("rb") as stream:
        raw = stream.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES or raw.count(b"\n") > _MOST_LINES:
        raise InvalidInputError("the list is too long", where=path)
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError("not text in UTF-8", where=path) from error
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]

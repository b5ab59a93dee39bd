"""Outcomes of systems that have not changed since they were judged.

One file for each system of a tree. It is used when everything that it was made from is the same: the files below the
system's folders (size, time of change, inode), its description, the rules of the round, the options. Whatever is
wrong with a file of the cache, the system is judged again.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from pathlib import Path

import msgspec

from assay import __version__
from assay.base.files import write_atomic
from assay.rules.findings import catalogue
from assay.submission.model import SystemOutcome

_FORMAT = 3
_KEPT_TREES = 30


_decode = msgspec.json.Decoder(SystemOutcome).decode
_encode = msgspec.json.Encoder().encode


def encode(outcome: SystemOutcome) -> bytes | None:
    """An outcome as bytes, for the cache and for another process; None when it would come back as another one.

    JSON has no number that is not finite, and no text with half a character; both can stand in a tree.
    """
    figures = [*outcome.description.values()]
    for model in outcome.models:
        for entry in model.entries:
            figures += (entry.value, entry.power, entry.power_efficiency, entry.watts, *entry.facts.values())
    if any(not _is_exact(figure) for figure in figures):
        return None
    try:
        return _encode(outcome)
    except (msgspec.EncodeError, TypeError, ValueError, RecursionError):
        return None


def _is_exact(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(map(_is_exact, value))
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    return True


def decode(raw: bytes) -> SystemOutcome:
    """The outcome that was encoded."""
    return _decode(raw)


class OutcomeCache:
    """Outcomes of one tree under one set of rules.

    Args:
        folder: where trees are kept, one folder each.
        root: absolute path of the tree.
        rules: everything besides the files that an outcome depends on.
    """

    def __init__(self, folder: Path, root: str, rules: str) -> None:
        self._folder = folder / _digest(root)[:24]
        self._rules = _digest("\0".join((str(_FORMAT), __version__, rules, repr(catalogue()))))

    def key(self, *parts: str | bytes) -> str:
        """Key of a system whose state is told by these texts and bytes."""
        digest = hashlib.blake2b(self._rules.encode(), digest_size=20)
        for part in parts:
            raw = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
            digest.update(f"{len(raw)} ".encode())
            digest.update(raw)
        return digest.hexdigest()

    def find(self, system: str, key: str) -> bytes | None:
        """The encoded outcome kept for a system, None when there is none for this key."""
        try:
            head, _, raw = self._path(system).read_bytes().partition(b"\n")
        except OSError:
            return None
        return raw if head == _head(key, raw) else None

    def keep(self, system: str, key: str, raw: bytes) -> None:
        """Keep an encoded outcome; a disk that refuses costs nothing but the next check's time."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(system), _head(key, raw) + b"\n" + raw)
        except OSError:
            return

    def _path(self, system: str) -> Path:
        return self._folder / f"{_digest(system)[:32]}.json"


def _head(key: str, raw: bytes) -> bytes:
    """First line of a file: the key, and a sum that tells a damaged file."""
    return f"{key} {hashlib.blake2b(raw, digest_size=20).hexdigest()}".encode()


def forget_old_trees(folder: Path) -> None:
    """Drop the trees that were checked longest ago, all but 30."""
    try:
        trees = sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    except OSError:
        return
    for each in trees[:-_KEPT_TREES]:
        shutil.rmtree(each, ignore_errors=True)


def file_state(path: str) -> str:
    """Identity of one file as text."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        return type(error).__name__
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()

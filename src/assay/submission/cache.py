"""Outcomes of systems that have not changed since they were judged.

One file for each system of a tree. It is used when everything that it was made from is the same: the files below the
system's folders (size, time of change, inode), its description, the rules of the round, the options. Whatever is
wrong with a file of the cache, the system is judged again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import msgspec

from assay import __version__
from assay.base.files import write_atomic
from assay.rules.findings import catalogue
from assay.submission.model import SystemOutcome

_FORMAT = 1
_KEPT_TREES = 30


class _Kept(msgspec.Struct):
    key: str
    outcome: SystemOutcome


_decoder = msgspec.json.Decoder(_Kept)
_encoder = msgspec.json.Encoder()


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

    def find(self, system: str, key: str) -> SystemOutcome | None:
        """The outcome kept for a system, None when there is none for this key."""
        try:
            kept = _decoder.decode((self._folder / f"{_digest(system)[:32]}.json").read_bytes())
        except (OSError, msgspec.DecodeError, msgspec.ValidationError, RecursionError):
            return None
        return kept.outcome if kept.key == key else None

    def keep(self, system: str, key: str, outcome: SystemOutcome) -> None:
        """Keep an outcome; a disk that refuses costs nothing but the next check's time."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._folder / f"{_digest(system)[:32]}.json", _encoder.encode(_Kept(key, outcome)))
        except (OSError, msgspec.EncodeError, TypeError, ValueError):
            return


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

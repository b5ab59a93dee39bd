"""What a tree is, byte for byte, long accuracy logs for it, and processes that die between two steps."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def listing(root: Path) -> dict[str, str]:
    """SHA-256 of every file by path, and every folder with a slash behind it."""
    found = {}
    for folder, _, names in os.walk(root):
        here = Path(folder).relative_to(root).as_posix()
        found[f"{here}/"] = ""
        for name in names:
            found[f"{here}/{name}"] = hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()
    return found


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def digest(root: Path) -> str:
    """One hash for a whole tree: names, folders and content."""
    return hashlib.sha256(repr(sorted(listing(root).items())).encode()).hexdigest()


def long_log(size: int, seed: int = 0) -> bytes:
    """An accuracy log of this many bytes, as LoadGen writes one."""
    random_ = random.Random(seed)
    entries = (
        f'{{ "seq_id" : {number}, "qsl_idx" : {random_.randrange(50000)}, "data" : "{random_.getrandbits(128):032x}" }}'
        for number in range(size // 60 + 2)
    )
    return ("[\n" + ",\n".join(entries) + "\n]\n").encode()[:size]


def lengthen_all(root: Path) -> int:
    """Give every accuracy log another content, most of them a long one, and take most hashes away.

    Sizes stand around every limit; some have carriage returns or letters beyond ASCII; some texts are missing.
    """
    logs = sorted(root.rglob("mlperf_log_accuracy.json"))
    for number, path in enumerate(logs):
        data = long_log([20000, 300000, 9000, 4096, 8192, 10240, 10239][number % 7], number)
        if number % 13 == 0:
            data = data.replace(b"\n", b"\r\n")
        if number % 17 == 0:
            data = "é".encode() * 10 + data
        path.write_bytes(data)
        text = path.with_name("accuracy.txt")
        if text.exists() and number % 4:
            lines = text.read_bytes().splitlines(keepends=True)
            text.write_bytes(b"".join(line for line in lines if not line.startswith(b"hash=")))
        if "compliance" in path.parts and number % 3 == 0:
            text.unlink(missing_ok=True)
    return len(logs)


def remove_scenarios(root: Path, *names: str) -> None:
    """Take scenario directories of closed and open away."""
    for kind in ("results", "measurements", "compliance"):
        for division in ("closed", "open"):
            for path in sorted(root.glob(f"{division}/*/{kind}/*/*/*")):
                if path.name in names:
                    shutil.rmtree(path)


def lower_scenarios(root: Path) -> None:
    """Spell all scenario directories in lower case."""
    for kind in ("results", "measurements", "compliance"):
        for path in sorted(root.glob(f"*/*/{kind}/*/*/*")):
            if path.is_dir() and path.name != path.name.lower():
                path.rename(path.with_name(path.name.lower()))


class KilledError(BaseException):
    """The process is gone."""


@contextlib.contextmanager
def killed_at(number: int, *, after: bool) -> Iterator[list[str]]:
    """Die before or after the ``number``-th change that gets its name, and let nothing clean up behind it.

    Yields:
        The calls that were made; the process was killed when there are ``number`` of them.
    """
    calls: list[str] = []
    dead = False
    patch = pytest.MonkeyPatch()

    def dying(name: str, function: Any, *, counts: bool) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal dead
            if dead:
                raise KilledError
            if not counts:
                return function(*arguments, **options)
            calls.append(f"{name} {arguments[0]}")
            dead = len(calls) == number
            if dead and not after:
                raise KilledError
            result = function(*arguments, **options)
            if dead:
                raise KilledError
            return result

        return call

    for name, counts in (("replace", True), ("rmdir", True), ("unlink", False), ("mkdir", False)):
        patch.setattr(os, name, dying(name, getattr(os, name), counts=counts))
    patch.setattr(shutil, "rmtree", dying("rmtree", shutil.rmtree, counts=True))
    try:
        with contextlib.suppress(KilledError):
            yield calls
    finally:
        patch.undo()

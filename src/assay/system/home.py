"""Checks of the home folder: can it be written, is there room, did anything stay behind half-written."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from assay.base.diagnosis import Diagnosis, missing, ok, warning
from assay.base.settings import Settings
from assay.base.units import format_size

DEMO_BYTES = 150 * 10**6
_COMFORTABLE_BYTES = 2 * 10**9
_STALE_SECONDS = 3600.0
# A home with more files than this is not walked to the end; the check has to stay quick.
_MOST_ENTRIES = 20_000
_DEEPEST = 4


def diagnose_home(settings: Settings) -> Iterator[Diagnosis]:
    """Home folder, disk space, leftovers, locks and the network setting."""
    yield _writable(settings.home)
    yield _space(settings.home)
    yield from _leftovers(settings.home)
    yield _network(settings)


def _existing(folder: Path) -> Path:
    """The folder, or its closest parent that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _writable(home: Path) -> Diagnosis:
    needed = "assets, runs and results"
    existing = _existing(home)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return ok("home folder", needed, f"{home}{'' if existing == home else ' (made on first use)'}")
    reason = f"{existing} cannot be written" if existing.is_dir() else f"{existing} is not a folder"
    fix = "set ASSAY_HOME to a folder you can write"
    return missing("home folder", needed, f"{home}: {reason}", fix, essential=True)


def _space(home: Path) -> Diagnosis:
    needed = "assets and runs"
    free = shutil.disk_usage(_existing(home)).free
    detail = f"{format_size(free)} free; the demo needs {format_size(DEMO_BYTES)}"
    fix = "free some space, or set ASSAY_HOME to a larger disk"
    if free < DEMO_BYTES:
        return missing("disk space", needed, detail, fix, essential=True)
    if free < _COMFORTABLE_BYTES:
        return warning("disk space", needed, detail, fix)
    return ok("disk space", needed, detail)


def _leftovers(home: Path) -> Iterator[Diagnosis]:
    parts, locks = _scan(home)
    needed = "a tidy home"
    old = [path for path, age in parts if age > _STALE_SECONDS]
    if old:
        size = format_size(sum(_size(path) for path in old))
        detail = f"{len(old)} unfinished files of killed processes, {size}; the first: {old[0]}"
        yield warning("unfinished files", needed, detail, f"remove them: find {home} -name '*.part' -mmin +60 -delete")
    else:
        yield ok("unfinished files", needed, "none")
    held = [path for path in locks if _is_held(path)]
    if held:
        detail = f"held by a running process: {', '.join(str(path) for path in held[:3])}"
        yield warning("locks", "starting more work", detail, "wait for it to finish, or look for it: assay runs list")


def _scan(home: Path) -> tuple[list[tuple[Path, float]], list[Path]]:
    """Files that were never finished with their age in seconds, and lock files."""
    parts: list[tuple[Path, float]] = []
    locks: list[Path] = []
    now, seen, level = time.time(), 0, [home]
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for folder in level:
            for entry in _entries(folder):
                seen += 1
                if seen > _MOST_ENTRIES:
                    return parts, locks
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                elif entry.name.endswith(".part"):
                    parts.append((Path(entry.path), now - entry.stat(follow_symlinks=False).st_mtime))
                elif entry.name.endswith(".lock"):
                    locks.append(Path(entry.path))
        level = below
    return parts, locks


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_held(path: Path) -> bool:
    """Whether another process holds a lock file; the system frees those of dead processes."""
    from filelock import FileLock, Timeout  # costs 20 ms and most homes have no lock file

    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _network(settings: Settings) -> Diagnosis:
    needed = "downloading models and datasets"
    if settings.offline:
        return warning(
            "network",
            needed,
            "ASSAY_OFFLINE is set: assay never uses the network",
            "unset ASSAY_OFFLINE to download",
        )
    return ok("network", needed, "may be used (ASSAY_OFFLINE=1 forbids it)")

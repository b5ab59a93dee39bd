"""Files: hashes, atomic writes, locks, disk space.

Every write goes to a temporary name in the same folder and is renamed into place, so that a killed process leaves
nothing half-written under the final name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from assay.base.units import format_size
from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError

_CHUNK = 1 << 20


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file as 64 lower-case hex digits.

    Raises:
        NotFoundError: when the file is not there.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise NotFoundError("file not found", where=path) from error


def sha256_bytes(data: bytes) -> str:
    """The SHA-256 of bytes as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target``; renamed onto it when the block ends well, removed when it does not.

    Raises:
        MachineError: when the folder cannot be written or the disk is full.
    """
    with machine_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def open_regular(path: Path | str) -> FileIO:
    """Open a file to read, without a buffer; never waits for a pipe or a device.

    Raises:
        OSError: when it cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return FileIO(descriptor, "rb")


def write_atomic(target: Path, data: bytes | str) -> None:
    """Write a whole file at once; readers see the old content or the new one, never a part."""
    raw = data.encode("utf-8") if isinstance(data, str) else data
    with atomic_path(target) as temporary:
        temporary.write_bytes(raw)


def write_json(target: Path, value: Any) -> None:
    """Write JSON with sorted keys, two-space indent and a final newline (the CM convention), atomically."""
    write_atomic(target, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path, *, max_bytes: int = 64 << 20) -> Any:
    """Read a JSON file of bounded size.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is larger than ``max_bytes``, not UTF-8 or not JSON (with line and column).
        MachineError: when it may not be read.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InvalidInputError(
                "file is too large to read",
                where=path,
                expected=f"at most {format_size(max_bytes)}",
                found=format_size(size),
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError("file not found", where=path) from error
    except OSError as error:
        raise MachineError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError("file is not UTF-8 text", where=path) from error
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"not JSON: {error.msg}", where=f"{path}:{error.lineno}:{error.colno}") from error
    except RecursionError as error:
        raise InvalidInputError("JSON is nested too deeply", where=path) from error


@contextlib.contextmanager
def machine_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals (full disk, read-only folder) into a :class:`MachineError`."""
    try:
        yield
    except OSError as error:
        if isinstance(error, AssayError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(
                "no space left on the disk",
                where=path,
                hint="free some space, or set ASSAY_HOME to a larger disk",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise _unwritable(path) from error
        if error.errno == errno.ENOENT and not path.parent.exists():
            # Its folder could not be made: /proc answers so, to root as well.
            raise _unwritable(path) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise MachineError(
                "a file stands where a folder is needed",
                where=path,
                found=error.filename,
                hint="move it, or set ASSAY_HOME to another folder",
            ) from error
        raise


def _unwritable(path: Path) -> MachineError:
    return MachineError(
        "cannot write here (read-only or no permission)",
        where=path,
        hint="set ASSAY_HOME to a folder you can write",
    )


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float = -1) -> Iterator[None]:
    """Hold an exclusive lock between processes on ``path`` (a lock file; the system frees it when its owner dies).

    Raises:
        MachineError: when the lock cannot be had in ``timeout_s`` seconds (negative: wait for ever).
    """
    # filelock costs 20 ms to import and only writers need it.
    from filelock import FileLock, Timeout

    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as error:
            raise MachineError(
                "another process holds the lock", where=path, hint="wait for it to finish, then try again"
            ) from error
    try:
        yield
    finally:
        lock.release()


def require_space(folder: Path, needed: int) -> None:
    """Check that the disk under ``folder`` can be written and take ``needed`` bytes and a margin of 5%.

    Raises:
        MachineError: when it cannot.
    """
    probe = folder
    while not probe.exists():
        probe = probe.parent
    # A file in the way is told by whoever makes the folder. To root everything is allowed, but not on a read-only disk.
    if probe.is_dir() and not os.access(probe, os.W_OK):
        raise _unwritable(folder)
    disk = shutil.disk_usage(probe)
    free = disk.free
    if disk.total == 0:  # /proc and /sys are no disks
        raise _unwritable(folder)
    if free < needed * 1.05:
        raise MachineError(
            "not enough disk space",
            where=folder,
            expected=f"{format_size(needed)} free",
            found=f"{format_size(free)} free",
            hint="free some space, or set ASSAY_HOME to a larger disk",
        )

"""Which process carries a campaign out, and how another one stops it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psutil

from assay.base.files import machine_errors, read_json, write_json
from assay.errors import AssayError, MachineError

_OWNER = "owner.json"
_POLL_S = 0.1
_SAME_S = 1.0


def own(folder: Path) -> None:
    """Note that this process carries the campaign out."""
    write_json(folder / _OWNER, {"pid": os.getpid(), "started": psutil.Process().create_time()})


def disown(folder: Path) -> None:
    """Note that nobody does."""
    path = folder / _OWNER
    with machine_errors(path):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def stopped_in_order() -> Iterator[None]:
    """A request to end (SIGTERM) is answered as Ctrl-C is, which programs that a script put in the background do not hear."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def owner(folder: Path) -> int | None:
    """The process that carries the campaign out; None when there is none.

    A number that the system has given to another process since is told apart by when that one began.
    """
    process = _owner(folder)
    return None if process is None else process.pid


def interrupt(folder: Path, *, wait_s: float) -> bool:
    """Stop it as Ctrl-C would: the run in flight ends in order; returns whether the process has left in time.

    Raises:
        MachineError: when it is the process of somebody else.
    """
    process = _owner(folder)
    if process is None:
        return True
    try:
        process.send_signal(signal.SIGTERM)
    except psutil.AccessDenied as error:
        raise MachineError("the campaign is carried out by another user", where=f"process {process.pid}") from error
    except psutil.NoSuchProcess:
        return True
    end = time.monotonic() + wait_s
    # Until it is gone, and its lock with it: whoever resumes at once is not refused.
    while not (gone := _gone(process)) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return gone


def _gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _owner(folder: Path) -> psutil.Process | None:
    try:
        noted = read_json(folder / _OWNER, max_bytes=4096)
        process = psutil.Process(int(noted["pid"]))
        same = abs(process.create_time() - float(noted["started"])) < _SAME_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (AssayError, psutil.Error, KeyError, TypeError, ValueError, OverflowError):
        return None

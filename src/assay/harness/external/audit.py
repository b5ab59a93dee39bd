"""The ``audit.config`` of a compliance test in the folder where a program of others is started, and nothing of it afterwards.

LoadGen reads the file from the folder that the program was started in, and every later run there would be a test, too. So
a guard, which is a process of its own, ``python -P -m assay.harness.external.audit FOLDER TOKEN``, listens at a pipe and
puts back what lay there when the other end is gone, also when assay was killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from assay.base.files import locked, machine_errors, write_atomic
from assay.base.settings import child_environment
from assay.errors import MachineError
from assay.loadgen.audit import AUDIT_CONF

_MARK = "# Put here by assay for one compliance test, and taken away after it: "
_ASIDE = f".{AUDIT_CONF}.assay-"
_HEAD_BYTES = 256
_GUARD_S = 20.0


@contextlib.contextmanager
def placed(folder: Path, text: str, locks: Path) -> Iterator[None]:
    """Put the settings of a test into a folder while a program runs there.

    Args:
        folder: where the program is started.
        text: of ``audit.config``.
        locks: folder of lock files: one test at a time is made in a folder.

    Raises:
        MachineError: when another test is made there, or the folder cannot be written.
    """
    with _alone(folder, locks):
        recover(folder)
        token = secrets.token_hex(8)
        with _guarded(folder, token):
            with machine_errors(folder / AUDIT_CONF):
                if os.path.lexists(folder / AUDIT_CONF):
                    (folder / AUDIT_CONF).rename(folder / f"{_ASIDE}{token}")
            write_atomic(folder / AUDIT_CONF, f"{_MARK}{token}\n{text}")
            yield


@contextlib.contextmanager
def _alone(folder: Path, locks: Path) -> Iterator[None]:
    lock = locks / f"audit-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.lock"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(lock, timeout_s=0))
        except MachineError as error:
            if error.where != str(lock):
                raise
            error.what, error.where = "another compliance test is being made with this program", str(folder)
            raise
        yield


@contextlib.contextmanager
def _guarded(folder: Path, token: str) -> Iterator[None]:
    """The guard watches before anything is put there, and has done its work when this is left."""
    guard = subprocess.Popen(
        [sys.executable, "-P", "-m", "assay.harness.external.audit", str(folder), token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
        # Ctrl-C at the terminal is not for it.
        start_new_session=True,
    )
    assert guard.stdin is not None
    assert guard.stdout is not None
    try:
        guard.stdout.read(1)
        yield
    finally:
        try:
            with contextlib.suppress(BrokenPipeError):
                guard.stdin.close()
            guard.wait(timeout=_GUARD_S)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()
        finally:
            guard.stdout.close()
            # Where the guard was ended by somebody, the work is still to be done.
            recover(folder, token)


def recover(folder: Path, token: str = "") -> None:
    """Put back what lay in the place of a test's ``audit.config``.

    Args:
        folder: where it was put.
        token: of the test; every test's when empty.

    Raises:
        MachineError: when the folder cannot be written.
    """
    target = folder / AUDIT_CONF
    with machine_errors(target):
        # Not by glob, which passes over links that lead nowhere.
        for aside in [path for path in folder.iterdir() if path.name.startswith(f"{_ASIDE}{token}")]:
            with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
                aside.replace(target)
        if _is_ours(target, token):
            target.unlink(missing_ok=True)


def _is_ours(target: Path, token: str) -> bool:
    try:
        if target.is_symlink() or not target.is_file():
            return False
        with target.open("rb") as stream:
            return stream.read(_HEAD_BYTES).startswith(f"{_MARK}{token}".encode())
    except OSError:
        return False


def guard(folder: Path, token: str) -> None:
    """Wait until the other end of the pipe is gone, then put back what lay there."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
    while os.read(0, 4096):
        pass
    recover(folder, token)


if __name__ == "__main__":
    guard(Path(sys.argv[1]), sys.argv[2])

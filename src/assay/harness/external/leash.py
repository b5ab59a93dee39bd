"""Between assay and a foreign program: ``python -P -m assay.harness.external.leash [OPTION VALUE] FOLDER PROGRAM ...``.

A foreign program knows nothing of assay and would go on when assay is killed, and with it whatever it has started. The
leash runs it in a process group of their own and listens at a pipe: when the other end is gone, so is the group. A
container is no part of that group; ``--afterwards`` is the command, in JSON, that ends it then. ``--peak`` is a file for the
largest resident memory of any of its processes, in bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from assay.harness.control import leave_now

NOT_STARTED = 127
_AFTERWARDS, _PEAK = "--afterwards", "--peak"
_AFTERWARDS_S = 30.0


def leashed(afterwards: Sequence[str] = (), peak: Path | None = None) -> list[str]:
    """The words that come before the folder and the program."""
    words = [sys.executable, "-P", "-m", __name__]
    words += [_AFTERWARDS, json.dumps(list(afterwards))] if afterwards else []
    return [*words, _PEAK, str(peak)] if peak else words


def end_afterwards(words: Sequence[str]) -> None:
    """Run the command that ends what is not of the group; whatever comes of it, nobody can do more."""
    if words:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_AFTERWARDS_S,
                check=False,
                # The group is killed meanwhile.
                start_new_session=True,
            )


def hold(arguments: Sequence[str]) -> int:
    """Run a program until it ends; its return code, negative for a signal, or 127 when it could not be started."""
    options: dict[str, str] = {}
    while arguments[0] in (_AFTERWARDS, _PEAK):
        options[arguments[0]], arguments = arguments[1], arguments[2:]
    afterwards, peak = json.loads(options.get(_AFTERWARDS, "[]")), options.get(_PEAK)
    folder, *command = arguments
    # A handler and not SIG_IGN, which the program would inherit: the group's signals are for it, not for the leash.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: None)
    threading.Thread(target=_listen, args=(afterwards,), name="leash", daemon=True).start()
    try:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"error: {command[0]} cannot be started: {error.strerror}\n")
        return NOT_STARTED
    code = process.wait()
    if peak is not None:
        with contextlib.suppress(OSError):
            Path(peak).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10), encoding="ascii")
    return code


def end_like(code: int) -> None:
    """End this process as the program ended: with its exit status, or by its signal."""
    if code < 0:
        # The core file, if one is wanted, is the program's own.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    leave_now(code if code >= 0 else 128 - code)


def _listen(afterwards: Sequence[str]) -> None:
    while os.read(0, 4096):
        pass
    end_afterwards(afterwards)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    end_like(hold(sys.argv[1:]))

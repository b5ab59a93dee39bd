"""Between assay and a foreign program: ``python -P -m assay.harness.external.leash FOLDER PROGRAM ARGUMENTS...``.

A foreign program knows nothing of assay and would go on when assay is killed, and with it whatever it has started. The
leash runs it in a process group of their own and listens at a pipe: when the other end is gone, so is the group.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from assay.harness.control import leave_now

NOT_STARTED = 127


def hold(arguments: Sequence[str]) -> int:
    """Run a program until it ends; its return code, negative for a signal, or 127 when it could not be started."""
    folder, *command = arguments
    # A handler and not SIG_IGN, which the program would inherit: the group's signals are for it, not for the leash.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: None)
    threading.Thread(target=_listen, name="leash", daemon=True).start()
    try:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"error: {command[0]} cannot be started: {error.strerror}\n")
        return NOT_STARTED
    return process.wait()


def end_like(code: int) -> None:
    """End this process as the program ended: with its exit status, or by its signal."""
    if code < 0:
        # The core file, if one is wanted, is the program's own.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    leave_now(code if code >= 0 else 128 - code)


def _listen() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    end_like(hold(sys.argv[1:]))

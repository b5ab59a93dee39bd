"""How the worker hears from the process that started it.

The worker's standard input is a pipe: the line ``stop`` asks it to end LoadGen in order, its end means that the parent
is gone. LoadGen cannot be told to stop; a draining SUT answers everything at once, which ends the stream scenarios and
Offline in moments. Server keeps its schedule, so after a grace period the worker leaves on its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO

_PR_SET_PDEATHSIG = 1
EXIT_ABANDONED = 75


class Control:
    """Listens to the parent in a thread of its own.

    Args:
        source: the pipe.
        on_stop: called once when the parent asks to stop.
        on_abandoned: called when the parent is gone; has to end the process.
    """

    def __init__(self, source: IO[bytes], on_stop: Callable[[], None], on_abandoned: Callable[[], None]) -> None:
        self._source = source
        self._on_stop = on_stop
        self._on_abandoned = on_abandoned
        self.stopped = False

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def _listen(self) -> None:
        for line in self._source:
            if line.strip() == b"stop" and not self.stopped:
                self.stopped = True
                self._on_stop()
        self._on_abandoned()


def detach_from_terminal() -> None:
    """Leave Ctrl-C to the parent, which decides how the run ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, however it dies; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def leave_now(code: int) -> None:
    """End the process without waiting for LoadGen's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

"""A program that ends with us, however we end: ``python -P -m assay.power.tied PARENT SIGNAL PROGRAM ARGUMENTS...``.

The daemon and the official programs know nothing of assay. Left behind by a killed process they would keep the analyzer
and their ports from the next measurement. On Linux the system sends them a signal when their parent is gone; elsewhere
only an orderly end ends them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """The words that start a program so that it gets a signal when this process dies."""
    return [sys.executable, "-P", "-m", "assay.power.tied", str(os.getpid()), str(int(number)), *command]


def become(parent: int, number: int, command: Sequence[str]) -> None:
    """Be the program from here on; comes back only when the parent is gone already.

    Raises:
        OSError: when there is no such program.
    """
    # A shell in the background has its children ignore Ctrl-C; what is ignored stays so in a program that is started.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() == parent:
        os.execvp(command[0], list(command))  # noqa: S606 - a list, and no shell


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])

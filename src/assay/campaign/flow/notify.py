"""The user's own program that is told how a campaign goes; whatever it does, the campaign goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.base.settings import child_environment

LIMIT_S = 20.0
"""Longest time that a program may take; then it is ended."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Hook:
    """A program to tell.

    Attributes:
        command: program and words; it never goes through a shell.
        folder: where it is started.
        complain: told when it could not be told.
    """

    command: Sequence[str]
    folder: Path
    complain: Callable[[str], None] = lambda line: None
    limit_s: float = LIMIT_S

    def tell(self, event: str, values: Mapping[str, Any]) -> None:
        """Start the program with one JSON document on its stdin, and wait for it."""
        if not self.command:
            return
        document = json.dumps({"format": FORMAT, "event": event, **values}, default=str, sort_keys=True) + "\n"
        try:
            problem = self._start(document.encode("utf-8"))
        except (OSError, ValueError) as error:
            problem = str(error)
        if problem:
            self.complain(f"{self.command[0]} could not be told of {event}: {problem}")

    def _start(self, document: bytes) -> str:
        # A session of its own: a Ctrl-C for the campaign is not for it, and all that it started can be ended.
        with subprocess.Popen(
            list(self.command), cwd=self.folder, env=child_environment(), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                process.communicate(document, timeout=self.limit_s)
            except subprocess.TimeoutExpired:
                _end(process)
                return f"it took more than {self.limit_s:g} s, and was ended"
            except BaseException:  # a Ctrl-C for the campaign
                _end(process)
                raise
            return f"exit code {process.returncode}" if process.returncode else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that is still running, with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

"""Work that is a command: another program that runs LoadGen and leaves its logs below a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotFoundError, RunFailedError
from assay.power.phase import Phase

_INVALID = 1
"""``assay run`` ends so after a run that is not valid: its logs are whole, and its power was measured."""


@dataclass(frozen=True, slots=True)
class Command:
    """The command.

    Attributes:
        words: program and arguments; no shell reads them.
        logs: the folder below which LoadGen's logs appear.
        allowed: exit codes besides 0 that mean the run went to its end.
    """

    words: Sequence[str]
    logs: Path
    allowed: frozenset[int] = frozenset()

    @classmethod
    def of(cls, words: Sequence[str], logs: Path) -> Command:
        """The command, with the exit codes that are known of it."""
        ours = Path(words[0]).name == "assay" if words else False
        return cls(tuple(words), logs, frozenset({_INVALID}) if ours else frozenset())

    def __call__(self, phase: Phase) -> Path:
        """Run it; gives the folder of logs.

        Raises:
            NotFoundError: when there is no such program.
            RunFailedError: when it fails.
        """
        del phase
        try:
            done = subprocess.run(self.words, check=False)
        except (FileNotFoundError, PermissionError) as error:
            raise NotFoundError(f"cannot run the work: {error.strerror}", where=self.words[0]) from error
        if done.returncode and done.returncode not in self.allowed:
            hint = "run it alone first; what it prints stands above"
            raise RunFailedError(
                "the work failed", where=self.words[0], found=f"exit code {done.returncode}", hint=hint
            )
        return self.logs

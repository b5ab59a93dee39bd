"""Runs the commands that make a foreign program ready."""

from __future__ import annotations

import shlex
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import Progress
from assay.errors import RunFailedError
from assay.harness.external.command import Chosen, Invocation
from assay.harness.external.container import Runtime, contained
from assay.harness.external.exits import complaint, ending, last_lines, tail
from assay.harness.external.process import run_program


def build_program(chosen: Chosen, place: Path, progress: Progress, runtime: Runtime | None = None) -> Path | None:
    """Run an implementation's build commands one after another; the log of the last, None when there are none.

    Args:
        chosen: which, where, with which words.
        place: folder of the logs.
        progress: told which command runs.
        runtime: runs the container that it is built in; None for this machine itself.

    Raises:
        RunFailedError: for the first command that fails, with its last words.
    """
    of, log = chosen.implementation, None
    with machine_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    for number, words in enumerate(of.build, 1):
        command = tuple(chosen.filled(word, {}) for word in words)
        invocation = Invocation(command, chosen.folder, {}, place, place)
        if runtime is not None:
            invocation = contained(invocation, chosen, runtime, {}, building=True)
        log = place / f"build-{number}.log"
        step = progress.start(f"build {number} of {len(of.build)}: {shlex.join(command)}"[:120])
        try:
            code, _ = run_program(invocation, log, lambda: None)
        finally:
            step.finish()
        if code != 0:
            lines = tail(log)
            said, _ = complaint(lines)
            raise RunFailedError(
                f"the build of {of.name} {ending(code)}" + (f"; it said: {said}" if said else ""),
                where=log,
                found=shlex.join(command),
                hint=last_lines(lines, log.name),
            )
    return log

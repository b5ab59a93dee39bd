"""Starts a foreign program, shows how it is doing, ends all of it, and says how it ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import Progress
from assay.base.settings import child_environment
from assay.base.units import format_duration
from assay.harness.external.command import Invocation
from assay.harness.external.exits import complaint, ending, last_lines, tail
from assay.harness.external.following import Following
from assay.harness.external.leash import end_afterwards, leashed
from assay.harness.outcome import Ending, Failure, Outcome
from assay.loadgen.names import DETAIL, LOG_FILES, SUMMARY

OUTPUT_LOG = "implementation.log"
PEAK_FILE = "peak_memory.txt"
_POLL_S = 0.2
_STOPPING = "asking the program to end; press Ctrl-C again to kill it"
_ASKED_S = 5.0
"""How long a program may take to end when it is asked to, before it is killed."""


def execute_foreign(invocation: Invocation, folder: Path, *, label: str, progress: Progress) -> Outcome:
    """Run a foreign program to its end; LoadGen's files are in ``folder`` afterwards, as it wrote them.

    Args:
        invocation: what is started.
        folder: the run's folder; has to exist.
        label: what the live line says.
        progress: shows the live line.
    """
    with machine_errors(invocation.output):
        invocation.logs.mkdir(parents=True, exist_ok=True)
    log, began = folder / OUTPUT_LOG, time.monotonic()
    # A container's memory is not that of what starts it.
    peak = None if invocation.afterwards else folder / PEAK_FILE
    step = progress.start(label, unit="s")
    following = Following(invocation.logs, step)
    try:
        code, late = run_program(
            invocation, log, following.look, stopping=lambda: progress.message(_STOPPING), peak=peak
        )
    except KeyboardInterrupt:
        _take_logs(invocation.logs, folder)
        return Outcome(Ending.INTERRUPTED, timings_s={"run": time.monotonic() - began})
    finally:
        step.finish()
    _take_logs(invocation.logs, folder)
    timings = {"run": round(time.monotonic() - began, 3)}
    failure = _failure(invocation, folder, code, late)
    ending = Ending.FAILED if failure else Ending.FINISHED
    return Outcome(ending, failure, timings_s=timings, peak_memory=_peak(folder / PEAK_FILE))


def _peak(path: Path) -> int:
    """The largest resident memory of the program, in bytes; 0 when nobody knows."""
    try:
        text = path.read_text(encoding="ascii")[:20]
        path.unlink()
        return int(text)
    except (OSError, ValueError):
        return 0


def run_program(
    invocation: Invocation,
    log: Path,
    look: Callable[[], None],
    *,
    stopping: Callable[[], None] = lambda: None,
    peak: Path | None = None,
) -> tuple[int, bool]:
    """Run a program with all that it starts; its return code, and whether it was ended for its time limit.

    Args:
        invocation: what is started.
        log: gets everything that it prints.
        look: called now and then while it runs.
        stopping: called when a Ctrl-C has come, before the program is ended.
        peak: gets the largest resident memory of any of its processes.

    Raises:
        KeyboardInterrupt: after the whole group has been ended.
    """
    words = [*leashed(invocation.afterwards, peak), str(invocation.folder), *invocation.command]
    limit = None if invocation.time_limit_ns is None else time.monotonic() + invocation.time_limit_ns / 1e9
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(PYTHONUNBUFFERED="1", **invocation.environment),
            # A group of its own: Ctrl-C at the terminal comes to assay alone, which ends the group in order.
            start_new_session=True,
        )
        late = False
        try:
            while process.poll() is None:
                time.sleep(_POLL_S)
                look()
                if limit is not None and time.monotonic() > limit:
                    late = True
                    _end(process)
        except KeyboardInterrupt:
            stopping()
            _end(process)
            raise
        finally:
            _kill(process)
            if process.returncode != 0:
                end_afterwards(invocation.afterwards)
    return process.returncode, late


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask every process of the group to end as Ctrl-C would, then firmly, then kill them."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            _tell(process, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_ASKED_S)
                return
    except KeyboardInterrupt:
        pass  # pressed again: no more waiting
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, also what the program has left behind."""
    _tell(process, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _tell(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group keeps its number as long as one of its processes lives, whoever of them has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _take_logs(logs: Path, folder: Path) -> None:
    """Move LoadGen's files into the run's folder, byte for byte."""
    for name in LOG_FILES:
        if (logs / name).is_file() and not (logs / name).is_symlink():
            with machine_errors(folder / name):
                shutil.move(logs / name, folder / name)


def _failure(invocation: Invocation, folder: Path, code: int, late: bool) -> Failure | None:
    lines, log = tail(folder / OUTPUT_LOG), folder / OUTPUT_LOG
    said, place = complaint(lines)
    hint = last_lines(lines, OUTPUT_LOG)
    if late:
        limit = format_duration(invocation.time_limit_ns or 0)
        return Failure("RunFailedError", f"it did not end within its time limit of {limit}", where=str(log), hint=hint)
    if code != 0:
        what = f"{Path(invocation.command[0]).name} {ending(code)}" + (f"; it said: {said}" if said else "")
        return Failure("RunFailedError", what, where=f"{log}: {place}" if place else str(log), hint=hint)
    missing = [name for name in (SUMMARY, DETAIL) if not (folder / name).is_file()]
    if missing:
        return Failure(
            "RunFailedError",
            f"the program ended well and left no {' and no '.join(missing)}",
            where=str(invocation.logs),
            expected="LoadGen's logs",
            found=_listed(invocation.output),
            hint=f"say under `logs` of the manifest where they appear below {{output}}; {hint}",
        )
    return None


def _listed(folder: Path) -> str:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())[:5]
    return ", ".join(names) or "an empty folder"

"""Starts the worker process, shows how it is doing, and says how it ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from assay.base.files import write_atomic
from assay.base.progress import Progress, Step
from assay.base.settings import child_environment
from assay.base.units import format_count, format_duration, format_rate
from assay.errors import NotFoundError
from assay.harness.outcome import Ending, Failure, Outcome
from assay.harness.spec import PROGRESS_FILE, USER_CONF, WORKER_LOG, RunSpec
from assay.loadgen.audit import AUDIT_CONF
from assay.loadgen.live import ProgressReader, Snapshot

_POLL_S = 0.1
_STOP_WAIT_S = 12.0
_LOG_TAIL = 12


def execute(spec: RunSpec, folder: Path, *, label: str, progress: Progress) -> Outcome:
    """Run a spec in a worker process; LoadGen's files and ``outcome.json`` are in ``folder`` afterwards.

    A Ctrl-C lets LoadGen end in order (a second one kills the worker) and is told by the outcome's ending; a worker
    that dies is a failed outcome naming the signal and the end of its log.

    Args:
        spec: what to run.
        folder: the run's folder; has to exist.
        label: what the live line says.
        progress: shows the live line.
    """
    write_atomic(folder / USER_CONF, spec.user_conf)
    if spec.audit:
        write_atomic(folder / AUDIT_CONF, spec.audit)
    spec.write(folder)
    with (folder / WORKER_LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "assay.harness.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment(PYTHONUNBUFFERED="1"),
        )
        try:
            _follow(process, folder, label, progress)
        except KeyboardInterrupt:
            progress.message("stopping LoadGen in order; press Ctrl-C again to kill it")
            _stop(process)
            return _outcome(process, folder, interrupted=True)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
    return _outcome(process, folder, interrupted=False)


def _follow(process: subprocess.Popen[bytes], folder: Path, label: str, progress: Progress) -> None:
    reader = ProgressReader(folder / PROGRESS_FILE)
    step: Step = progress.start(label, unit="s")
    try:
        while process.poll() is None:
            time.sleep(_POLL_S)
            for line in reader.new():
                if isinstance(line, Snapshot):
                    total = None if line.eta_s is None else line.elapsed_s + line.eta_s
                    step.update(done=line.elapsed_s, total=total, note=live_line(line))
                else:
                    step.update(note=line.text())
    finally:
        step.finish()


def live_line(snapshot: Snapshot) -> str:
    """The snapshot for a person: issued, done, rate, latency so far."""
    parts = [
        f"{format_count(snapshot.done)} of {format_count(snapshot.issued)} issued",
        format_rate(snapshot.rate, "samples"),
    ]
    if snapshot.p50_ns is not None and snapshot.p99_ns is not None:
        parts.append(f"p50 {format_duration(snapshot.p50_ns)} p99 {format_duration(snapshot.p99_ns)}")
    return ", ".join(parts)


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"stop\n")
            process.stdin.flush()
        process.wait(timeout=_STOP_WAIT_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _outcome(process: subprocess.Popen[bytes], folder: Path, *, interrupted: bool) -> Outcome:
    try:
        # A worker that finished in the moment of the Ctrl-C has a whole result: its own word counts.
        return Outcome.read(folder)
    except NotFoundError:
        if interrupted:
            return Outcome(Ending.INTERRUPTED)
        return Outcome(Ending.FAILED, Failure("RunFailedError", _death(process), where=str(folder), hint=_tail(folder)))


def _death(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        also = ", perhaps for want of memory" if name == "SIGKILL" else ""
        return f"the worker process was ended by {name}{also}"
    return f"the worker process left with code {code} and no outcome"


def _tail(folder: Path) -> str:
    lines = (folder / WORKER_LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:]
    return "\n".join(["the end of worker.log says:", *lines]) if lines else "worker.log is empty"

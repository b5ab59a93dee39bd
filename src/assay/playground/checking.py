"""The check of an upload in a process of its own: what a stranger's archive does to it, it does not do to the server.

The process reads ``job.json`` in the upload's folder, unpacks ``archive``, checks and takes its results, and leaves
``outcome.json``. It ends with the server.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from assay.base.files import read_json, write_json
from assay.base.settings import Settings
from assay.community.challenges import find_challenge
from assay.community.outcome import Outcome
from assay.errors import AssayError, MachineError, MissingDependencyError
from assay.playground.security.archive import unpack
from assay.playground.security.config import UploadLimits
from assay.results.audience import EVERYBODY

JOB, ARCHIVE, OUTCOME, UNPACKED = "job.json", "archive", "outcome.json", "unpacked"
LARGEST = 3 << 20
"""Bytes of an outcome as JSON; what goes beyond is counted and left out."""
_WAIT_S = 0.2
_NICE = 5


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with an upload.

    Attributes:
        contributor: account name.
        received: when it came, UTC; results count from then on, whenever they are checked.
        challenges: uids.
        embargo: with a zone.
        tries: how often its check was begun.
    """

    contributor: str
    received: datetime
    display_name: str = ""
    organisation: str = ""
    challenges: tuple[str, ...] = ()
    private: bool = False
    embargo: datetime | None = None
    round: str = ""
    note: str = ""
    tries: int = 0

    def write(self, folder: Path) -> None:
        """Write it into an upload's folder."""
        moments = {
            "received": self.received.isoformat(),
            "embargo": None if self.embargo is None else self.embargo.isoformat(),
        }
        write_json(folder / JOB, {**asdict(self), **moments})

    @classmethod
    def read(cls, folder: Path) -> Job:
        """Read it from an upload's folder.

        Raises:
            AssayError: when there is none.
        """
        said: dict[str, Any] = read_json(folder / JOB, max_bytes=1 << 20)
        try:
            return cls(
                **{
                    **said,
                    "received": datetime.fromisoformat(said["received"]),
                    "embargo": datetime.fromisoformat(said["embargo"]) if said["embargo"] else None,
                    "challenges": tuple(said["challenges"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MachineError("the upload's own file is damaged", where=JOB) from error


def check(folder: Path, settings: Settings, limits: UploadLimits) -> dict[str, Any]:
    """Unpack an upload, check it and take its results; what became of it, for :func:`told`."""
    # The checker is imported where it works: in the process that an upload is checked in, not in the server.
    from assay.community.accept import accept

    target = folder / UNPACKED
    try:
        job = Job.read(folder)
        shutil.rmtree(target, ignore_errors=True)
        unpack(folder / ARCHIVE, target, limits)
        challenges = [find_challenge(settings, uid, EVERYBODY, job.received) for uid in job.challenges]
        outcome = accept(
            target,
            job.contributor,
            settings,
            now=job.received,
            challenges=challenges,
            private=job.private,
            embargo=job.embargo,
            display_name=job.display_name,
            organisation=job.organisation,
            round_=job.round or None,
        )
    except AssayError as error:
        return {"error": _plain(error, folder, settings)}
    finally:
        shutil.rmtree(target, ignore_errors=True)
    return told(outcome)


def told(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON, of bounded size: what was taken first, then what was not, then findings, the gravest first."""
    said: dict[str, Any] = {
        "kind": outcome.kind.value,
        "ok": outcome.ok,
        "unchanged": outcome.unchanged,
        "message": outcome.message,
        "round": outcome.round,
        "commit": outcome.commit,
        "accepted_total": len(outcome.accepted),
        "refused_total": len(outcome.refused),
        "findings_total": outcome.findings_total,
    }
    left = LARGEST
    for name in ("accepted", "refused", "findings"):
        kept: list[dict[str, Any]] = []
        for each in getattr(outcome, name):
            item = asdict(each)
            left -= len(json.dumps(item)) + 2
            if left < 0:
                break
            kept.append(item)
        said[name] = kept
    return said


def _plain(error: AssayError, folder: Path, settings: Settings) -> dict[str, Any]:
    """An error without the folders of the server, which are nobody's business."""
    said = error.to_dict()
    for root in (folder / UNPACKED, folder, settings.home):
        for name in {str(root), str(root.resolve())}:
            said = {
                key: value.replace(f"{name}/", "").replace(name, "upload") if isinstance(value, str) else value
                for key, value in said.items()
            }
    if said["where"] == ARCHIVE:
        # The name that it has for its sender stands above it.
        said["where"] = None
    return {**said, "ours": isinstance(error, MachineError | MissingDependencyError)}


# ---- the process


def check_apart(
    folder: Path, settings: Settings, limits: UploadLimits, *, stopping: Callable[[], bool], seconds: float
) -> Mapping[str, Any] | None:
    """Check an upload in a process of its own.

    Args:
        folder: of the upload.
        settings: where files are.
        limits: of what it may hold.
        stopping: whether the server is about to end.
        seconds: that it may take.

    Returns:
        What became of it; None when the server ended before.
    """
    result = folder / OUTCOME
    result.unlink(missing_ok=True)
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(folder, settings, limits), name="assay-check", daemon=True
    )
    process.start()
    left = seconds
    while process.is_alive() and left > 0:
        process.join(_WAIT_S)
        left -= _WAIT_S
        if stopping() and process.is_alive():
            _end(process)
            return None
    if process.is_alive():
        _end(process)
        return _broken(f"the check took longer than {seconds / 60:.0f} minutes", "send less at once")
    try:
        said = read_json(result, max_bytes=4 * LARGEST)
    except AssayError:
        return _broken("the check broke off", "send it again; if it happens again, tell who looks after the server")
    return said if isinstance(said, dict) else _broken("the check broke off", "send it again")


def _broken(what: str, hint: str) -> dict[str, Any]:
    return {"error": {"error": "RunFailed", "what": what, "hint": hint, "ours": True}}


def _end(process: SpawnProcess) -> None:
    process.terminate()
    process.join(5)
    if process.is_alive():
        process.kill()
        process.join(5)


def _run(folder: Path, settings: Settings, limits: UploadLimits) -> None:
    """What the process does."""
    # Ctrl-C is for the server, which ends this process in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_server, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    write_json(folder / OUTCOME, check(folder, settings, limits))


def _end_with_server() -> None:
    """End when the server is gone, so that the next one does not find somebody at work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

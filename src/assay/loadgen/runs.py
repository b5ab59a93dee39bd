"""A run on disk: its folder, its record ``run.json``, its progress, and the catalogue of all runs.

The folder holds LoadGen's files untouched. ``run.json`` is written when the run begins and again when it ends; a run
whose process is gone and whose record still says ``running`` was interrupted.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from assay.base.files import machine_errors, read_json, write_json
from assay.errors import AssayError, InvalidInputError, NotFoundError, unknown
from assay.loadgen.record import RunRecord, RunStatus

Records = list[RunRecord]
Scanned = list[tuple[RunRecord | None, str]]

RECORD_FILE = "run.json"
OWNER_FILE = "owner.json"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_SIGKILL_PENDING = 1 << 8
_EXITING = 0x4
"""PF_EXITING of the kernel's include/linux/sched.h, among the flags of /proc/PID/stat."""
_STAMP = len("20261123-201500")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    def write(self, record: RunRecord) -> None:
        """Write ``run.json``; the process that runs it is remembered until it ends."""
        owner = self.path / OWNER_FILE
        if record.status is RunStatus.RUNNING:
            # Before the record: nobody may see a running run without its owner.
            write_json(owner, {"pid": os.getpid(), "started": psutil.Process().create_time()})
        write_json(self.path / RECORD_FILE, record.to_dict())
        if record.status is not RunStatus.RUNNING:
            with machine_errors(owner):
                owner.unlink(missing_ok=True)

    def read(self) -> RunRecord:
        """Read ``run.json``; a run left behind by a dead process comes back as interrupted.

        Raises:
            NotFoundError: when there is no record.
            InvalidInputError: when it is no record of a version known here.
        """
        record = RunRecord.from_dict(read_json(self.path / RECORD_FILE), where=self.path / RECORD_FILE)
        if record.status is RunStatus.RUNNING and not self._owner_alive():
            return replace(record, status=RunStatus.INTERRUPTED, failure="the process that ran it is gone")
        return record

    def _owner_alive(self) -> bool:
        try:
            owner = read_json(self.path / OWNER_FILE)
            process = psutil.Process(int(owner["pid"]))
            return abs(process.create_time() - float(owner["started"])) < 1 and not _dying(process)
        except (AssayError, psutil.Error, KeyError, TypeError, ValueError, OverflowError):
            return False


class RunCatalogue:
    """All runs under one folder.

    Args:
        folder: ``<home>/runs``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new_id(self, name: str, scenario: str, mode: str) -> str:
        """An id that sorts by time and says what it is: ``20261123-201500-mobilenet-v2-offline-accuracy-3f9a``."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        # The id names a folder: a model that the user gave by its path must not lead out of the catalogue.
        plain = _NOT_PLAIN.sub("-", name).strip("-.")[:_LONGEST_NAME] or "run"
        return f"{stamp}-{plain}-{scenario.lower()}-{mode}-{secrets.token_hex(2)}"

    def new_group(self) -> str:
        """An id that the runs of one command share."""
        return secrets.token_hex(8)

    def create(self, record: RunRecord) -> RunFolder:
        """Make the folder of a run and write its first record.

        Raises:
            MachineError: when the folder cannot be made.
        """
        path = self.folder / record.id
        with machine_errors(path):
            path.mkdir(parents=True, exist_ok=False)
        folder = RunFolder(path)
        folder.write(record)
        return folder

    def records(self) -> Records:
        """The records of all runs, newest first; folders without a readable record are left out."""
        return [record for record, _ in self.scan() if record is not None]

    def scan(self) -> Scanned:
        """Every folder, newest first: its record, or None and the reason why there is none."""
        found: Scanned = []
        for path in self._folders():
            try:
                found.append((RunFolder(path).read(), ""))
            except AssayError as error:
                found.append((None, f"{path.name}: {error}"))
        return found

    def _folders(self) -> list[Path]:
        """The folders of runs, newest first; those of one second by when they were made."""
        if not self.folder.is_dir():
            return []
        with machine_errors(self.folder):
            paths = [path for path in self.folder.iterdir() if not path.name.startswith(".") and path.is_dir()]
        return sorted(paths, key=_age, reverse=True)

    def find(self, name: str) -> RunFolder:
        """The folder of a run by id, unique beginning or end of it, or ``last``.

        Raises:
            NotFoundError: for none (with the closest ids) or several.
        """
        ids = [path.name for path in self._folders() if (path / RECORD_FILE).is_file()]
        if not ids:
            raise NotFoundError("there are no runs yet", where=self.folder, hint="assay demo")
        if name == "last":
            return RunFolder(self.folder / ids[0])
        hits = [run for run in ids if run == name] or [run for run in ids if run.startswith(name) or run.endswith(name)]
        if len(hits) > 1:
            raise NotFoundError(f"{name!r} fits {len(hits)} runs", expected="more of the id", found=", ".join(hits[:4]))
        if not hits:
            raise unknown("run", name, ids, hint="assay runs list")
        return RunFolder(self.folder / hits[0])

    def read(self, name: str) -> RunRecord:
        """The record of a run, found as by :meth:`find`."""
        return self.find(name).read()

    def remove(self, name: str) -> int:
        """Delete a run's folder; returns the bytes freed.

        Raises:
            InvalidInputError: when the run is still going.
        """
        folder = self.find(name)
        if folder.read().status is RunStatus.RUNNING:
            raise InvalidInputError("the run is still going", where=folder.path, hint="stop it first")
        size = sum(p.stat().st_size for p in folder.path.rglob("*") if p.is_file())
        with machine_errors(folder.path):
            shutil.rmtree(folder.path)
        return size


def _dying(process: psutil.Process) -> bool:
    """Whether a process is as good as gone: it was killed, and is still listed.

    A killed process keeps its number until its parent has asked for its end (the shell does so at its next prompt),
    and until the system has freed its memory. Whoever lists runs in that moment must not be told that it still runs.
    """
    if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
        return True
    try:
        text = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
        state = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux, or gone meanwhile, which the next look tells
        return False
    pending = [int(line.split()[1], 16) for line in text.splitlines() if line.startswith(("SigPnd:", "ShdPnd:"))]
    # The name of the program, in brackets, may hold blanks and brackets; the flags are the seventh field after it.
    flags = int(state.rpartition(")")[2].split()[6])
    return any(mask & _SIGKILL_PENDING for mask in pending) or bool(flags & _EXITING)


def _age(path: Path) -> tuple[str, int, str]:
    """What runs are ordered by: the second in the id, then when the run's first file was written, then the id."""
    try:
        made = min((entry.stat().st_mtime_ns for entry in path.iterdir()), default=0)
    except OSError:
        made = 0
    return path.name[:_STAMP], made, path.name

"""Folders of runs as a server may show them: nothing outside them, no pipe, no link, and never more than fits.

A folder may have been copied from anywhere. Names come from the list of folders and from one list of files; what a
visitor writes is only compared with them.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from assay.base.files import machine_errors, open_regular, read_json
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.loadgen.live import Phase, ProgressReader, Snapshot
from assay.loadgen.logs import LogMessage, read_detail
from assay.loadgen.names import DETAIL, LOG_FILES, SUMMARY
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import OWNER_FILE, RECORD_FILE, RunFolder

PROGRESS = "progress.jsonl"
POWER = "spl.txt"
SHOWN = (
    RECORD_FILE, *LOG_FILES, "accuracy.txt", "user.conf", "mlperf.conf", "audit.config", "worker.log", "spec.json",
    "outcome.json", PROGRESS, POWER,
)  # fmt: skip
"""Files of a run that may be looked at; nothing else of a folder ever is."""
_MOST_RUNS = 20_000
_LARGEST_RECORD = 4 << 20
_LARGEST_HASHED = 8 << 20
_LARGEST_DETAIL = 64 << 20
_TAIL_BYTES = 16 << 10
_LONGEST_LINE = 300
_CHUNK = 256 << 10

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A folder of the catalogue.

    Attributes:
        id: its name.
        record: what was run; None when it cannot be read.
        problem: why not.
    """

    id: str
    record: RunRecord | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run.

    Attributes:
        name: one of :data:`SHOWN`.
        size: in bytes.
        sha256: as it is now, as the record says for one that is too large to be read again; empty when not known.
        changed: it is no longer what the record says it was.
    """

    name: str
    size: int
    sha256: str = ""
    changed: bool = False


def list_runs(folder: Path) -> list[ListedRun]:
    """Every run, newest first; folders that are links are passed over.

    Raises:
        MachineError: when the folder cannot be read.
    """
    return [_listed(folder / name) for name in _names(folder)]


def find_run(folder: Path, name: str) -> Path:
    """The folder of a run.

    Args:
        folder: of all runs.
        name: the whole id.

    Raises:
        NotFoundError: when there is none.
    """
    if name not in _names(folder):
        raise NotFoundError(f"there is no run {name[:200]!r}", hint="see /runs")
    return folder / name


def read_run(path: Path) -> RunRecord:
    """The record of a run.

    Raises:
        NotFoundError, InvalidInputError: when there is none that can be read.
    """
    stamp = _stamp(path / RECORD_FILE)
    if stamp is None:
        raise NotFoundError("the run has no record", where=path.name)
    try:
        record = _record(path / RECORD_FILE, stamp)
        if record.status is not RunStatus.RUNNING:
            return record
        if _stamp(path / OWNER_FILE) is not None:
            # Whether it still runs hangs on a process.
            return RunFolder(path).read()
    except InvalidInputError as error:
        # The user's folders are no visitor's business.
        raise InvalidInputError(error.what, where=f"{path.name}/{RECORD_FILE}", found=error.found) from error
    return replace(record, status=RunStatus.INTERRUPTED, failure="nothing says which process ran it")


@functools.lru_cache(4096)
def _record(path: Path, stamp: Stamp) -> RunRecord:
    del stamp
    return RunRecord.from_dict(read_json(path, max_bytes=_LARGEST_RECORD), where=path)


def _listed(path: Path) -> ListedRun:
    try:
        return ListedRun(path.name, read_run(path))
    except AssayError as error:
        return ListedRun(path.name, None, str(error)[:_LONGEST_LINE])


def _names(folder: Path) -> list[str]:
    """Names of folders, newest first: an id begins with its second."""
    if not folder.is_dir():
        return []
    with machine_errors(folder), os.scandir(folder) as entries:
        names = [each.name for each in entries if each.name[:1] != "." and each.is_dir(follow_symlinks=False)]
    return sorted((name for name in names if name.isprintable()), reverse=True)[:_MOST_RUNS]


def _stamp(path: Path) -> Stamp | None:
    """Another one when the file is another; None when there is no plain file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def stamps(path: Path, names: tuple[str, ...]) -> tuple[Stamp | None, ...]:
    """What pages that were made from files are kept by."""
    return tuple(_stamp(path / name) for name in names)


def plain(path: Path, name: str) -> bool:
    """Whether a run has this file, and it is a plain one."""
    return _stamp(path / name) is not None


def files_of(path: Path, recorded: Mapping[str, str]) -> list[RunFile]:
    """The files of a run that may be looked at, with their hashes.

    Args:
        path: of the run.
        recorded: what the record says of them.
    """
    found: list[RunFile] = []
    for name in SHOWN:
        stamp = _stamp(path / name)
        if stamp is None:
            continue
        said = str(recorded.get(name, ""))[:64]
        digest = _sha256(path / name, stamp) if stamp[1] <= _LARGEST_HASHED else ""
        found.append(RunFile(name, stamp[1], digest or said, bool(said and digest and said != digest)))
    return found


@functools.lru_cache(512)
def _sha256(path: Path, stamp: Stamp) -> str:
    del stamp
    try:
        with _opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def open_file(path: Path, name: str) -> tuple[int, Iterator[bytes]]:
    """A file of a run: its size, and its content in pieces.

    Raises:
        NotFoundError: for any but the files in :data:`SHOWN`, and for one that is not there or is a link.
    """
    if name not in SHOWN or not plain(path, name):
        raise NotFoundError(f"the run has no file {name[:100]!r}", where=path.name, expected=", ".join(SHOWN[:5]))
    try:
        stream = _opened(path / name)
    except OSError as error:
        raise NotFoundError(f"the file {name!r} cannot be read", where=path.name) from error
    size = os.fstat(stream.fileno()).st_size
    return size, _pieces(stream, size)


def _opened(path: Path) -> FileIO:
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return open_regular(path)


def _pieces(stream: FileIO, size: int) -> Iterator[bytes]:
    # A log that still grows ends where it ended when it was asked for.
    with stream:
        left = size
        while left > 0 and (piece := stream.read(min(_CHUNK, left))):
            left -= len(piece)
            yield piece


def tail(path: Path, *, lines: int = 24) -> tuple[str, tuple[str, ...]]:
    """The end of what LoadGen writes: the name of the file, and its last lines, each cut to fit."""
    for name in (SUMMARY, DETAIL, "worker.log"):
        stamp = _stamp(path / name)
        if stamp is None or not stamp[1]:
            continue
        try:
            with _opened(path / name) as stream:
                size = os.fstat(stream.fileno()).st_size
                stream.seek(max(0, size - _TAIL_BYTES))
                text = stream.read(_TAIL_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        found = text.splitlines()[1 if size > _TAIL_BYTES else 0 :]
        return name, tuple(_told(line) for line in found[-lines:])
    return "", ()


def _told(line: str) -> str:
    plain_text = "".join(
        letter if letter.isprintable() or letter == "\t" else "�" for letter in line[: _LONGEST_LINE + 1]
    )
    return plain_text if len(plain_text) <= _LONGEST_LINE else f"{plain_text[:_LONGEST_LINE]}…"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run is doing.

    Attributes:
        snapshots: looks at the test since the place that was asked from.
        phase: what is being done; None when nothing was written since.
        offset: the place to go on from, in bytes.
    """

    snapshots: tuple[Snapshot, ...]
    phase: Phase | None
    offset: int


def progress(path: Path, offset: int = 0) -> Progress:
    """What a run has written of its progress."""
    if not plain(path, PROGRESS):
        return Progress((), None, 0)
    reader = ProgressReader(path / PROGRESS, offset)
    found = list(reader.new())
    phases = [each for each in found if isinstance(each, Phase)]
    return Progress(
        tuple(each for each in found if isinstance(each, Snapshot)), phases[-1] if phases else None, reader.offset
    )


def messages(path: Path) -> tuple[tuple[LogMessage, ...], tuple[LogMessage, ...]]:
    """Errors and warnings of LoadGen's log; none for a log that is too long or cannot be read."""
    stamp = _stamp(path / DETAIL)
    return ((), ()) if stamp is None or stamp[1] > _LARGEST_DETAIL else _messages(path / DETAIL, stamp)


@functools.lru_cache(64)
def _messages(path: Path, stamp: Stamp) -> tuple[tuple[LogMessage, ...], tuple[LogMessage, ...]]:
    del stamp
    try:
        detail = read_detail(path)
    except AssayError:
        return (), ()
    return detail.errors[:50], detail.warnings[:50]

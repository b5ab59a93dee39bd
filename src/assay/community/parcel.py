"""What is sent to a server: a submission tree, or of runs the files that acceptance needs, as one archive.

The same files give the same bytes, whenever they are packed.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from assay.base.files import machine_errors, open_regular, sha256_file
from assay.base.progress import SILENT, Progress
from assay.community.outcome import UploadKind
from assay.community.upload import sniff
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.loadgen.names import DETAIL, SUMMARY
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RECORD_FILE, RunFolder
from assay.results.from_run import belong_together, result_of

ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar", ".zip")
# Traces and accuracy logs are large, and what was made of them stands in accuracy.txt and in the record.
_OF_RUN = (RECORD_FILE, SUMMARY, DETAIL, "accuracy.txt", "mlperf.conf", "user.conf")
_LEFT_OUT = frozenset({".git", ".svn", ".hg", ".DS_Store", "__MACOSX", "__pycache__", "Thumbs.db"})
_LEVEL = 6
_MOST_FILES = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that is sent.

    Attributes:
        name: in the archive.
        source: where it lies.
        size: in bytes.
    """

    name: str
    source: Path
    size: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent.

    Attributes:
        name: of the archive.
        kind: what it holds; None for an archive that was packed already.
        pieces: by name; for such an archive itself alone.
        root: folder of the tree, or of all runs.
        runs: folders of runs.
        left_out: files that are not sent, and why.
    """

    name: str
    kind: UploadKind | None
    pieces: tuple[Piece, ...]
    root: Path
    runs: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes before they are packed."""
        return sum(each.size for each in self.pieces)


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive that is ready.

    Attributes:
        path: where it is.
        size: in bytes.
        sha256: of it.
    """

    path: Path
    size: int
    sha256: str


def parcel_of_path(path: Path) -> Parcel:
    """A folder with a submission tree or with runs, or an archive of one.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when nothing in it can be sent.
    """
    if path.is_file():
        if not path.name.lower().endswith(ARCHIVES):
            raise InvalidInputError(
                "nothing that can be sent", where=path, expected=f"a folder, or {' '.join(ARCHIVES)}"
            )
        return Parcel(path.name, None, (Piece(path.name, path, path.stat().st_size),), path.parent)
    if not path.is_dir():
        raise NotFoundError("there is no such folder", where=path)
    found = sniff(path)
    if found.kind is UploadKind.RUNS:
        return parcel_of_runs(found.runs)
    left_out: list[str] = []
    pieces = tuple(sorted(_of_tree(found.root, left_out), key=lambda each: each.name))
    name = found.root.resolve().name or "submission"
    return Parcel(f"{name}.tar.gz", UploadKind.TREE, pieces, found.root, left_out=tuple(left_out))


def parcel_of_runs(folders: Sequence[Path]) -> Parcel:
    """Runs, each with the files that say what it was and how it went.

    Raises:
        InvalidInputError: when two have one name, or one lacks what is needed.
    """
    pieces: list[Piece] = []
    for folder in folders:
        if not (folder / DETAIL).is_file():
            raise InvalidInputError("the run has no log", where=folder.name, expected=DETAIL)
        for name in _OF_RUN:
            path = folder / name
            if path.is_file() and not path.is_symlink():
                pieces.append(Piece(f"{folder.resolve().name}/{name}", path, path.stat().st_size))
    names = [each.name for each in pieces]
    if len(set(names)) < len(names):
        raise InvalidInputError("two runs have one name", hint="send them one after the other")
    if not folders:
        raise InvalidInputError("there is no run to send")
    roots = {folder.parent for folder in folders}
    root = roots.pop() if len(roots) == 1 else Path(os.path.commonpath([folder.resolve() for folder in folders]))
    name = folders[0].resolve().name if len(folders) <= 2 else f"{len(folders)}-runs"
    pieces.sort(key=lambda each: each.name)
    return Parcel(f"{name}.tar.gz", UploadKind.RUNS, tuple(pieces), root, tuple(folders))


def with_partner(folder: Path) -> list[Path]:
    """A run and the other half of its result: to a performance run the accuracy run of the same command, or the reverse.

    Raises:
        AssayError: when the run cannot be read, or has not come to an end.
    """
    record = _finished(folder)
    if not record.group:
        return [folder]
    result, stamp = result_of(record), folder.name[:8]
    for other in sorted(folder.parent.iterdir(), reverse=True):
        # The runs of one command are of one day, or of two that follow each other: the rest need not be read.
        if other == folder or abs(_day(other.name) - _day(stamp)) > 1 or not (other / RECORD_FILE).is_file():
            continue
        try:
            partner = _finished(other)
        except AssayError:
            continue
        if (
            partner.group == record.group
            and partner.mode != record.mode
            and belong_together(result, result_of(partner))
        ):
            return sorted((folder, other), key=lambda each: each.name)
    return [folder]


def _finished(folder: Path) -> RunRecord:
    record = RunFolder(folder).read()
    if record.status is not RunStatus.FINISHED:
        raise InvalidInputError(f"the run is {record.status.value}, so it has no result", where=folder.name)
    return record


def _day(name: str) -> int:
    """The day of a run's id as a number that grows by one a day; what has none is far from all others."""
    try:
        return date(int(name[:4]), int(name[4:6]), int(name[6:8])).toordinal()
    except ValueError:
        return -(10**6)


def _of_tree(root: Path, left_out: list[str]) -> Iterator[Piece]:
    """Every file of a tree; links are followed where they stay inside."""
    inside = root.resolve()
    count = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        for name in sorted({each for each in folders if each in _LEFT_OUT or (here / each).is_symlink()}):
            folders.remove(name)
            if name not in _LEFT_OUT:
                left_out.append(f"{(here / name).relative_to(root)}: a link to a folder")
        for name in files:
            path = here / name
            inner = path.relative_to(root).as_posix()
            if name in _LEFT_OUT:
                continue
            if not path.is_file() or not path.resolve().is_relative_to(inside):
                left_out.append(f"{inner}: no plain file of the tree")
                continue
            count += 1
            if count > _MOST_FILES:
                raise InvalidInputError("the tree has too many files", where=root, expected=f"at most {_MOST_FILES}")
            yield Piece(inner, path, path.stat().st_size)


# ---- packing


@dataclass(slots=True)
class _Hashing:
    """A stream that knows what went through it."""

    stream: IO[bytes]
    size: int = 0
    hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.hash.update(data)
        return self.stream.write(data)

    def flush(self) -> None:
        self.stream.flush()


def pack(parcel: Parcel, target: Path, progress: Progress = SILENT) -> Packed:
    """Write a parcel as ``.tar.gz``; an archive that was packed already is taken as it is.

    Args:
        parcel: what is sent.
        target: a file that is made, or written over.
        progress: told while it is packed.

    Raises:
        InvalidInputError: when a file changes while it is read.
        MachineError: when the disk is full.
    """
    if parcel.kind is None:
        (piece,) = parcel.pieces
        return Packed(piece.source, piece.size, sha256_file(piece.source))
    step = progress.start("packing", total=parcel.size, unit="B")
    try:
        with machine_errors(target), target.open("wb") as raw:
            out = _Hashing(raw)
            with gzip.GzipFile("", "wb", _LEVEL, out, 0) as zipped:
                _write(parcel.pieces, zipped, step.advance)
    finally:
        step.finish()
    return Packed(target, out.size, out.hash.hexdigest())


def _write(pieces: Iterable[Piece], stream: IO[bytes] | gzip.GzipFile, told: Callable[[float], None]) -> None:
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar:
        for each in pieces:
            info = tarfile.TarInfo(each.name)
            info.size, info.mode, info.mtime = each.size, 0o644, 0
            try:
                with open_regular(each.source) as content:
                    tar.addfile(info, content)
            except (OSError, UnicodeError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise InvalidInputError(
                    f"cannot be read, or changes while it is read: {error}", where=each.source
                ) from error
            told(each.size)

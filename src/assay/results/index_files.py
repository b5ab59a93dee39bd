"""The files that the index is a view of: result files of every repository, and the published table.

Only names, sizes and times are looked at here; what is in a file is read when it has changed.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import msgspec

from assay.base.files import open_regular
from assay.base.units import format_size
from assay.cm.artifact import EXPERIMENT
from assay.cm.repository import Repository
from assay.errors import AssayError, InvalidInputError
from assay.results.cm_row import result_from_row
from assay.results.flat import flat
from assay.results.importers.cm import CmImporter, CmPlace, CmRow
from assay.results.row import FORMAT, Row, seeds_of

RESULT_FILE = "cm-result.json"
_MAX_BYTES = 256 << 20
_SEEDS = 1 << 64
_COPIES = "mlperf-inference--all--"
_decode = msgspec.json.Decoder(list[CmRow]).decode
_decode_places = msgspec.json.Decoder(list[CmPlace]).decode


class Priority(IntEnum):
    """Which of two rows of one result is shown: the one that knows more."""

    RAW_LOGS = 0
    PUBLISHED = 1
    CM = 2
    SUMMARY = 3


_PRIORITIES = {
    "submission": Priority.RAW_LOGS,
    "run": Priority.RAW_LOGS,
    "cm": Priority.CM,
    "summary": Priority.SUMMARY,
}


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file of rows on the disk.

    Attributes:
        path: absolute.
        repository: alias of its repository; empty for the published table.
        state: size, time of change in nanoseconds and inode: another one means other content.
    """

    path: str
    repository: str
    state: tuple[int, int, int]

    @property
    def key(self) -> str:
        """The path as a database can hold it: names on a disk may be no UTF-8."""
        return self.path if self.path.isascii() else self.path.encode("utf-8", "backslashreplace").decode()

    @property
    def stamp(self) -> str:
        """The state as one text."""
        return "-".join(map(str, self.state))


def result_files(repositories: Iterable[Repository]) -> list[ResultFile]:
    """Every result file of the repositories, in their order.

    CM's importer kept a copy of every row in an experiment for all rounds; copies are left out where the experiments
    of the rounds are there.
    """
    found: list[ResultFile] = []
    for repository in repositories:
        experiments = _folders(os.path.join(repository.root, EXPERIMENT.alias))
        singles = any(name.startswith("mlperf-inference--") and not name.startswith(_COPIES) for name, _ in experiments)
        for name, path in experiments:
            if singles and name.startswith(_COPIES):
                continue
            for _, folder in _folders(path):
                file = os.path.join(folder, RESULT_FILE)
                try:
                    status = os.stat(file)
                except OSError:
                    continue
                state = (status.st_size, status.st_mtime_ns, status.st_ino)
                found.append(ResultFile(file, repository.alias, state))
    return found


def published_file(path: Path) -> ResultFile | None:
    """The shipped table as such a file; its state is its content, because an installation sets any time."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    return ResultFile(str(path), "", (len(raw), zlib.crc32(raw), 0))


def read_rows(path: str, importer: CmImporter) -> list[Row]:
    """The rows of a result file, ours and CM's.

    Raises:
        InvalidInputError: when it is no list of rows, half-written or too large.
    """
    try:
        with open_regular(path) as stream:
            if (size := os.fstat(stream.fileno()).st_size) > _MAX_BYTES:
                raise InvalidInputError(
                    "file is too large",
                    where=path,
                    expected=f"at most {format_size(_MAX_BYTES)}",
                    found=format_size(size),
                )
            raw = stream.read(_MAX_BYTES)
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}", where=path) from error
    try:
        if importer.knows_any and importer.knows_all(_decode_places(raw)):
            return []
        given = _decode(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"not a list of rows: {error}", where=path) from error
    rows = [each.assay_row for each in given if each.assay_row is not None and each.assay_row.format == FORMAT]
    if any(seed is not None and not 0 <= seed < _SEEDS for row in rows for seed in seeds_of(row)):
        raise InvalidInputError("not a list of rows: a seed has at most 64 bits", where=path)
    others = [each for each in given if each.assay_row is None]
    for each in [each for each in others if bytes(each.assay)]:
        row = _own(each, path)
        if row is not None:
            rows.append(row)
    return rows + importer.rows(each for each in others if not bytes(each.assay))


def priority_of(row: Row) -> Priority:
    """Which of two rows of one result goes first."""
    return _PRIORITIES.get(row.source_kind or "", Priority.CM)


def _own(given: CmRow, path: str) -> Row | None:
    """A run of this machine that was recorded before rows were kept."""
    try:
        result = result_from_row({"assay": msgspec.json.decode(given.assay)}, where=path)
    except (AssayError, msgspec.DecodeError):
        return None
    return None if result is None else flat(result, location=str(given.Location or ""))


def _folders(path: str) -> list[tuple[str, str]]:
    """Sub-folders, hidden ones and links left out, in the order of their names."""
    try:
        with os.scandir(path) as entries:
            found = [
                (entry.name, entry.path)
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    return sorted(found)

"""Criteo's click logs for DLRM (v2.0 to v3.0): rows of one target, 13 counts and 26 ids.

The reference's loader (facebookresearch/dlrm, data_loader_terabyte.py) reads ``terabyte_processed_test.bin``: rows of 40
int32, the first half of day 23, ids numbered by the dictionaries of all 24 days. Text of the logs is turned into the
same form here, once, with the ids as they stand in it: for MLPerf's weights the numbered ids of the binary file are
needed; the text is good for speed and for models trained on hashed ids.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.base.files import atomic_path, locked, require_space
from assay.base.progress import Progress
from assay.errors import InvalidInputError
from assay.tasks.recommendation.clicklog import COLUMNS, DENSE, parse_lines
from assay.tasks.recommendation.pairs import Numbers, Rows

BINARY, TEXT = "terabyte_processed_test.bin", "day_23"
SPARSE = COLUMNS - 1 - DENSE
ROW_BYTES = 4 * COLUMNS
_VERSION = 1
_PIECE = 2 << 20
_MAX_LINE = 1 << 16
_CHUNK_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class BinaryRows:
    """Rows of 40 int32: target, counts, ids.

    Attributes:
        where: the file.
        count: rows.
        max_ind_range: ids are taken modulo this.
    """

    where: Path
    count: int
    max_ind_range: int
    dense: int = DENSE
    hots: tuple[int, ...] = (1,) * SPARSE

    def read(self, start: int, stop: int) -> Rows:
        """Rows with ``log(count + 1)`` as dense values."""
        raw = self._raw(start, stop)
        with np.errstate(invalid="ignore", divide="ignore"):
            dense = np.log(raw[:, 1 : 1 + DENSE].astype(np.float32) + 1)
        ids = np.remainder(raw[:, 1 + DENSE :], self.max_ind_range, dtype=np.int32)
        return Rows(dense, ids, raw[:, 0].astype(np.float32))

    def targets(self) -> Numbers:
        """Targets of all rows, read a piece at a time."""
        found = np.empty(self.count, np.float32)
        for start in range(0, self.count, _CHUNK_ROWS):
            stop = min(start + _CHUNK_ROWS, self.count)
            found[start:stop] = self._raw(start, stop)[:, 0]
        return found

    def _raw(self, start: int, stop: int) -> NDArray[np.int32]:
        flat = np.fromfile(self.where, "<i4", (stop - start) * COLUMNS, offset=start * ROW_BYTES)
        if len(flat) != (stop - start) * COLUMNS:
            raise InvalidInputError("the file became shorter", where=self.where, expected=f"{self.count:,} rows")
        return flat.reshape(-1, COLUMNS)


def open_binary(path: Path, max_ind_range: int) -> BinaryRows:
    """Open ``terabyte_processed_test.bin``.

    Raises:
        InvalidInputError: when it does not consist of whole rows.
    """
    size = path.stat().st_size
    if size == 0 or size % ROW_BYTES:
        raise InvalidInputError(
            "the file does not consist of whole rows",
            where=path,
            expected=f"a multiple of {ROW_BYTES} bytes (40 values of 4 bytes)",
            found=f"{size:,} bytes",
        )
    return BinaryRows(path, size // ROW_BYTES, max_ind_range)


def open_text(path: Path, pairs: int | None, max_ind_range: int, *, cache: Path, progress: Progress) -> BinaryRows:
    """Open ``day_23``: turned into binary rows once, then read from those.

    Args:
        path: the text.
        pairs: rows that are wanted; None for the first half of the file.
        max_ind_range: ids are taken modulo this.
        cache: folder for prepared data.
        progress: told while the text is read.

    Raises:
        InvalidInputError: for a line that is none of the logs, or fewer rows than wanted.
        MachineError: when the disk is full.
    """
    status = path.stat()
    pairs = pairs or -(-_count_lines(path) // 2)
    key = f"criteo-{status.st_size:x}-{status.st_mtime_ns:x}-{pairs}-{max_ind_range}-v{_VERSION}"
    home = cache / "recommendation" / f"{key}.bin"
    with locked(cache / "recommendation" / f"{key}.lock"):
        if not home.is_file() or home.stat().st_size != pairs * ROW_BYTES:
            require_space(home.parent, pairs * ROW_BYTES)
            with atomic_path(home) as temporary:
                _convert(path, pairs, max_ind_range, temporary, progress)
    return BinaryRows(home, pairs, max_ind_range)


def _convert(path: Path, pairs: int, max_ind_range: int, target: Path, progress: Progress) -> None:
    step = progress.start("prepare samples", total=pairs, unit="pairs")
    done, rest = 0, b""
    try:
        with path.open("rb") as stream, target.open("wb") as out:
            while done < pairs and (piece := stream.read(_PIECE)):
                cut = piece.rfind(b"\n") + 1
                if cut:
                    done += _write(rest + piece[:cut], done, pairs, max_ind_range, path, out.fileno())
                rest = piece[cut:] if cut else rest + piece
                if len(rest) > _MAX_LINE:
                    raise InvalidInputError(
                        "not a row of the click logs",
                        where=f"{path}:{done + 1}",
                        expected=f"a line of at most {_MAX_LINE:,} bytes",
                        found="a longer one",
                    )
                step.update(done=done)
            if done < pairs and rest:
                done += _write(rest + b"\n", done, pairs, max_ind_range, path, out.fileno())
    finally:
        step.finish()
    if done < pairs:
        raise InvalidInputError(
            "the data has fewer rows than the samples need",
            where=path,
            expected=f"{pairs:,} rows",
            found=f"{done:,}",
            hint="the download or unpacking was cut off, or the trace belongs to other data",
        )


def _write(block: bytes, done: int, pairs: int, max_ind_range: int, path: Path, out: int) -> int:
    rows = parse_lines(block, path, done, max_ind_range, most=pairs - done)
    data = memoryview(rows.tobytes())
    while data:
        data = data[os.write(out, data) :]
    return len(rows)


def _count_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            lines += piece.count(b"\n")
            last = piece[-1:]
    return lines + (last != b"\n")

"""Criteo Terabyte, day 23: as text for DLRM (v2.0 to v3.0), and as multi-hot arrays for DLRMv2 (v3.1)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from assay.assets.layouts.common import Checked, checked, need_file, need_folder
from assay.errors import InvalidInputError

# harness-spec, section 7: the first half of day 23 in samples of 100 to 700 pairs.
SAMPLES = 330_067
PAIRS = 89_137_319
ROWS = 178_274_637
DENSE, SPARSE = 13, 26
TRACE = "dlrm_trace_of_aggregated_samples.txt"
_MAX_LINES, _MAX_LINE = 1_000_000, 4_096
_HINT = f"put day_23 (gunzip day_23.gz of the Criteo Terabyte click logs) and {TRACE} (Zenodo record 3941795) into one folder"
_MULTIHOT_HINT = "put day_23_dense.npy, day_23_labels.npy and day_23_sparse_multi_hot.npz of Criteo's data for MLPerf into one folder"


def check_criteo(path: Path, partial: bool) -> Checked:
    """Criteo for DLRM: ``day_23`` of 40 columns with tabs, or ``terabyte_processed_test.bin``, and the trace of samples.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    trace = need_file(path / TRACE, _HINT)
    samples, pairs = read_trace(trace)
    text, binary = path / "day_23", path / "terabyte_processed_test.bin"
    if not text.is_file() and not binary.is_file():
        raise InvalidInputError("day_23 is missing", where=path, hint=_HINT)
    found = checked(path, samples, SAMPLES, what="samples", where=trace, partial=partial, hint=_HINT)
    if not found.partial and pairs != PAIRS:
        raise InvalidInputError("another trace", where=trace, expected=f"{PAIRS:,} pairs", found=f"{pairs:,}")
    if text.is_file():
        _check_text(text, pairs)
    else:
        width = 4 * (1 + DENSE + SPARSE)
        if binary.stat().st_size % width or binary.stat().st_size < pairs * width:
            raise InvalidInputError(
                "not the samples of the trace", where=binary, expected=f"at least {pairs:,} rows of {width} bytes"
            )
    return found


def read_trace(path: Path) -> tuple[int, int]:
    """Number of samples and of pairs of a trace of aggregated samples, lines ``start, end, size`` without gaps.

    Raises:
        InvalidInputError: for a line that is none, or does not go on where the one before ended.
    """
    position = number = 0
    with path.open("rb") as stream:
        while line := stream.readline(_MAX_LINE):
            parts = line.decode("utf-8", "replace").strip().split(",")
            values = [int(part) for part in parts if part.strip().isascii() and part.strip().isdigit()]
            if (
                len(parts) != 3
                or len(values) != 3
                or values[0] != position
                or values[1] - values[0] != values[2]
                or values[2] < 1
            ):
                raise InvalidInputError(
                    "not the next line `start, end, size` of a trace",
                    where=f"{path}:{number + 1}",
                    expected=f"{position}, END, SIZE",
                    found=line.decode("utf-8", "replace").strip()[:60],
                )
            position, number = values[1], number + 1
            if number > _MAX_LINES:
                raise InvalidInputError("the trace is too long", where=path, expected=f"at most {_MAX_LINES:,} lines")
    return number, position


def _check_text(path: Path, pairs: int) -> None:
    """The first line's columns, and that there is room for so many rows; counting 45 GB would take minutes."""
    with path.open("rb") as stream:
        line = stream.readline(_MAX_LINE)
    columns = line.rstrip(b"\n").split(b"\t")
    if len(columns) != 1 + DENSE + SPARSE or columns[0] not in (b"0", b"1"):
        raise InvalidInputError(
            "not a row of the click logs",
            where=f"{path}:1",
            expected="40 columns with tabs between, the first 0 or 1",
            found=f"{len(columns)} columns",
        )
    if path.stat().st_size < pairs * (2 * (DENSE + SPARSE) // 2 + 2):
        raise InvalidInputError("the file is too short for the trace", where=path, expected=f"{pairs:,} rows")


def check_criteo_multihot(path: Path, partial: bool) -> Checked:
    """Criteo for DLRMv2: dense ``[rows, 13]``, labels ``[rows, 1]``, and 26 multi-hot arrays ``[rows, hots]``.

    Samples are counted in user-item pairs of the first half, as LoadGen's samples are cut from them.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _MULTIHOT_HINT)
    dense = need_file(path / "day_23_dense.npy", _MULTIHOT_HINT)
    labels = need_file(path / "day_23_labels.npy", _MULTIHOT_HINT)
    sparse = need_file(path / "day_23_sparse_multi_hot.npz", _MULTIHOT_HINT)
    rows = _shape(dense, DENSE)
    for found, file in ((_shape(labels, 1), labels), (_sparse_rows(sparse), sparse)):
        if found != rows:
            raise InvalidInputError("another number of rows", where=file, expected=f"{rows:,}", found=f"{found:,}")
    if rows == ROWS:
        return Checked(path, SAMPLES, partial=False)
    return checked(path, rows, ROWS, what="rows", where=dense, partial=partial, hint=_MULTIHOT_HINT)


def _shape(path: Path, width: int) -> int:
    with path.open("rb") as stream:
        return _rows(stream, path, width)


def _sparse_rows(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as zipped:
            names = zipped.namelist()
            wanted = [f"{number}.npy" for number in range(SPARSE)]
            if sorted(names) != sorted(wanted):
                raise InvalidInputError("not the 26 arrays 0.npy to 25.npy", where=path, found=f"{len(names)} members")
            rows = set()
            for name in wanted:
                with zipped.open(name) as stream:
                    rows.add(_rows(stream, path, None))
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise InvalidInputError(f"the archive is damaged: {error}", where=path) from error
    if len(rows) != 1:
        raise InvalidInputError("the arrays have different numbers of rows", where=path)
    return rows.pop()


def _rows(stream: IO[bytes], path: Path, width: int | None) -> int:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, kind = read(stream, max_header_size=10_000)
    except (ValueError, EOFError) as error:
        raise InvalidInputError(f"no array of NumPy's: {error}", where=path) from error
    shape = shape if len(shape) > 1 else (*shape, 1)
    if len(shape) != 2 or kind.hasobject or (width is not None and shape[1] != width):
        raise InvalidInputError(
            "an array of another shape",
            where=path,
            expected=f"[rows, {width or 'hots'}] of numbers",
            found=f"{list(shape)} of {kind}",
        )
    return int(shape[0])

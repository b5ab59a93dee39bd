"""Criteo's data with synthetic multi-hot ids for DLRMv2 (v3.1): NumPy arrays, read where they lie.

Source: mlcommons/inference v3.1, recommendation/dlrm_v2, multihot_criteo.py: the first half of the rows (rounded up) is
the test set; dense values are in logarithms already and taken as they are.
"""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.recommendation.pairs import Numbers, Rows

DENSE, LABELS, SPARSE = "day_23_dense.npy", "day_23_labels.npy", "day_23_sparse_multi_hot.npz"
_MOST_TABLES = 1024
_LOCAL_HEADER = 30
_MAGIC = b"PK\x03\x04"
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, KeyError, struct.error)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A two-dimensional array in a file, C order.

    Attributes:
        where: the file, which may be an archive.
        name: of the array, for messages.
        offset: of its first value.
    """

    where: Path
    name: str
    offset: int
    rows: int
    width: int
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Some consecutive rows, ``(stop - start, width)``; only these come into memory."""
        begin = self.offset + start * self.width * self.dtype.itemsize
        flat = np.fromfile(self.where, self.dtype, (stop - start) * self.width, offset=begin)
        if len(flat) != (stop - start) * self.width:
            raise InvalidInputError(f"{self.name} is cut off", where=self.where, expected=f"{self.rows:,} rows")
        return flat.reshape(-1, self.width)


@dataclass(frozen=True, slots=True)
class MultihotRows:
    """The first half of the rows of the three files."""

    where: Path
    count: int
    dense: int
    hots: tuple[int, ...]
    numbers: Matrix
    labels: Matrix
    tables: tuple[Matrix, ...]

    def read(self, start: int, stop: int) -> Rows:
        """Rows as they stand, the ids of all tables side by side."""
        ids = np.empty((stop - start, sum(self.hots)), np.int32)
        column = 0
        for table in self.tables:
            ids[:, column : column + table.width] = _as_ids(table.read(start, stop))
            column += table.width
        dense = self.numbers.read(start, stop).astype(np.float32)
        return Rows(dense, ids, self.labels.read(start, stop)[:, 0].astype(np.float32))

    def targets(self) -> Numbers:
        """Targets of all rows."""
        return self.labels.read(0, self.count)[:, 0].astype(np.float32)


def open_multihot(folder: Path) -> MultihotRows:
    """Open the three files of a folder.

    Raises:
        NotFoundError: when one is missing.
        InvalidInputError: when one is no array of the right shape, packed, cut off, or of another number of rows.
    """
    for name in (DENSE, LABELS, SPARSE):
        if not (folder / name).is_file():
            raise NotFoundError(f"{name} is missing", where=folder, expected=f"{DENSE}, {LABELS} and {SPARSE}")
    numbers, labels = _array_file(folder / DENSE), _array_file(folder / LABELS)
    tables = _archive(folder / SPARSE)
    for matrix in (labels, *tables):
        if matrix.rows != numbers.rows:
            raise InvalidInputError(
                f"{matrix.name} has another number of rows than {numbers.name}",
                where=matrix.where,
                expected=f"{numbers.rows:,}",
                found=f"{matrix.rows:,}",
            )
    if numbers.rows < 1:
        raise InvalidInputError("the arrays have no rows", where=folder / DENSE)
    half = numbers.rows // 2 + numbers.rows % 2
    hots = tuple(table.width for table in tables)
    return MultihotRows(folder / DENSE, half, numbers.width, hots, numbers, labels, tables)


def _as_ids(raw: NDArray[Any]) -> NDArray[Any]:
    """Ids that fit into 32 bits; larger ones become one that no table has."""
    return raw if raw.dtype == np.int32 else np.clip(raw, -1, 2**31 - 1)


def _array_file(path: Path) -> Matrix:
    with path.open("rb") as stream:
        return _matrix(stream, path, path.name, 0, path.stat().st_size)


def _archive(path: Path) -> tuple[Matrix, ...]:
    """The arrays 0.npy, 1.npy ... of an archive that is not packed."""
    try:
        with zipfile.ZipFile(path) as zipped, path.open("rb") as stream:
            members = {info.filename: info for info in zipped.infolist()}
            wanted = [f"{number}.npy" for number in range(len(members))]
            if not members or len(members) > _MOST_TABLES or set(members) != set(wanted):
                raise InvalidInputError(
                    "the archive does not hold the arrays 0.npy, 1.npy ...",
                    where=path,
                    found=", ".join(sorted(members)[:5]),
                )
            return tuple(_member(stream, path, members[name]) for name in wanted)
    except _DAMAGE as error:
        raise InvalidInputError(f"the archive is damaged: {error}", where=path) from error


def _member(stream: IO[bytes], path: Path, info: zipfile.ZipInfo) -> Matrix:
    if info.compress_type != zipfile.ZIP_STORED:
        raise InvalidInputError(
            f"{info.filename} is packed, so it cannot be read in part", where=path, hint="save it with numpy.savez"
        )
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL_HEADER)
    if header[:4] != _MAGIC:
        raise InvalidInputError(f"{info.filename} is not where the archive says", where=path)
    name, extra = struct.unpack("<HH", header[26:30])
    begin = info.header_offset + _LOCAL_HEADER + name + extra
    stream.seek(begin)
    matrix = _matrix(stream, path, info.filename, begin, begin + info.file_size)
    if matrix.dtype.kind not in "iu":
        raise InvalidInputError(
            f"{info.filename} holds no whole numbers", where=path, expected="int32", found=str(matrix.dtype)
        )
    return matrix


def _matrix(stream: IO[bytes], path: Path, name: str, begin: int, end: int) -> Matrix:
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream, max_header_size=10_000)
    except (ValueError, EOFError) as error:
        raise InvalidInputError(f"{name} is no array of NumPy's: {error}", where=path) from error
    width = 1 if len(shape) == 1 else shape[-1]
    if len(shape) not in (1, 2) or dtype.kind not in "iuf" or (fortran and min(shape) > 1) or width < 1:
        raise InvalidInputError(
            f"{name} is no plain table of numbers",
            where=path,
            expected="[rows, width] in C order",
            found=f"{list(shape)} of {dtype}{' in Fortran order' if fortran else ''}",
        )
    offset = stream.tell()
    if offset + shape[0] * width * dtype.itemsize > end or offset < begin:
        raise InvalidInputError(
            f"{name} is cut off: its rows are too short", where=path, expected=f"{shape[0]:,} rows of {width}"
        )
    return Matrix(path, name, offset, shape[0], width, dtype)

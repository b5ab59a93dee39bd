"""Tensors where they lie in files, of any size: read when small, copied a piece at a time when large."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError

_PIECE_BYTES = 64 << 20
_MOST_BLOCKS = 4096
ITEM = 4
"""Bytes of float32, the only type that is read."""


@dataclass(frozen=True, slots=True)
class Block:
    """Part of a tensor in a file, float32 in C order.

    Attributes:
        offset: of its first value.
        row: first row in the tensor.
        column: first column.
    """

    file: Path
    offset: int
    row: int
    column: int
    rows: int
    columns: int

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return ITEM * self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in files.

    Attributes:
        shape: of the tensor; further dimensions than the first count as columns.
        blocks: its parts.
    """

    shape: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> int:
        """First dimension."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """All other dimensions."""
        return math.prod(self.shape[1:])

    @property
    def nbytes(self) -> int:
        """Its size."""
        return ITEM * math.prod(self.shape)


Tensors = Mapping[str, Stored]


def check_stored(name: str, stored: Stored) -> None:
    """Check that the blocks make up the whole tensor, each value once, and lie in their files.

    Raises:
        InvalidInputError: naming the tensor.
    """
    blocks = stored.blocks
    where = blocks[0].file if blocks else None
    if not stored.shape or min(stored.shape) < 1 or not 0 < len(blocks) <= _MOST_BLOCKS:
        raise InvalidInputError(f"tensor {name!r} has no values, or too many parts", where=where)
    for block in blocks:
        inside = (
            min(block.row, block.column, block.offset) >= 0
            and min(block.rows, block.columns) >= 1
            and block.row + block.rows <= stored.rows
            and block.column + block.columns <= stored.columns
        )
        if not inside:
            raise InvalidInputError(f"a part of tensor {name!r} lies outside of it", where=block.file)
        if not block.file.is_file() or block.offset + block.nbytes > block.file.stat().st_size:
            raise InvalidInputError(f"tensor {name!r} is cut off", where=block.file)
    area = sum(block.rows * block.columns for block in blocks)
    if area != stored.rows * stored.columns or _overlap(blocks):
        raise InvalidInputError(
            f"the parts of tensor {name!r} do not make it up",
            where=where,
            expected=f"{stored.rows * stored.columns:,} values, each once",
            found=f"{area:,} values in {len(blocks)} parts",
        )


def read_stored(stored: Stored) -> NDArray[np.float32]:
    """A tensor in memory."""
    whole = np.empty((stored.rows, stored.columns), np.float32)
    for rows, columns, values in _pieces(stored):
        whole[rows, columns] = values
    return whole.reshape(stored.shape)


def copy_stored(stored: Stored, target: Path, offset: int) -> None:
    """Copy a tensor into a file that is large enough; what is in memory at once is bounded."""
    whole = np.memmap(target, np.float32, "r+", offset, (stored.rows, stored.columns))
    for rows, columns, values in _pieces(stored):
        whole[rows, columns] = values
    whole.flush()


def _pieces(stored: Stored) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """Rows, columns and values of each piece of each block."""
    for block in stored.blocks:
        step = max(_PIECE_BYTES // (ITEM * block.columns), 1)
        for start in range(0, block.rows, step):
            count = min(step, block.rows - start)
            offset = block.offset + ITEM * start * block.columns
            values = np.fromfile(block.file, "<f4", count * block.columns, offset=offset)
            rows = slice(block.row + start, block.row + start + count)
            yield rows, slice(block.column, block.column + block.columns), values.reshape(count, block.columns)


def _overlap(blocks: tuple[Block, ...]) -> bool:
    ordered = sorted(blocks, key=lambda block: block.row)
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if other.row >= one.row + one.rows:
                break
            if one.column < other.column + other.columns and other.column < one.column + one.columns:
                return True
    return False

"""Pairs in the official layouts, made small."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.tasks.recommendation.groups import TRACE, draw_offsets

HOTS = (3, 2, 1)
ROWS = (50, 40, 30)


def table(pairs: int, seed: int = 0, *, most: int = 100, limits: tuple[int, ...] = ()) -> NDArray[np.int32]:
    """Rows of 40: target, counts, ids; those below ``limits`` where given."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, most, (pairs, 40)).astype(np.int32)
    rows[:, 0] = random.integers(0, 2, pairs)
    if limits:
        rows[:, 14:] %= np.array(limits, np.int32)
    return rows


def text(rows: NDArray[np.int32]) -> str:
    """Rows as lines of the click logs."""
    return "".join(
        "\t".join([*(str(value) for value in row[:14]), *(f"{value:08x}" for value in row[14:])]) + "\n"
        for row in rows.tolist()
    )


def trace(folder: Path, pairs: int) -> None:
    """A trace of the samples that the reference would draw."""
    lines = [f"{start}, {end}, {end - start}\n" for start, end in pairwise(draw_offsets(pairs).tolist())]
    (folder / TRACE).write_text("".join(lines))


def criteo_text(folder: Path, pairs: int = 1000, *, spare: int = 50, limits: tuple[int, ...] = ()) -> Path:
    """``day_23`` with some rows more than the samples take."""
    (folder / "day_23").write_text(text(table(pairs + spare, limits=limits)))
    trace(folder, pairs)
    return folder


def criteo_binary(folder: Path, pairs: int = 1000, *, limits: tuple[int, ...] = ()) -> Path:
    """``terabyte_processed_test.bin``."""
    (folder / "terabyte_processed_test.bin").write_bytes(table(pairs, limits=limits).tobytes())
    trace(folder, pairs)
    return folder


def criteo_multihot(
    folder: Path, rows: int = 2000, *, hots: tuple[int, ...] = HOTS, limits: tuple[int, ...] = ROWS
) -> Path:
    """The three arrays; the second half of the rows is no part of the benchmark."""
    random = np.random.default_rng(1)
    np.save(folder / "day_23_dense.npy", random.uniform(0, 9, (rows, 13)).astype(np.float32))
    np.save(folder / "day_23_labels.npy", random.integers(0, 2, (rows, 1), np.int32))
    tables = {
        str(n): random.integers(0, most, (rows, width), np.int32)
        for n, (width, most) in enumerate(zip(hots, limits, strict=True))
    }
    np.savez(folder / "day_23_sparse_multi_hot.npz", **tables)  # type: ignore[arg-type]
    return folder

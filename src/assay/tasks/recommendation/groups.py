"""How user-item pairs are cut into LoadGen's samples: groups of 100 to 700 consecutive pairs.

Source: mlcommons/inference v3.1, recommendation/dlrm and dlrm_v2, criteo.py and tools/dist_quantile.txt; the reference
trace is Zenodo record 3941795.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError, NotFoundError

TRACE = "dlrm_trace_of_aggregated_samples.txt"
SEED = 123
"""``--numpy-rand-seed`` of the reference."""

QUANTILE = (100,) * 2 + (200,) * 12 + (300,) * 2 + (400, 500, 600, 700)
"""Sizes by twentieths of their distribution; the mean is 270."""

Offsets = NDArray[np.int64]
"""Where each sample begins, and where the last ends: shape ``(samples + 1,)``, beginning with 0."""

_MOST_SAMPLES, _MAX_LINE = 1_000_000, 4_096


def draw_offsets(pairs: int, *, seed: int = SEED) -> Offsets:
    """Cut pairs as the reference does: sizes drawn from the quantile table until the pairs are used up.

    The last sample takes what is left.

    Raises:
        InvalidInputError: when there are no pairs.
    """
    if pairs < 1:
        raise InvalidInputError("there are no user-item pairs to make samples of")
    # A legacy generator because the official sizes are its stream; drawn at once it gives the same numbers.
    random = np.random.RandomState(seed)
    most = -(-pairs // min(QUANTILE))
    ends = np.cumsum(np.asarray(QUANTILE, np.int64)[random.randint(0, len(QUANTILE), most)])
    count = int(np.searchsorted(ends, pairs)) + 1
    offsets = np.concatenate([[0], ends[:count]]).astype(np.int64)
    offsets[-1] = pairs
    return offsets


def read_offsets(path: Path) -> Offsets:
    """Read a trace of aggregated samples: lines ``start, end, size``.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: for a line that is none, or does not go on where the one before ended.
    """
    ends = [0]
    try:
        with path.open("rb") as stream:
            while line := stream.readline(_MAX_LINE):
                ends.append(_end(path, len(ends), line, ends[-1]))
    except FileNotFoundError as error:
        raise NotFoundError("the trace of aggregated samples is missing", where=path) from error
    if len(ends) == 1:
        raise InvalidInputError("the trace has no samples", where=path)
    return np.array(ends, np.int64)


def _end(path: Path, number: int, line: bytes, begin: int) -> int:
    text = line.decode("ascii", "replace").strip()
    parts = [part.strip() for part in text.split(",")]
    values = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19]
    if len(parts) != 3 or len(values) != 3 or values[0] != begin or values[1] - begin != values[2] or values[2] < 1:
        raise InvalidInputError(
            "not the next line `start, end, size` of the trace",
            where=f"{path}:{number}",
            expected=f"{begin}, END, SIZE",
            found=text[:60],
        )
    if number > _MOST_SAMPLES:
        raise InvalidInputError("the trace is too long", where=path, expected=f"at most {_MOST_SAMPLES:,} samples")
    return values[1]

"""Answers to LoadGen without making an object per sample.

``QuerySampleResponse`` objects are made once. For rows of one size each is tied to its row of one buffer: completing a
batch copies the batch's rows and sets the ids. Responses of different size are handed over where they lie; LoadGen has
copied what it wants of them when ``QuerySamplesComplete`` returns. A batch larger than the pool is answered in pieces:
LoadGen waits for ever for a sample that is never answered.
"""

from __future__ import annotations

from collections.abc import Sequence

import mlperf_loadgen as lg
import numpy as np

from assay.base.tensors import Array
from assay.errors import RunFailedError
from assay.tasks.protocol import Counted, Parted, Responses

_POOL = 4096
_NOTHING = np.empty(0, np.uint8)


class ResponsePool:
    """Reusable responses; used by one thread at a time.

    Args:
        capacity: responses handed to LoadGen in one call, at most.
        first_tokens: LoadGen is told the first token of each sample, too, and asks for it before its answer.
    """

    def __init__(self, capacity: int = _POOL, *, first_tokens: bool = False) -> None:
        self._first_tokens = first_tokens
        self._capacity = max(1, capacity)
        self._row_bytes = -1
        self._buffer = np.zeros((0, 0), np.uint8)
        self._pool: list[lg.QuerySampleResponse] = []
        self._loose: list[lg.QuerySampleResponse] = []
        self._parted: Array = self._buffer
        self._place = self._width = 0
        self._empty = [lg.QuerySampleResponse(0, 0, 0) for _ in range(self._capacity)]

    def complete(self, ids: list[int], responses: Responses) -> None:
        """Answer ``ids`` with the first ``len(ids)`` responses.

        Raises:
            RunFailedError: when there are fewer responses than samples, or one is no plain array; those ids that were
                not answered before stay unanswered.
        """
        if isinstance(responses, Parted):
            self._complete_parts(ids, responses)
            return
        if not isinstance(responses, np.ndarray):
            self._complete_arrays(ids, responses)
            return
        rows = rows_of(responses)
        count = len(ids)
        have, width = rows.shape
        if have < count:
            raise _too_few(count, have)
        row_bytes = rows.itemsize * width
        if row_bytes != self._row_bytes:
            self._reserve(row_bytes)
        if count == 1:
            self._buffer[0] = rows[:1].view(np.uint8)[0]
            response = self._pool[0]
            response.id = ids[0]
            lg.QuerySamplesComplete([response])
            return
        raw = rows[:count].view(np.uint8)
        for start in range(0, count, self._capacity):
            part = ids[start : start + self._capacity]
            size = len(part)
            self._buffer[:size] = raw[start : start + size]
            self._send(self._pool, part)

    def begin(self, sample_id: int, token: Array) -> None:
        """Tell the first token of a sample, whose time is now."""
        kept = _plain(token)
        response = self._loose_ones(1)[0]
        response.id = sample_id
        response.data = kept.ctypes.data if kept.nbytes else 0
        response.size = kept.nbytes
        lg.FirstTokenComplete([response])

    def complete_empty(self, ids: list[int]) -> None:
        """Answer ``ids`` with nothing, to let LoadGen come to its end after a failure or an interrupt."""
        if self._first_tokens:
            # LoadGen looks for the first token of every sample that it logs, and in the end falls over one that is not there.
            for sample_id in ids:
                self.begin(sample_id, _NOTHING)
        for start in range(0, len(ids), self._capacity):
            self._send(self._empty, ids[start : start + self._capacity])

    def _complete_parts(self, ids: list[int], parted: Parted) -> None:
        if len(parted.ends) < len(ids):
            raise _too_few(len(ids), len(parted.ends))
        rows = parted.rows
        if rows is not self._parted:
            # Asking an array for its address takes 7 us between two calls of an engine; pipelines use one array again.
            rows = _plain(rows)
            self._parted, self._place = rows, rows.ctypes.data
            self._width = rows.nbytes // max(len(rows), 1)
        if parted.ends[len(ids) - 1] > len(rows):
            raise RunFailedError(
                "the parts of a response end behind it",
                expected=f"{len(rows)} rows",
                found=str(parted.ends[len(ids) - 1]),
            )
        place, width, start = self._place, self._width, 0
        for first in range(0, len(ids), self._capacity):
            part = ids[first : first + self._capacity]
            pool = self._loose_ones(len(part))
            for response, sample_id, end in zip(pool, part, parted.ends[first : first + len(part)], strict=True):
                response.id = sample_id
                response.data = place + start * width if end > start else 0
                response.size = (end - start) * width
                start = end
            lg.QuerySamplesComplete(pool)

    def _loose_ones(self, count: int) -> list[lg.QuerySampleResponse]:
        self._loose += [lg.QuerySampleResponse(0, 0, 0) for _ in range(count - len(self._loose))]
        return self._loose if count == len(self._loose) else self._loose[:count]

    def _complete_arrays(self, ids: list[int], arrays: Sequence[Array]) -> None:
        if len(arrays) < len(ids):
            raise _too_few(len(ids), len(arrays))
        # All are looked at before the first is sent: a batch is answered whole or not at all.
        kept = [_plain(array) for array in arrays[: len(ids)]]
        counts = arrays.counts if isinstance(arrays, Counted) else ()
        for start in range(0, len(ids), self._capacity):
            part = ids[start : start + self._capacity]
            pool = self._loose_ones(len(part))
            for response, sample_id, array in zip(pool, part, kept[start : start + len(part)], strict=True):
                response.id = sample_id
                response.data = array.ctypes.data if array.nbytes else 0
                response.size = array.nbytes
            for response, count in zip(pool, counts[start : start + len(part)], strict=False):
                response.n_tokens = count
            lg.QuerySamplesComplete(pool)

    def _send(self, pool: list[lg.QuerySampleResponse], ids: list[int]) -> None:
        for response, sample_id in zip(pool, ids, strict=False):
            response.id = sample_id
        lg.QuerySamplesComplete(pool if len(ids) == self._capacity else pool[: len(ids)])

    def _reserve(self, row_bytes: int) -> None:
        self._row_bytes = row_bytes
        self._buffer = np.zeros((self._capacity, row_bytes), np.uint8)
        base = self._buffer.ctypes.data if row_bytes else 0
        self._pool = [lg.QuerySampleResponse(0, base + i * row_bytes, row_bytes) for i in range(self._capacity)]


def rows_of(outputs: Array) -> Array:
    """Response rows as a C-contiguous two-dimensional array."""
    rows = outputs if outputs.ndim == 2 else outputs.reshape(len(outputs), -1)
    return np.ascontiguousarray(rows)


def _too_few(samples: int, responses: int) -> RunFailedError:
    return RunFailedError(
        "the model gave another number of responses than it got samples",
        expected=f"{samples} responses",
        found=str(responses),
    )


def _plain(array: Array) -> Array:
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        found = str(array.dtype) if isinstance(array, np.ndarray) else type(array).__name__
        raise RunFailedError("a response is no array of plain values", found=found)
    return np.ascontiguousarray(array)

"""Answers to LoadGen without making an object per sample.

``QuerySampleResponse`` objects are made once, each tied to its row of one buffer; completing a batch copies the
batch's rows and sets the ids. A batch larger than the pool is answered in pieces: LoadGen waits for ever for a sample
that is never answered.
"""

from __future__ import annotations

import mlperf_loadgen as lg
import numpy as np

from assay.base.tensors import Array

_POOL = 4096


class ResponsePool:
    """Reusable responses; used by one thread at a time.

    Args:
        capacity: responses handed to LoadGen in one call, at most.
    """

    def __init__(self, capacity: int = _POOL) -> None:
        self._capacity = max(1, capacity)
        self._row_bytes = -1
        self._buffer = np.zeros((0, 0), np.uint8)
        self._pool: list[lg.QuerySampleResponse] = []
        self._empty = [lg.QuerySampleResponse(0, 0, 0) for _ in range(self._capacity)]

    def complete(self, ids: list[int], rows: Array) -> None:
        """Answer ``ids`` with the first ``len(ids)`` rows of ``rows``, a C-contiguous ``(n, k)`` array."""
        count = len(ids)
        row_bytes = rows.itemsize * rows.shape[1]
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

    def complete_empty(self, ids: list[int]) -> None:
        """Answer ``ids`` with nothing, to let LoadGen come to its end after a failure or an interrupt."""
        for start in range(0, len(ids), self._capacity):
            self._send(self._empty, ids[start : start + self._capacity])

    def _send(self, pool: list[lg.QuerySampleResponse], ids: list[int]) -> None:
        for response, sample_id in zip(pool, ids, strict=False):
            response.id = sample_id
        lg.QuerySamplesComplete(pool if len(ids) == self._capacity else pool[: len(ids)])

    def _reserve(self, row_bytes: int) -> None:
        self._row_bytes = row_bytes
        self._buffer = np.zeros((self._capacity, row_bytes), np.uint8)
        base = self._buffer.ctypes.data
        self._pool = [lg.QuerySampleResponse(0, base + i * row_bytes, row_bytes) for i in range(self._capacity)]

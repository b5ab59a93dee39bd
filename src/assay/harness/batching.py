"""Batches out of a queue of queries: as many as are waiting, or as come before a deadline."""

from __future__ import annotations

import queue
from time import perf_counter_ns

Work = tuple[list[int], list[int], int]
"""A query: response ids, sample indices, arrival (``perf_counter_ns``)."""

Batch = tuple[list[int], list[int], list[int]]
"""Several queries: response ids, sample indices, arrival of each query."""


class Collector:
    """Takes queries off a queue, a batch at a time; one for each worker.

    What is already waiting is taken at once. Only when the batch is not full then does it wait, until the oldest query
    has waited ``wait_ns``; a deadline of 0 never waits.

    Args:
        source: the queue; ``None`` in it ends the collector.
        batch_size: samples in a batch, at most; a query that is larger alone makes a batch.
        wait_ns: longest wait of the oldest query.
    """

    def __init__(self, source: queue.SimpleQueue[Work | None], batch_size: int, wait_ns: int) -> None:
        self._source = source
        self._size = batch_size
        self._wait_ns = wait_ns
        self._held: Work | None = None
        self._ended = False

    def next(self) -> Batch | None:
        """The next batch; None after the end of the queue."""
        first = self._held or (None if self._ended else self._source.get())
        self._held = None
        if first is None:
            return None
        ids, indices, arrival = first
        if len(ids) >= self._size:
            return ids, indices, [arrival]
        ids, indices, arrivals = list(ids), list(indices), [arrival]
        deadline = arrival + self._wait_ns
        while len(ids) < self._size:
            work = self._take(deadline)
            if work is None:
                break
            if len(ids) + len(work[0]) > self._size:
                self._held = work
                break
            ids += work[0]
            indices += work[1]
            arrivals.append(work[2])
        return ids, indices, arrivals

    def _take(self, deadline: int) -> Work | None:
        try:
            work = self._source.get_nowait()
        except queue.Empty:
            left = deadline - perf_counter_ns()
            if left <= 0:
                return None
            try:
                work = self._source.get(timeout=left / 1e9)
            except queue.Empty:
                return None
        if work is None:
            self._ended = True
        return work

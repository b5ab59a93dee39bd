"""Batches: cut out of a large query, or collected out of a queue of small ones.

Samples of different size are limited by their work as well as by their number, and a large query is answered in order
of size, so that samples of about one size share a batch and little of it is padding. The largest come first: memory then
grows to its peak at the beginning, and the streams end at about the same time because only small batches are left.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

Work = tuple[list[int], list[int], int]
"""A query: response ids, sample indices, arrival (``perf_counter_ns``)."""

Batch = tuple[list[int], list[int], list[int]]
"""Several queries: response ids, sample indices, arrival of each query."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What a batch holds at most.

    Attributes:
        size: samples.
        work: sum of their sizes, 0 for no limit; a larger sample makes a batch by itself.
        sizes: size of each sample of the dataset, ``(count,)``; None when all are equal.
    """

    size: int
    work: int = 0
    sizes: NDArray[np.int64] | None = None

    def order(self, ids: list[int], indices: list[int]) -> tuple[list[int], list[int]]:
        """A query's samples as they are answered: the largest first, equal ones as they came."""
        if self.sizes is None or len(ids) < 2:
            return ids, indices
        order = np.argsort(-self.sizes[indices], kind="stable").tolist()
        return [ids[i] for i in order], [indices[i] for i in order]

    def end(self, indices: Sequence[int], start: int) -> int:
        """Where the batch ends that begins at ``start``."""
        last = min(start + self.size, len(indices))
        if not self.work or self.sizes is None or last - start == 1:
            return last
        reached = np.cumsum(self.sizes[indices[start:last]])
        return start + max(1, int(np.searchsorted(reached, self.work, side="right")))

    def ends(self, indices: Sequence[int]) -> list[int]:
        """Where the batches of a query end, one after the other; for long queries a tenth of the time of :meth:`end`."""
        total = len(indices)
        if not self.work or self.sizes is None:
            return [*range(self.size, total, self.size), *([total] if total else [])]
        weights = self.sizes[indices]
        reached = np.cumsum(weights)
        # The end by work of a batch that begins at each place; then by number, and at least one sample.
        ends = np.searchsorted(reached, reached - weights + self.work, side="right")
        places = np.arange(total)
        farthest = np.minimum(np.clip(ends, places + 1, places + self.size), total).tolist()
        found, start = [], 0
        while start < total:
            start = farthest[start]
            found.append(start)
        return found

    def work_of(self, indices: Sequence[int]) -> int:
        """Work of some samples; 0 where there is no limit."""
        if not self.work or self.sizes is None:
            return 0
        if len(indices) == 1:
            return int(self.sizes.item(indices[0]))
        return int(self.sizes[indices].sum())


class Collector:
    """Takes queries off a queue, a batch at a time; one for each worker.

    What is already waiting is taken at once. Only when the batch is not full then does it wait, until the oldest query
    has waited ``wait_ns``; a deadline of 0 never waits.

    Args:
        source: the queue; ``None`` in it ends the collector.
        limits: of a batch; a query that is larger alone makes a batch.
        wait_ns: longest wait of the oldest query.
    """

    def __init__(self, source: queue.SimpleQueue[Work | None], limits: BatchLimits, wait_ns: int) -> None:
        self._source = source
        self._limits = limits
        self._wait_ns = wait_ns
        self._held: Work | None = None
        self._ended = False

    def next(self) -> Batch | None:
        """The next batch; None after the end of the queue."""
        first = self._held or (None if self._ended else self._source.get())
        self._held = None
        if first is None:
            return None
        limits = self._limits
        ids, indices, arrival = first
        if len(ids) >= limits.size:
            return ids, indices, [arrival]
        load = limits.work_of(indices)
        ids, indices, arrivals = list(ids), list(indices), [arrival]
        deadline = arrival + self._wait_ns
        while len(ids) < limits.size and (not limits.work or load < limits.work):
            work = self._take(deadline)
            if work is None:
                break
            more = limits.work_of(work[1])
            if len(ids) + len(work[0]) > limits.size or (limits.work and load + more > limits.work):
                self._held = work
                break
            ids += work[0]
            indices += work[1]
            arrivals.append(work[2])
            load += more
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

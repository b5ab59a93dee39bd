"""The system under test: LoadGen's queries in, answers out. The hot path of the harness.

SingleStream, MultiStream and Offline with one stream are answered in LoadGen's own thread, which costs least. Server,
and Offline with several streams, go through a queue to worker threads.

An exception must never reach LoadGen (the process would be aborted): a failing engine puts the SUT into draining, in
which every query is answered at once with nothing so that LoadGen ends in order; the run is then marked as failed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from time import perf_counter_ns

import numpy as np

from assay.base.tensors import Array
from assay.harness.batching import Collector, Work
from assay.harness.meter import Meter
from assay.harness.pinning import pin_thread
from assay.harness.responses import ResponsePool
from assay.harness.samples import SampleStore

Infer = Callable[[Sequence[Array]], Array]
"""From model inputs to response rows: the engine's stream and the task's post-processing together."""


class Sut:
    """What both kinds share: failure, draining and counting.

    Args:
        store: the loaded samples.
        batch_size: samples the engine gets at once, at most.
        meter: told what was issued and done.
        fixed_batch: fill every batch up to ``batch_size``: the engine is slow on sizes it has not met.
    """

    def __init__(self, store: SampleStore, batch_size: int, meter: Meter, *, fixed_batch: bool = False) -> None:
        self.store = store
        self.batch_size = batch_size
        self.meter = meter
        self.fixed_batch = fixed_batch
        self.failure: BaseException | None = None
        self.draining = False

    def drain(self) -> None:
        """From now on answer every query at once with nothing."""
        self.draining = True

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """LoadGen's call with one query."""
        raise NotImplementedError

    def flush(self) -> None:
        """LoadGen's call after the last query."""

    def close(self) -> None:
        """End worker threads."""

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
        self.draining = True

    def _padded(self, indices: list[int]) -> list[int]:
        missing = self.batch_size - len(indices)
        return indices + [indices[-1]] * missing if self.fixed_batch and missing > 0 else indices


class InlineSut(Sut):
    """Answers in LoadGen's thread."""

    def __init__(
        self, store: SampleStore, batch_size: int, meter: Meter, infer: Infer, *, fixed_batch: bool = False
    ) -> None:
        super().__init__(store, batch_size, meter, fixed_batch=fixed_batch)
        self._infer = infer
        self._responses = ResponsePool(max(batch_size, 1024))

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Run the query's samples in batches."""
        started = perf_counter_ns()
        meter = self.meter
        count = len(ids)
        meter.issued += count
        try:
            if count == 1 and not self.draining:
                self._responses.complete(ids, self._infer(self.store.one(indices[0])))
            else:
                self._run_batches(ids, indices)
        except BaseException as error:  # noqa: BLE001 - nothing may pass into LoadGen's C++ thread
            self._fail(error)
            # Samples already answered may not be answered again, so the batches keep count of where they are.
            self._responses.complete_empty(ids[meter.done_in_query :])
        meter.query_done(count, perf_counter_ns() - started)

    def _run_batches(self, ids: list[int], indices: list[int]) -> None:
        size, meter = self.batch_size, self.meter
        for start in range(0, len(ids), size):
            if self.draining:
                self._responses.complete_empty(ids[start:])
                meter.done_in_query = len(ids)
                return
            rows = self._infer(self.store.batch(self._padded(indices[start : start + size])))
            part = ids[start : start + size]
            self._responses.complete(part, rows)
            meter.done_in_query = start + len(part)


class QueuedSut(Sut):
    """Answers from worker threads, one for each stream.

    Args:
        infers: one way into the engine per worker.
        wait_ns: longest time a query waits for others to fill its batch.
        cores: cores each worker is pinned to; empty for no pinning.
        split: cut large queries into batches (Offline) instead of collecting small ones (Server).
    """

    def __init__(
        self,
        store: SampleStore,
        batch_size: int,
        meter: Meter,
        infers: Sequence[Infer],
        *,
        wait_ns: int = 0,
        cores: Sequence[frozenset[int]] = (),
        split: bool = False,
        fixed_batch: bool = False,
    ) -> None:
        super().__init__(store, batch_size, meter, fixed_batch=fixed_batch)
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._split = split
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(infer, wait_ns, cores[number] if number < len(cores) else frozenset()),
                name=f"stream-{number}",
                daemon=True,
            )
            for number, infer in enumerate(infers)
        ]
        for thread in self._threads:
            thread.start()

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Put the query into the queue."""
        now = perf_counter_ns()
        self.meter.issued += len(ids)
        if not self._split:
            self._queue.put((ids, indices, now))
            return
        size = self.batch_size
        for start in range(0, len(ids), size):
            self._queue.put((ids[start : start + size], indices[start : start + size], now))

    def close(self) -> None:
        """End the workers after what is queued."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    def _work(self, infer: Infer, wait_ns: int, cores: frozenset[int]) -> None:
        pin_thread(cores)
        responses = ResponsePool(max(self.batch_size, 1024))
        collector = Collector(self._queue, self.batch_size, wait_ns)
        while (batch := collector.next()) is not None:
            ids, indices, arrivals = batch
            self._answer(infer, responses, ids, indices)
            self._count(arrivals, len(ids))

    def _answer(self, infer: Infer, responses: ResponsePool, ids: list[int], indices: list[int]) -> None:
        done, size = 0, self.batch_size
        try:
            while done < len(ids) and not self.draining:
                part = indices[done : done + size]
                rows = infer(self.store.batch(self._padded(part)))
                responses.complete(ids[done : done + size], rows)
                done += len(part)
        except BaseException as error:  # noqa: BLE001 - a worker that dies would leave LoadGen waiting for ever
            self._fail(error)
        if done < len(ids):
            responses.complete_empty(ids[done:])

    def _count(self, arrivals: list[int], samples: int) -> None:
        now = perf_counter_ns()
        with self._lock:
            self.meter.batch_done(samples, [now - arrival for arrival in arrivals])


def rows_of(outputs: Array) -> Array:
    """Response rows as a C-contiguous two-dimensional array."""
    rows = outputs if outputs.ndim == 2 else outputs.reshape(len(outputs), -1)
    return np.ascontiguousarray(rows)

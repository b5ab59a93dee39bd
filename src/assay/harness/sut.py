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

from assay.harness.batching import BatchLimits, Collector, Work
from assay.harness.first_tokens import FirstTokens
from assay.harness.meter import Meter
from assay.harness.pinning import pin_thread
from assay.harness.responses import ResponsePool
from assay.harness.samples import Store
from assay.tasks.protocol import Responses, Samples

Infer = Callable[[Samples], Responses]
"""From samples to responses: a task's pipeline with the engine's stream in it."""

Way = Infer | FirstTokens
"""A stream's way into the engine."""


class Sut:
    """What both kinds share: failure, draining and counting.

    Args:
        store: the loaded samples.
        limits: what the engine gets at once, at most.
        meter: told what was issued and done.
        fixed_batch: fill every batch up to its largest size: the engine is slow on sizes it has not met. Batches of
            ragged samples are left to the task's pipeline.

    Attributes:
        failed_queries: queries with samples that were not answered because of the failure.
        failed_samples: those samples.
    """

    def __init__(self, store: Store, limits: BatchLimits, meter: Meter, *, fixed_batch: bool = False) -> None:
        self.store = store
        self.limits = limits
        self.meter = meter
        self.fixed_batch = fixed_batch and not store.ragged
        self.failure: BaseException | None = None
        self.failed_queries = 0
        self.failed_samples = 0
        self.draining = False

    def drain(self) -> None:
        """From now on answer every query at once with nothing."""
        self.draining = True

    def load(self, indices: list[int]) -> None:
        """LoadGen's call before the timed part; samples that cannot be loaded fail the run."""
        try:
            self.store.load(indices)
        except BaseException as error:  # noqa: BLE001 - nothing may pass into LoadGen's C++ thread
            self.fail(error)

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """LoadGen's call with one query."""
        raise NotImplementedError

    def flush(self) -> None:
        """LoadGen's call after the last query."""

    def close(self) -> None:
        """End worker threads."""

    def fail(self, error: BaseException) -> None:
        """The run has failed: answer what is left with nothing, and count it."""
        if self.failure is None:
            self.failure = error
        self.draining = True

    @staticmethod
    def _respond(way: Way, responses: ResponsePool, ids: list[int], samples: Samples) -> None:
        """Answer a batch."""
        if isinstance(way, FirstTokens):
            way.respond(responses, ids, samples)
        else:
            responses.complete(ids, way(samples))

    def _padded(self, indices: list[int]) -> list[int]:
        missing = self.limits.size - len(indices)
        return indices + [indices[-1]] * missing if self.fixed_batch and missing > 0 else indices


class InlineSut(Sut):
    """Answers in LoadGen's thread."""

    def __init__(
        self, store: Store, limits: BatchLimits, meter: Meter, infer: Way, *, fixed_batch: bool = False
    ) -> None:
        super().__init__(store, limits, meter, fixed_batch=fixed_batch)
        self._way = infer
        # One sample alone takes the shortest way.
        self._infer = None if isinstance(infer, FirstTokens) else infer
        self._responses = _pool(limits, infer)

    def issue(self, ids: list[int], indices: list[int]) -> None:
        """Run the query's samples in batches."""
        started = perf_counter_ns()
        meter = self.meter
        count = len(ids)
        meter.issued += count
        try:
            if count == 1 and self._infer is not None and not self.draining:
                self._responses.complete(ids, self._infer(self.store.one(indices[0])))
            else:
                ids, indices = self.limits.order(ids, indices)
                self._run_batches(ids, indices)
        except BaseException as error:  # noqa: BLE001 - nothing may pass into LoadGen's C++ thread
            self.fail(error)
            # Samples already answered may not be answered again, so the batches keep count of where they are.
            self._give_up(ids[meter.done_in_query :])
        meter.query_done(count, perf_counter_ns() - started)

    def close(self) -> None:
        """End the engine's thread, where it has one."""
        if isinstance(self._way, FirstTokens):
            self._way.close()

    def _run_batches(self, ids: list[int], indices: list[int]) -> None:
        meter, start = self.meter, 0
        for end in self.limits.ends(indices):
            if self.draining:
                self._give_up(ids[start:])
                meter.done_in_query = len(ids)
                return
            samples = self.store.batch(self._padded(indices[start:end]))
            self._respond(self._way, self._responses, ids[start:end], samples)
            meter.done_in_query = start = end

    def _give_up(self, ids: list[int]) -> None:
        self._responses.complete_empty(ids)
        if self.failure is not None:
            self.failed_queries += 1
            self.failed_samples += len(ids)


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
        store: Store,
        limits: BatchLimits,
        meter: Meter,
        infers: Sequence[Way],
        *,
        wait_ns: int = 0,
        cores: Sequence[frozenset[int]] = (),
        split: bool = False,
        fixed_batch: bool = False,
    ) -> None:
        super().__init__(store, limits, meter, fixed_batch=fixed_batch)
        self._failed_arrivals: set[int] = set()
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
        ids, indices = self.limits.order(ids, indices)
        start = 0
        for end in self.limits.ends(indices):
            self._queue.put((ids[start:end], indices[start:end], now))
            start = end

    def close(self) -> None:
        """End the workers after what is queued."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    def _work(self, infer: Way, wait_ns: int, cores: frozenset[int]) -> None:
        pin_thread(cores)
        responses = _pool(self.limits, infer)
        collector = Collector(self._queue, self.limits, wait_ns)
        while (batch := collector.next()) is not None:
            ids, indices, arrivals = batch
            done = self._answer(infer, responses, ids, indices)
            if done < len(ids):
                self._give_up(responses, ids[done:], arrivals[done:] or arrivals)
            self._count(arrivals, len(ids))
        if isinstance(infer, FirstTokens):
            infer.close()

    def _answer(self, infer: Way, responses: ResponsePool, ids: list[int], indices: list[int]) -> int:
        """Answer a batch; how many of its samples were."""
        done = 0
        try:
            while done < len(ids) and not self.draining:
                end = self.limits.end(indices, done)
                samples = self.store.batch(self._padded(indices[done:end]))
                self._respond(infer, responses, ids[done:end], samples)
                done = end
        except BaseException as error:  # noqa: BLE001 - a worker that dies would leave LoadGen waiting for ever
            self.fail(error)
        return done

    def _give_up(self, responses: ResponsePool, ids: list[int], arrivals: list[int]) -> None:
        # Counted first: LoadGen may end the test with the last answer.
        if self.failure is not None:
            with self._lock:
                # A large query comes in parts that arrived in the same moment.
                self._failed_arrivals.update(arrivals)
                self.failed_queries = len(self._failed_arrivals)
                self.failed_samples += len(ids)
        responses.complete_empty(ids)

    def _count(self, arrivals: list[int], samples: int) -> None:
        now = perf_counter_ns()
        with self._lock:
            self.meter.batch_done(samples, [now - arrival for arrival in arrivals])


def _pool(limits: BatchLimits, way: Way) -> ResponsePool:
    return ResponsePool(max(limits.size, 1024), first_tokens=isinstance(way, FirstTokens))

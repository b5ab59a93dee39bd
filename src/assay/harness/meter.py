"""Counters of a run under way: written by the hot path, read by the monitor."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

_KEEP = 1 << 16


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at one moment; latencies in nanoseconds, None before the first."""

    issued: int
    done: int
    latencies: array[int]


class Meter:
    """What was issued and done, and the latest latencies (a ring of 65,536).

    Plain attributes and no lock: there is one writer (the queue's workers hold their own lock), and a reader may be a
    query behind.
    """

    __slots__ = ("_next", "_ring", "done_before", "done_in_query", "issued")

    def __init__(self) -> None:
        self.issued = 0
        self.done_before = 0
        self.done_in_query = 0
        self._ring: array[int] = array("q")
        self._next = 0

    def query_done(self, samples: int, latency_ns: int) -> None:
        """A query of the inline SUT is answered."""
        self.done_in_query = 0
        self.done_before += samples
        self._keep(latency_ns)

    def batch_done(self, samples: int, latencies_ns: list[int]) -> None:
        """A batch of queries is answered."""
        self.done_before += samples
        for latency in latencies_ns:
            self._keep(latency)

    def read(self) -> Reading:
        """The counters now."""
        return Reading(self.issued, self.done_before + self.done_in_query, self._ring[:])

    def _keep(self, latency_ns: int) -> None:
        if len(self._ring) < _KEEP:
            self._ring.append(latency_ns)
        else:
            self._ring[self._next] = latency_ns
            self._next = (self._next + 1) % _KEEP

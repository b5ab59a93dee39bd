"""Threads on their own cores, where the system can do that (Linux)."""

from __future__ import annotations

import os
from collections.abc import Sequence


def divide_cores(cores: Sequence[int], streams: int, threads: int) -> list[frozenset[int]]:
    """Cores of each stream: blocks of neighbours, or nothing when there are not enough for ``streams * threads``."""
    share = threads or len(cores) // max(streams, 1)
    if streams < 2 or share < 1 or streams * share > len(cores):
        return []
    return [frozenset(cores[number * share : (number + 1) * share]) for number in range(streams)]


def pin_thread(cores: frozenset[int]) -> None:
    """Pin the calling thread; does nothing for no cores or where the system cannot."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)

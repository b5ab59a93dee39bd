"""Processors that this process may use: its affinity where the system tells it, all of the machine elsewhere."""

from __future__ import annotations

import os


def processors() -> list[int]:
    """Their numbers, in order."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def processor_count() -> int:
    """How many there are."""
    return len(processors())

"""The few facts of a machine that every run keeps."""

from __future__ import annotations

import functools
import platform

import psutil

from assay.system.facts import SystemFacts
from assay.system.probe import probe


@functools.cache
def host_facts() -> dict[str, str | int | float | None]:
    """CPU, cores, memory and system of this machine; None for what cannot be found out.

    Probed once in the life of a process: a run must not pay for it twice.
    """
    return summarize(probe())


def summarize(facts: SystemFacts) -> dict[str, str | int | float | None]:
    """The facts that explain a figure, flat, with plain JSON values; memory in bytes."""
    return {
        "cpu": facts.processor.model.value,
        "cores": facts.processor.cores.value,
        "threads": facts.processor.threads.value or psutil.cpu_count(logical=True),
        "usable_cores": usable_cpus(facts),
        "memory_bytes": facts.memory.total.value,
        "os": facts.software.operating_system.value,
        "kernel": facts.software.kernel.value,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "virtualization": facts.host.virtualization.value,
        "container": facts.host.container.value,
        "governor": facts.processor.governor.value,
    }


def usable_cpus(facts: SystemFacts) -> int | None:
    """Logical CPUs this process may use: the machine's, the allowed ones or the quota rounded up."""
    quota = facts.host.cpu_quota.value
    limits = [
        facts.processor.threads.value,
        facts.host.cpus_allowed.value,
        None if quota is None else max(1, -int(-quota // 1)),
    ]
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None

"""What the processor computes natively, and how much of it this process may use.

Read from the flags that the system reports, the process's affinity and the quota of its control group: a container
that may use 2 of 64 cores has to be run with 2 threads.
"""

from __future__ import annotations

import functools
import math
import os
import platform
from pathlib import Path

from assay.backends.protocol import Precision
from assay.base.processors import processor_count, processors

_ROOT = Path("/")
_BF16 = {"amx_bf16": "AMX tiles", "avx512_bf16": "AVX512-BF16", "bf16": "BFMMLA"}
_INT8 = {
    "amx_int8": "AMX tiles",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "i8mm": "SMMLA",
    "asimddp": "dot products",
}


@functools.cache
def cpu_flags(root: Path = _ROOT) -> frozenset[str]:
    """Instruction-set flags of the first processor; empty where the system does not tell."""
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def native_precisions(flags: frozenset[str] | None = None) -> tuple[Precision, ...]:
    """Formats with instructions of their own: fp32 always, bf16 and int8 where the flags tell."""
    have = cpu_flags() if flags is None else flags
    found = [Precision.FP32]
    if have & _BF16.keys():
        found.append(Precision.BF16)
    # Every Apple processor that runs Python 3.11 has the dot products, and macOS has no flags to read.
    if have & _INT8.keys() or (flags is None and platform.machine() == "arm64"):
        found.append(Precision.INT8)
    return tuple(found)


def int8_note(flags: frozenset[str] | None = None) -> str:
    """How int8 is computed here, for people."""
    way = _first(_INT8, flags)
    if way is not None:
        return f"int8 by {way}"
    if Precision.INT8 in native_precisions(flags):
        return "int8 by dot products"
    return "int8 without instructions of its own: slow"


def bf16_note(flags: frozenset[str] | None = None) -> str:
    """How bf16 is computed here, for people."""
    way = _first(_BF16, flags)
    return f"bf16 by {way}" if way else "no bf16: the processor has neither AMX nor AVX512-BF16"


def usable_cores(root: Path = _ROOT) -> int:
    """Physical cores that this process may keep busy: its affinity, at most the quota of its control group."""
    logical = processors()
    cpus = root / "sys/devices/system/cpu"
    siblings = {_text(cpus / f"cpu{number}/topology/thread_siblings_list") or number for number in logical}
    quota = cpu_quota(root)
    return max(1, len(siblings) if quota is None else min(len(siblings), math.ceil(quota)))


def is_limited(root: Path = _ROOT) -> bool:
    """Whether this process may use less than the machine's processors, by affinity or quota."""
    total = os.cpu_count() or 1
    allowed = processor_count()
    quota = cpu_quota(root)
    return allowed < total or (quota is not None and quota < total)


def cpu_quota(root: Path = _ROOT) -> float | None:
    """Processors' worth of time that the control group allows, None when it sets no limit (or there is none).

    Both forms are read: ``cpu.max`` of version 2, in the process's group and those above it, and
    ``cpu.cfs_quota_us`` of version 1.
    """
    found: list[float] = []
    names: tuple[str, ...]
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            base, names = root / "sys/fs/cgroup", ("cpu.max",)
        elif "cpu" in controllers.split(","):
            base, names = root / "sys/fs/cgroup/cpu", ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        else:
            continue
        folder = base / group.strip().lstrip("/")
        for level in (folder, *folder.parents):
            words = " ".join(_text(level / name) for name in names).split()
            if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]) > 0:
                found.append(int(words[0]) / int(words[1]))
            if level == base:
                break
    return min((quota for quota in found if quota > 0), default=None)


def _first(ways: dict[str, str], flags: frozenset[str] | None) -> str | None:
    have = cpu_flags() if flags is None else flags
    return next((words for flag, words in ways.items() if flag in have), None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""

"""What the processor computes natively, from the flags the system reports."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from assay.backends.protocol import Precision

_CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Instruction-set flags of the first processor; empty where the system does not tell."""
    try:
        text = _CPUINFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def native_precisions(flags: frozenset[str] | None = None) -> tuple[Precision, ...]:
    """Formats with instructions of their own: fp32 always, bf16 with AMX or AVX512-BF16, int8 with VNNI, AMX or dot products."""
    have = cpu_flags() if flags is None else flags
    found = [Precision.FP32]
    if have & {"avx512_bf16", "amx_bf16", "bf16"}:
        found.append(Precision.BF16)
    if have & {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"} or platform.machine() in ("arm64",):
        found.append(Precision.INT8)
    return tuple(found)


def int8_note(flags: frozenset[str] | None = None) -> str:
    """How int8 is computed here, for people."""
    have = cpu_flags() if flags is None else flags
    for flag, words in (
        ("amx_int8", "AMX tiles"),
        ("avx512_vnni", "AVX512-VNNI"),
        ("avx_vnni", "AVX-VNNI"),
        ("asimddp", "dot products"),
    ):
        if flag in have:
            return f"int8 by {words}"
    return "int8 without instructions of its own: slow"


def bf16_note(flags: frozenset[str] | None = None) -> str:
    """How bf16 is computed here, for people."""
    have = cpu_flags() if flags is None else flags
    for flag, words in (("amx_bf16", "AMX tiles"), ("avx512_bf16", "AVX512-BF16"), ("bf16", "BFMMLA")):
        if flag in have:
            return f"bf16 by {words}"
    return "no bf16: the processor has neither AMX nor AVX512-BF16"

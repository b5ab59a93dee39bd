from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.system.probe import probe
from assay.system.reader import Reader

ANSWERS = {
    (
        "sysctl",
        "hw",
    ): "hw.packages: 1\nhw.physicalcpu: 10\nhw.logicalcpu: 10\nhw.memsize: 34359738368\nhw.model: Mac14,9\n"
    "hw.l1dcachesize: 65536\nhw.l2cachesize: 4194304\n"
    "hw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_I8MM: 1\n"
    "hw.optional.arm.FEAT_SME: 0\n",
    ("sysctl", "machdep.cpu"): "machdep.cpu.brand_string: Apple M2 Pro\n",
    ("sysctl", "kern.osrelease"): "kern.osrelease: 23.1.0\n",
    ("sysctl", "kern.hostname"): "kern.hostname: studio.local\n",
    ("sysctl", "kern.hv_vmm_present"): "kern.hv_vmm_present: 0\n",
    ("sw_vers", "-productVersion"): "14.1\n",
}


def run(command: Sequence[str]) -> str | None:
    return ANSWERS.get(tuple(command))


def test_a_mac_by_sysctl(tmp_path: Path) -> None:
    facts = probe(Reader(tmp_path, platform="darwin", run=run))
    cpu = facts.processor
    assert (cpu.model.value, cpu.model.source) == ("Apple M2 Pro", "sysctl machdep.cpu.brand_string")
    assert (cpu.sockets.value, cpu.cores.value, cpu.cores_per_socket.value) == (1, 10, 10)
    assert cpu.isa.value == ("BF16", "I8MM")
    assert [str(cache) for cache in cpu.caches.value or ()] == ["L1d: 64 KiB each", "L2: 4 MiB each"]
    assert facts.memory.total.value == 32 << 30
    assert facts.host.virtualization.value == "none"
    assert facts.software.operating_system.value == "macOS 14.1"
    assert facts.software.kernel.value == "Darwin 23.1.0"
    assert facts.accelerators.count.value is None


def test_a_mac_that_tells_nothing(tmp_path: Path) -> None:
    facts = probe(Reader(tmp_path, platform="darwin", run=lambda _: None))
    assert facts.processor.model.value is None
    assert facts.processor.caches.value is None
    assert facts.software.operating_system.value is None
    assert facts.host.virtualization.value is None

"""The facts of a Mac, from ``sysctl`` and ``sw_vers``."""

from __future__ import annotations

import platform
import re

from assay.system.accelerators import nothing_known
from assay.system.facts import (
    Cache,
    Fact,
    HostFacts,
    MemoryFacts,
    NetworkFacts,
    ProcessorFacts,
    SoftwareFacts,
    StorageFacts,
    SystemFacts,
)
from assay.system.reader import Reader
from assay.system.software import packages_fact, python_fact

_ASKED = ("sysctl", "hw", "machdep.cpu", "kern.osrelease", "kern.hostname", "kern.hv_vmm_present")
_NOT_HERE = "not probed on macOS"


def probe_macos(reader: Reader) -> SystemFacts:
    """The facts of a Mac; what ``sysctl`` does not tell is None."""
    values = _sysctl(reader)
    return SystemFacts(
        processor=_processor(values),
        memory=MemoryFacts(_number(values, "hw.memsize"), Fact(None, _NOT_HERE)),
        storage=StorageFacts(Fact(None, _NOT_HERE), Fact(None, _NOT_HERE)),
        network=NetworkFacts(Fact(None, _NOT_HERE)),
        accelerators=nothing_known(_NOT_HERE),
        host=_host(values),
        software=_software(reader, values),
    )


def _sysctl(reader: Reader) -> dict[str, str]:
    values: dict[str, str] = {}
    # sysctl fails as a whole when one name is unknown, so each is asked for on its own.
    for name in _ASKED[1:]:
        for line in (reader.run((_ASKED[0], name)) or "").splitlines():
            key, colon, value = line.partition(":")
            if colon and value.strip():
                values[key.strip()] = value.strip()
    return values


def _text(values: dict[str, str], name: str) -> Fact[str]:
    return Fact(values.get(name), f"sysctl {name}" if name in values else f"sysctl tells no {name}")


def _number(values: dict[str, str], name: str) -> Fact[int]:
    value = values.get(name, "")
    return Fact(int(value), f"sysctl {name}") if value.isdigit() else Fact(None, f"sysctl tells no {name}")


def _processor(values: dict[str, str]) -> ProcessorFacts:
    sockets, cores = _number(values, "hw.packages"), _number(values, "hw.physicalcpu")
    frequency = _number(values, "hw.cpufrequency_max")
    per_socket: Fact[int] = Fact(None, "needs the number of sockets and of cores")
    if sockets.value and cores.value:
        per_socket = Fact(cores.value // sockets.value, "cores / sockets")
    return ProcessorFacts(
        model=_text(values, "machdep.cpu.brand_string"),
        architecture=Fact(platform.machine() or None, "Python platform.machine()"),
        sockets=sockets,
        cores_per_socket=per_socket,
        cores=cores,
        threads=_number(values, "hw.logicalcpu"),
        frequency_max_mhz=Fact(frequency.value / 1e6 if frequency.value else None, frequency.source),
        governor=Fact(None, _NOT_HERE),
        turbo=Fact(None, _NOT_HERE),
        caches=_caches(values),
        isa=_isa(values),
        numa_nodes=Fact(None, _NOT_HERE),
    )


def _caches(values: dict[str, str]) -> Fact[tuple[Cache, ...]]:
    """Cache sizes; sysctl tells the size of one and not how many there are."""
    keys = (
        ("L1i", "hw.l1icachesize"),
        ("L1d", "hw.l1dcachesize"),
        ("L2", "hw.l2cachesize"),
        ("L3", "hw.l3cachesize"),
    )
    found = tuple(Cache(name, int(values[key]), None) for name, key in keys if values.get(key, "").isdigit())
    return Fact(found or None, "sysctl hw.*cachesize (size of one)")


def _isa(values: dict[str, str]) -> Fact[tuple[str, ...]]:
    arm = [key.rpartition(".FEAT_")[2] for key, value in values.items() if ".FEAT_" in key and value == "1"]
    intel = f"{values.get('machdep.cpu.features', '')} {values.get('machdep.cpu.leaf7_features', '')}".split()
    wanted = r"AVX\d.*|AVX512.*|AMX.*|FMA|F16C|DotProd|BF16|I8MM|FP16|SME.*"
    found = tuple(sorted({name for name in (*arm, *intel) if re.fullmatch(wanted, name)}))
    return Fact(found or None, "sysctl hw.optional and machdep.cpu")


def _host(values: dict[str, str]) -> HostFacts:
    virtual = values.get("kern.hv_vmm_present")
    return HostFacts(
        hostname=_text(values, "kern.hostname"),
        product=_text(values, "hw.model"),
        virtualization=Fact({"0": "none", "1": "yes, kind unknown"}.get(virtual or ""), "sysctl kern.hv_vmm_present"),
        container=Fact("none", "macOS has none"),
        cpus_allowed=Fact(None, _NOT_HERE),
        cpu_quota=Fact(None, _NOT_HERE),
        memory_limit=Fact(None, _NOT_HERE),
    )


def _software(reader: Reader, values: dict[str, str]) -> SoftwareFacts:
    release = (reader.run(("sw_vers", "-productVersion")) or "").strip()
    kernel = _text(values, "kern.osrelease")
    return SoftwareFacts(
        operating_system=Fact(f"macOS {release}" if release else None, "sw_vers -productVersion"),
        kernel=Fact(f"Darwin {kernel.value}" if kernel.value else None, kernel.source),
        python=python_fact(),
        packages=packages_fact(),
    )

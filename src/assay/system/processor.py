"""The processors of a Linux machine, from ``/proc/cpuinfo`` and ``/sys/devices/system/cpu``."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass

from assay.system.facts import Cache, Fact, ProcessorFacts
from assay.system.reader import Reader

_CPUINFO = "proc/cpuinfo"
_CPUS = "sys/devices/system/cpu"
_NODES = "sys/devices/system/node"

# Instruction sets that decide how fast inference runs, by the kernel's flag names.
_ISA = re.compile(
    r"avx2|avx512\w*|avx_(vnni|ifma|ne_convert)\w*|avx10\w*|amx_\w+|fma|f16c"
    r"|asimd|asimddp|asimdhp|asimdfhm|bf16|i8mm|sve|sve2|svei8mm|svebf16|sme|sme2"
)
# Implementer and part numbers of cores met in inference machines. Source: Arm's technical reference manuals
# (MIDR_EL1) and the kernel's arch/arm64/include/asm/cputype.h.
_ARM_CORES = {
    (0x41, 0xD03): "Arm Cortex-A53",
    (0x41, 0xD07): "Arm Cortex-A57",
    (0x41, 0xD08): "Arm Cortex-A72",
    (0x41, 0xD0B): "Arm Cortex-A76",
    (0x41, 0xD0C): "Arm Neoverse-N1",
    (0x41, 0xD40): "Arm Neoverse-V1",
    (0x41, 0xD42): "Arm Cortex-A78AE",
    (0x41, 0xD49): "Arm Neoverse-N2",
    (0x41, 0xD4F): "Arm Neoverse-V2",
    (0x4E, 0x004): "NVIDIA Carmel",
    (0xC0, 0xAC3): "Ampere-1",
    (0xC0, 0xAC4): "Ampere-1A",
}


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """``/proc/cpuinfo``: names and values of each logical CPU, and the lines that belong to none."""

    cpus: tuple[dict[str, str], ...]
    rest: dict[str, str]

    def first(self, *names: str) -> str | None:
        """The first non-empty value of a name, over all CPUs and then the rest."""
        for name in names:
            for block in (*self.cpus, self.rest):
                if block.get(name):
                    return block[name]
        return None

    def flags(self) -> frozenset[str]:
        """Instruction-set flags that every CPU has."""
        sets = [set((cpu.get("flags") or cpu.get("Features") or "").split()) for cpu in self.cpus]
        return frozenset(set.intersection(*sets)) if sets else frozenset()


def read_cpuinfo(reader: Reader) -> CpuInfo:
    """Read ``/proc/cpuinfo``; blocks without a ``processor`` line (ARM's trailer) go to ``rest``."""
    cpus: list[dict[str, str]] = []
    rest: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", reader.text(_CPUINFO) or ""):
        values: dict[str, str] = {}
        for line in block.splitlines():
            name, colon, value = line.partition(":")
            if colon:
                values[name.strip()] = value.strip()
        if values.get("processor", "").isdigit():
            cpus.append(values)
        else:
            rest.update(values)
    return CpuInfo(tuple(cpus), rest)


def probe_processor(reader: Reader) -> ProcessorFacts:
    """The processors of a Linux machine."""
    info = read_cpuinfo(reader)
    cpus = _online(reader)
    sockets = _sockets(reader, info, cpus)
    cores = _cores(reader, info, cpus)
    per_socket: Fact[int] = Fact(None, "needs the number of sockets and of cores")
    if sockets.value and cores.value and cores.value % sockets.value == 0:
        per_socket = Fact(cores.value // sockets.value, f"cores / sockets ({cores.source})")
    return ProcessorFacts(
        model=_model(reader, info),
        architecture=Fact(platform.machine() or None, "Python platform.machine()"),
        sockets=sockets,
        cores_per_socket=per_socket,
        cores=cores,
        threads=_threads(info, cpus),
        frequency_max_mhz=_frequency(reader, cpus),
        governor=_governor(reader, cpus),
        turbo=_turbo(reader),
        caches=_caches(reader, cpus),
        isa=_isa(info),
        numa_nodes=_numa(reader),
    )


def _online(reader: Reader) -> list[str]:
    return [path for path in reader.children(_CPUS, r"cpu\d+") if reader.number(f"{path}/online") != 0]


def _model(reader: Reader, info: CpuInfo) -> Fact[str]:
    named = info.first("model name", "Model Name", "cpu model")
    # "ARMv8 Processor rev 1 (v8l)" names an architecture; the part number below says more.
    if named and not re.match(r"(AArch64|ARMv\d+) Processor", named):
        return Fact(" ".join(named.split()), f"/{_CPUINFO}: model name")
    cores = _arm_cores(info)
    if cores:
        return Fact(" + ".join(cores), f"/{_CPUINFO}: CPU implementer and part")
    board = reader.name("proc/device-tree/model")
    hint = f"; the board is {board}" if board else ""
    return Fact(None, f"/{_CPUINFO} has no model name and no known part number{hint}")


def _arm_cores(info: CpuInfo) -> list[str]:
    """Names of the kinds of ARM cores, in order of appearance; empty as soon as one is unknown."""
    names: dict[str, None] = {}
    for cpu in info.cpus:
        try:
            key = (int(cpu["CPU implementer"], 16), int(cpu["CPU part"], 16))
        except (KeyError, ValueError):
            return []
        core = _ARM_CORES.get(key)
        if core is None:
            return []
        names[core] = None
    return list(names)


def _sockets(reader: Reader, info: CpuInfo, cpus: list[str]) -> Fact[int]:
    ids = {reader.number(f"{cpu}/topology/physical_package_id") for cpu in cpus}
    # Virtual ARM machines report -1, which says nothing.
    if ids and None not in ids and -1 not in ids:
        return Fact(len(ids), f"/{_CPUS}/cpu*/topology/physical_package_id")
    named = {cpu["physical id"] for cpu in info.cpus if "physical id" in cpu}
    if named:
        return Fact(len(named), f"/{_CPUINFO}: physical id")
    return Fact(None, "the kernel tells no package numbers")


def _cores(reader: Reader, info: CpuInfo, cpus: list[str]) -> Fact[int]:
    for name in ("core_cpus_list", "thread_siblings_list"):
        groups = {reader.text(f"{cpu}/topology/{name}") for cpu in cpus}
        if groups and None not in groups:
            return Fact(len(groups), f"/{_CPUS}/cpu*/topology/{name}")
    pairs = {(cpu["physical id"], cpu["core id"]) for cpu in info.cpus if "core id" in cpu and "physical id" in cpu}
    if pairs:
        return Fact(len(pairs), f"/{_CPUINFO}: physical id and core id")
    return Fact(None, "the kernel tells no core numbers")


def _threads(info: CpuInfo, cpus: list[str]) -> Fact[int]:
    if cpus:
        return Fact(len(cpus), f"/{_CPUS}/cpu*")
    if info.cpus:
        return Fact(len(info.cpus), f"/{_CPUINFO}: processor")
    return Fact(None, f"neither /{_CPUS} nor /{_CPUINFO}")


def _frequency(reader: Reader, cpus: list[str]) -> Fact[float]:
    found = [reader.number(f"{cpu}/cpufreq/cpuinfo_max_freq") for cpu in cpus]
    known = [khz for khz in found if khz]
    if known:
        return Fact(max(known) / 1000, f"/{_CPUS}/cpu*/cpufreq/cpuinfo_max_freq")
    return Fact(None, "no cpufreq (usual in virtual machines)")


def _governor(reader: Reader, cpus: list[str]) -> Fact[str]:
    names = {name for cpu in cpus if (name := reader.text(f"{cpu}/cpufreq/scaling_governor"))}
    if names:
        return Fact(", ".join(sorted(names)), f"/{_CPUS}/cpu*/cpufreq/scaling_governor")
    return Fact(None, "no cpufreq (usual in virtual machines)")


def _turbo(reader: Reader) -> Fact[bool]:
    no_turbo = reader.number(f"{_CPUS}/intel_pstate/no_turbo")
    if no_turbo is not None:
        return Fact(no_turbo == 0, f"/{_CPUS}/intel_pstate/no_turbo")
    boost = reader.number(f"{_CPUS}/cpufreq/boost")
    if boost is not None:
        return Fact(boost != 0, f"/{_CPUS}/cpufreq/boost")
    return Fact(None, "neither intel_pstate nor cpufreq/boost")


def _caches(reader: Reader, cpus: list[str]) -> Fact[tuple[Cache, ...]]:
    instances: dict[str, set[tuple[str, int]]] = {}
    for cpu in cpus:
        for index in reader.children(f"{cpu}/cache", r"index\d+"):
            level, kind = reader.number(f"{index}/level"), reader.text(f"{index}/type") or ""
            size, shared = _cache_size(reader.text(f"{index}/size")), reader.text(f"{index}/shared_cpu_list")
            if level is None or size is None:
                continue
            name = f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') }"
            instances.setdefault(name, set()).add((shared or cpu, size))
    if not instances:
        return Fact(None, f"nothing under /{_CPUS}/cpu*/cache")
    caches = (
        Cache(name, size, sum(1 for _, other in found if other == size))
        for name, found in sorted(instances.items())
        for size in sorted({size for _, size in found}, reverse=True)
    )
    return Fact(tuple(caches), f"/{_CPUS}/cpu*/cache")


def _cache_size(text: str | None) -> int | None:
    match = re.fullmatch(r"(\d{1,9})([KMG]?)", text or "")
    return int(match[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[match[2]] if match else None


def _isa(info: CpuInfo) -> Fact[tuple[str, ...]]:
    flags = info.flags()
    if not flags:
        return Fact(None, f"/{_CPUINFO} has no flags")
    wanted = sorted(flag.upper() for flag in flags if _ISA.fullmatch(flag))
    return Fact(tuple(wanted), f"/{_CPUINFO}: flags that every CPU has")


def _numa(reader: Reader) -> Fact[int]:
    nodes = reader.children(_NODES, r"node\d+")
    if nodes:
        return Fact(len(nodes), f"/{_NODES}/node*")
    return Fact(None, f"nothing under /{_NODES}")

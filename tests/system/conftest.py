"""Fake machines: trees of /proc and /sys as real ones show them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.system.reader import Reader

XEON_FLAGS = "fpu vme sse2 avx2 fma f16c avx512f avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8"
CPU = "sys/devices/system/cpu"


class Machine:
    """Builds a tree and reads it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def write(self, files: dict[str, str | int | bytes]) -> Machine:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
        return self

    def link(self, name: str, target: str) -> Machine:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.root / target).mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.root / target)
        return self

    def cpuinfo(self, count: int, **values: str) -> Machine:
        return self.write({"proc/cpuinfo": cpuinfo(count, **values)})

    def modules(self, modules: list[tuple[int, int, int]]) -> bytes:
        return smbios(modules)

    @property
    def reader(self) -> Reader:
        return Reader(self.root, platform="linux", run=lambda _: None)


def cpu_files(
    sockets: int, cores: int, smt: int, *, caches: dict[str, tuple[str, str]]
) -> dict[str, str | int | bytes]:
    """Topology and caches; threads are numbered as Linux does: all first threads, then their siblings."""
    files: dict[str, str | int | bytes] = {}
    total = sockets * cores
    for number in range(total * smt):
        core = number % total
        socket = core // cores
        siblings = ",".join(str(core + total * thread) for thread in range(smt))
        base = f"{CPU}/cpu{number}"
        files[f"{base}/topology/physical_package_id"] = socket
        files[f"{base}/topology/core_cpus_list"] = siblings
        for index, (name, (size, shared)) in enumerate(caches.items()):
            files[f"{base}/cache/index{index}/level"] = name[1]
            files[f"{base}/cache/index{index}/type"] = {"d": "Data", "i": "Instruction"}.get(name[2:], "Unified")
            files[f"{base}/cache/index{index}/size"] = size
            files[f"{base}/cache/index{index}/shared_cpu_list"] = siblings if shared == "core" else f"socket {socket}"
    return files


def cpuinfo(count: int, **values: str) -> str:
    lines = "\n".join(f"{name.replace('_', ' ')}\t: {value}" for name, value in values.items())
    return "\n\n".join(f"processor\t: {number}\n{lines}" for number in range(count))


def smbios(modules: list[tuple[int, int, int]]) -> bytes:
    """A structure table with memory devices: megabytes, type byte, configured speed."""
    table = b"\x00\x04\x00\x00BIOS\x00\x00"
    for megabytes, kind, speed in modules:
        body = bytearray(0x22)
        body[0], body[1] = 17, len(body)
        struct.pack_into("<H", body, 0x0C, min(megabytes, 0x7FFF))
        body[0x12] = kind
        struct.pack_into("<H", body, 0x15, 5600)
        struct.pack_into("<I", body, 0x1C, megabytes)
        struct.pack_into("<H", body, 0x20, speed)
        table += bytes(body) + b"slot\x00\x00"
    return table + b"\x7f\x04\x00\x00\x00\x00"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    return lambda name: Machine(tmp_path / name)


@pytest.fixture
def xeon(machine: Callable[[str], Machine]) -> Machine:
    """Bare metal: two sockets of four cores with two threads, all that a server tells, read as root."""
    caches = {
        "L1d": ("48K", "core"),
        "L1i": ("32K", "core"),
        "L2": ("2048K", "core"),
        "L3": ("107520K", "socket"),
    }
    box = machine("xeon").write(cpu_files(2, 4, 2, caches=caches))
    box.write({f"{CPU}/cpu{n}/cpufreq/cpuinfo_max_freq": 3800000 for n in range(16)})
    box.write({f"{CPU}/cpu{n}/cpufreq/scaling_governor": "powersave" for n in range(16)})
    box.write(
        {
            "proc/cpuinfo": cpuinfo(16, model_name="Intel(R) Xeon(R)  Platinum 8480+", flags=XEON_FLAGS),
            "proc/meminfo": "MemTotal:       527988736 kB\nMemAvailable:   500000000 kB",
            "proc/sys/kernel/hostname": "xeon-01",
            "proc/sys/kernel/osrelease": "5.15.0-91-generic",
            "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-15",
            "proc/self/cgroup": "0::/user.slice",
            "proc/1/cgroup": "0::/init.scope",
            "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 22.04.3 LTS"',
            f"{CPU}/intel_pstate/no_turbo": 0,
            "sys/devices/system/node/node0/cpulist": "0-3,8-11",
            "sys/devices/system/node/node1/cpulist": "4-7,12-15",
            "sys/class/dmi/id/sys_vendor": "Dell Inc.",
            "sys/class/dmi/id/product_name": "PowerEdge R760",
            "sys/firmware/dmi/tables/DMI": smbios([(65536, 0x22, 4800)] * 8 + [(0, 0x02, 0)]),
            "sys/block/nvme0n1/size": 7501476528,
            "sys/block/nvme0n1/queue/rotational": 0,
            "sys/block/nvme0n1/device/model": "Dell Ent NVMe CM6 RI 3.84TB",
            "sys/block/sda/size": 937703088,
            "sys/block/sda/queue/rotational": 0,
            "sys/block/sr0/size": 2097151,
            "sys/block/loop0/size": 100,
            "sys/block/sdb/size": 31116288,
            "sys/block/sdb/removable": 1,
            "sys/class/net/lo/type": 772,
            "sys/bus/pci/devices/0000:03:00.0/class": "0x030000",
            "sys/bus/pci/devices/0000:03:00.0/vendor": "0x102b",
        }
    )
    for port, speed in (("0", 25000), ("1", -1)):
        box.write({f"sys/class/net/eno{port}/speed": speed, f"sys/class/net/eno{port}/type": 1})
        box.link(f"sys/class/net/eno{port}/device", f"sys/devices/pci0000:16/0000:17:00.{port}")
    box.write({"sys/class/net/ib0/speed": 200000, "sys/class/net/ib0/type": 32})
    return box.link("sys/class/net/ib0/device", "sys/devices/pci0000:98/0000:99:00.0")


@pytest.fixture
def epyc_vm(machine: Callable[[str], Machine]) -> Machine:
    """A small cloud machine in a container with limits: no cpufreq, no firmware tables, virtio."""
    box = machine("epyc").write(cpu_files(1, 2, 2, caches={"L1d": ("32K", "core"), "L3": ("32768K", "socket")}))
    box.write(
        {
            "proc/cpuinfo": cpuinfo(4, model_name="AMD EPYC 7R13 Processor", flags="fpu avx2 fma hypervisor"),
            "proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB",
            "proc/version": "Linux version 6.1.0-13-cloud-amd64 (debian-kernel) #1 SMP",
            "proc/self/status": "Cpus_allowed_list:\t0-1",
            "proc/self/cgroup": "0::/kubepods/pod7/c1",
            "proc/1/cgroup": "0::/kubepods/pod7/c1",
            "sys/fs/cgroup/kubepods/pod7/c1/cpu.max": "150000 100000",
            "sys/fs/cgroup/kubepods/pod7/cpu.max": "400000 100000",
            "sys/fs/cgroup/kubepods/cpu.max": "max 100000",
            "sys/fs/cgroup/kubepods/pod7/c1/memory.max": "max",
            "sys/fs/cgroup/kubepods/pod7/memory.max": 4294967296,
            "sys/class/dmi/id/sys_vendor": "Amazon EC2",
            "sys/class/dmi/id/product_name": "c6a.xlarge",
            "etc/hostname": "pod7",
            "usr/lib/os-release": "PRETTY_NAME=Amazon Linux 2023",
            "sys/block/vda/size": 209715200,
            "sys/bus/pci/devices/0000:00:00.0/class": "0x060000",
        }
    )
    return box.write({"sys/class/net/eth0/type": 1}).link("sys/class/net/eth0/device", "sys/devices/virtio2")


@pytest.fixture
def arm(machine: Callable[[str], Machine]) -> Machine:
    """An ARM server without a model name; packages are not told."""
    lines = {"CPU_implementer": "0x41", "CPU_part": "0xd0c", "Features": "fp asimd asimddp asimdhp"}
    box = machine("arm").write({"proc/cpuinfo": cpuinfo(2, **lines) + "\n\nHardware\t: BCM2835\nRevision\t: a0"})
    for number in range(2):
        box.write({f"{CPU}/cpu{number}/topology/physical_package_id": -1})
        box.write({f"{CPU}/cpu{number}/topology/thread_siblings_list": number})
    return box.write({"proc/device-tree/model": b"Some Board Rev 2\0", "sys/class/net/.keep": ""})

"""What stands between the hardware and this process: product, virtual machine, container, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.system.facts import Fact, HostFacts
from assay.system.processor import read_cpuinfo
from assay.system.reader import Reader, parse_cpu_list

_DMI = "sys/class/dmi/id"
_CGROUP = "sys/fs/cgroup"
# Makers and products that only virtual machines have; Amazon's bare-metal machines end in ".metal".
_HYPERVISORS = (
    (r"qemu|bochs|kvm", "KVM or QEMU"),
    (r"vmware", "VMware"),
    (r"virtualbox|innotek", "VirtualBox"),
    (r"microsoft.*virtual machine", "Hyper-V"),
    (r"google compute engine", "Google Compute Engine"),
    (r"amazon ec2(?!.*\.metal)", "Amazon EC2"),
    (r"xen", "Xen"),
    (r"openstack", "OpenStack"),
    (r"alibaba cloud", "Alibaba Cloud"),
    (r"apple virtualization|parallels", "Apple Virtualization or Parallels"),
)
_CONTAINERS = (
    (r"kubepods", "Kubernetes"),
    (r"docker", "Docker"),
    (r"libpod|podman", "Podman"),
    (r"containerd|cri-", "containerd"),
    (r"lxc|lxd", "LXC"),
)
# cgroup v1 writes "no limit" as a number near 2**63.
_NO_LIMIT = 1 << 60


def probe_host(reader: Reader) -> HostFacts:
    """The node as a product, and the walls around this process."""
    return HostFacts(
        hostname=_hostname(reader),
        product=_product(reader),
        virtualization=_virtualization(reader),
        container=_container(reader),
        cpus_allowed=_cpus_allowed(reader),
        cpu_quota=_cpu_quota(reader),
        memory_limit=_memory_limit(reader),
    )


def _hostname(reader: Reader) -> Fact[str]:
    for path in ("proc/sys/kernel/hostname", "etc/hostname"):
        if text := reader.text(path):
            return Fact(text, f"/{path}")
    return Fact(None, "neither /proc/sys/kernel/hostname nor /etc/hostname")


def _product(reader: Reader) -> Fact[str]:
    maker, product = reader.name(f"{_DMI}/sys_vendor"), reader.name(f"{_DMI}/product_name")
    if product:
        named = product if maker is None or product.startswith(maker) else f"{maker} {product}"
        return Fact(named, f"/{_DMI}/sys_vendor and product_name")
    board = reader.name("proc/device-tree/model")
    if board:
        return Fact(board, "/proc/device-tree/model")
    return Fact(None, "the firmware names no product")


def _virtualization(reader: Reader) -> Fact[str]:
    for path in ("sys/hypervisor/type", "proc/device-tree/hypervisor/compatible"):
        if kind := reader.text(path):
            return Fact(kind, f"/{path}")
    named = " ".join(reader.text(f"{_DMI}/{name}") or "" for name in ("sys_vendor", "product_name"))
    for pattern, kind in _HYPERVISORS:
        if re.search(pattern, named, re.IGNORECASE):
            return Fact(kind, f"/{_DMI}/sys_vendor and product_name")
    flags = read_cpuinfo(reader).flags()
    if "hypervisor" in flags:
        return Fact("yes, kind unknown", "/proc/cpuinfo: hypervisor flag")
    # Only x86 processors have the flag at all, and all of those have "fpu".
    if "fpu" in flags:
        return Fact("none", "/proc/cpuinfo: no hypervisor flag")
    return Fact(None, "this processor has no flag for it and the firmware names no hypervisor")


def _container(reader: Reader) -> Fact[str]:
    if reader.exists(".dockerenv"):
        return Fact("Docker", "/.dockerenv")
    if reader.exists("run/.containerenv"):
        return Fact("Podman", "/run/.containerenv")
    if kind := reader.text("run/systemd/container"):
        return Fact(kind, "/run/systemd/container")
    for path in ("proc/1/cgroup", "proc/self/cgroup", "proc/self/mountinfo"):
        # Elsewhere in mountinfo a host that runs containers names them too; only the root file system counts.
        text = reader.text(path) or ""
        lines = [line for line in text.splitlines() if not path.endswith("mountinfo") or " / / " in line]
        for pattern, kind in _CONTAINERS:
            if any(re.search(pattern, line) for line in lines):
                return Fact(kind, f"/{path}")
    return Fact("none", "no trace of one in /proc and /run")


def _cpus_allowed(reader: Reader) -> Fact[int]:
    match = re.search(r"^Cpus_allowed_list:\s*(\S+)", reader.text("proc/self/status") or "", re.MULTILINE)
    count = parse_cpu_list(match[1]) if match else None
    return Fact(count, "/proc/self/status: Cpus_allowed_list" if count else "not in /proc/self/status")


def _cpu_quota(reader: Reader) -> Fact[float]:
    """The tightest CPU quota of this process' control groups, in CPUs."""
    quotas: list[tuple[float, str]] = []
    for folder in _cgroup_folders(reader, "cpu"):
        words = (reader.text(f"{folder}/cpu.max") or "").split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
            quotas.append((int(words[0]) / int(words[1]), f"/{folder}/cpu.max"))
        quota, period = (
            reader.number(f"{folder}/cpu.cfs_quota_us"),
            reader.number(f"{folder}/cpu.cfs_period_us"),
        )
        if quota and quota > 0 and period:
            quotas.append((quota / period, f"/{folder}/cpu.cfs_quota_us"))
    if quotas:
        tightest, source = min(quotas)
        return Fact(round(tightest, 2), source)
    return Fact(None, "no quota in the control groups of this process")


def _memory_limit(reader: Reader) -> Fact[int]:
    """The tightest memory limit of this process' control groups, in bytes."""
    limits = [
        (limit, f"/{folder}/{name}")
        for folder in _cgroup_folders(reader, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (limit := reader.number(f"{folder}/{name}")) and limit < _NO_LIMIT
    ]
    if limits:
        return Fact(*min(limits))
    return Fact(None, "no limit in the control groups of this process")


def _cgroup_folders(reader: Reader, controller: str) -> Iterator[str]:
    """Control-group folders of this process for a controller, from its own up to the root (v2 and v1)."""
    bases = {"": _CGROUP}
    for line in (reader.text("proc/self/cgroup") or "0::/").splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3 or ".." in parts[2].split("/"):
            continue
        names = parts[1].split(",")
        if parts[1] and controller not in names:
            continue
        base = bases.get(parts[1]) or f"{_CGROUP}/{parts[1]}"
        if parts[1] and not reader.exists(base):
            base = f"{_CGROUP}/{controller}"
        path = parts[2].strip("/")
        while path:
            yield f"{base}/{path}"
            path = path.rpartition("/")[0]
        yield base

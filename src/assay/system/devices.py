"""Disks and network cards of a Linux machine, from ``/sys/block`` and ``/sys/class/net``."""

from __future__ import annotations

import re

from assay.system.facts import Disk, Fact, NetworkCard, NetworkFacts, StorageFacts
from assay.system.reader import Reader

_BLOCK = "sys/block"
_NET = "sys/class/net"
# Everything else is made by software: loop devices, memory, device mapper, arrays.
_DISKS = r"(nvme\d+n\d+|sd[a-z]+|hd[a-z]+|vd[a-z]+|xvd[a-z]+|mmcblk\d+|pmem\d+|dasd[a-z]+|ubd[a-z]+)"
_SECTOR = 512
# Link types (ARPHRD_* of the kernel's include/uapi/linux/if_arp.h).
_ETHERNET, _INFINIBAND = 1, 32


def probe_storage(reader: Reader) -> StorageFacts:
    """The fixed disks of a Linux machine and the sum of their sizes."""
    disks = tuple(disk for path in reader.children(_BLOCK, _DISKS) if (disk := _disk(reader, path)))
    if not disks:
        reason = f"no fixed disk under /{_BLOCK}"
        return StorageFacts(Fact(None, reason), Fact(None, reason))
    source = f"/{_BLOCK}/*"
    return StorageFacts(Fact(sum(disk.size for disk in disks), f"{source}/size"), Fact(disks, source))


def _disk(reader: Reader, path: str) -> Disk | None:
    sectors = reader.number(f"{path}/size")
    if not sectors or reader.number(f"{path}/removable") == 1:
        return None
    name = path.rpartition("/")[2]
    model = reader.name(f"{path}/device/model") or reader.name(f"{path}/device/name")
    return Disk(name, sectors * _SECTOR, _disk_kind(name, model, reader.number(f"{path}/queue/rotational")), model)


def _disk_kind(name: str, model: str | None, rotational: int | None) -> str:
    if re.match(r"vd|xvd|ubd", name) or re.search(r"virtual|qemu|msft", model or "", re.IGNORECASE):
        return "virtual disk"
    if name.startswith("nvme"):
        return "NVMe SSD"
    if name.startswith("mmcblk"):
        return "eMMC or SD card"
    if name.startswith("pmem"):
        return "persistent memory"
    return {0: "SSD", 1: "HDD"}.get(-1 if rotational is None else rotational, "disk")


def probe_network(reader: Reader) -> NetworkFacts:
    """Network cards: interfaces with a device behind them; ports of one PCI card count once."""
    if not reader.exists(_NET):
        return NetworkFacts(Fact(None, f"no /{_NET}"))
    cards: dict[str, list[str]] = {}
    for path in reader.children(_NET):
        device = reader.link_target(f"{path}/device")
        # An SR-IOV virtual function seen beside its card is not a card of its own.
        if device is None or reader.exists(f"{path}/device/physfn"):
            continue
        cards.setdefault(_card_key(device), []).append(path)
    found = tuple(_card(reader, paths) for paths in cards.values())
    return NetworkFacts(Fact(found, f"/{_NET}/*/device"))


def _card_key(device: str) -> str:
    """The PCI slot without the function number: the ports of a card differ only there."""
    address = re.search(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}(?=\.[0-7]$)", device)
    return address[0] if address else device


def _card(reader: Reader, paths: list[str]) -> NetworkCard:
    speeds = [speed for path in paths if (speed := reader.number(f"{path}/speed") or 0) > 0]
    kinds = {reader.number(f"{path}/type") for path in paths}
    kind = "InfiniBand" if _INFINIBAND in kinds else "Ethernet" if _ETHERNET in kinds else "network"
    if any(reader.exists(f"{path}/{folder}") for path in paths for folder in ("wireless", "phy80211")):
        kind = "Wi-Fi"
    return NetworkCard(tuple(path.rpartition("/")[2] for path in paths), kind, max(speeds, default=None))

"""Host memory: its size, and its modules where the firmware or the memory controller tells."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from assay.system.facts import Fact, MemoryFacts, MemoryModule
from assay.system.reader import Reader

_MEMINFO = "proc/meminfo"
_TABLES = "sys/firmware/dmi/tables/DMI"
_EDAC = "sys/devices/system/edac/mc"
_MEMORY_DEVICE = 17
# Source: SMBIOS specification (DMTF DSP0134), section 7.18.2, "Memory Device: Type".
_TYPES = {
    0x12: "DDR",
    0x13: "DDR2",
    0x18: "DDR3",
    0x1A: "DDR4",
    0x1B: "LPDDR",
    0x1C: "LPDDR2",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
    0x24: "HBM3",
}


def probe_memory(reader: Reader) -> MemoryFacts:
    """The memory of a Linux machine."""
    return MemoryFacts(total=_total(reader), modules=_modules(reader))


def _total(reader: Reader) -> Fact[int]:
    match = re.search(r"^MemTotal:\s+(\d{1,15}) kB", reader.text(_MEMINFO) or "", re.MULTILINE)
    if match:
        return Fact(int(match[1]) << 10, f"/{_MEMINFO}: MemTotal")
    return Fact(None, f"no MemTotal in /{_MEMINFO}")


def _modules(reader: Reader) -> Fact[tuple[MemoryModule, ...]]:
    tables = reader.data(_TABLES)
    if tables:
        found = tuple(smbios_modules(tables))
        if found:
            return Fact(found, f"/{_TABLES}: memory devices")
    controllers = tuple(_edac_modules(reader))
    if controllers:
        return Fact(controllers, f"/{_EDAC}/mc*/dimm*")
    if tables is None and reader.exists(_TABLES):
        return Fact(None, f"/{_TABLES} needs root to read")
    return Fact(None, "no firmware tables and no memory controller driver (usual in virtual machines)")


def smbios_modules(tables: bytes) -> Iterator[MemoryModule]:
    """The fitted memory modules of a raw SMBIOS structure table; stops where the table is damaged.

    Offsets are those of DSP0134 section 7.18: size (0x0C), type (0x12), speed (0x15), extended size (0x1C),
    configured speed (0x20).
    """
    for kind, body in _structures(tables):
        if kind != _MEMORY_DEVICE or len(body) < 0x17:
            continue
        size = _module_size(body)
        if not size:
            continue
        speed = _word(body, 0x20) or _word(body, 0x15)
        usable = speed if speed and speed != 0xFFFF else None
        yield MemoryModule(size, _TYPES.get(body[0x12]), usable)


def _structures(tables: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and formatted area of each structure; each is followed by strings that end with two NUL bytes."""
    position = 0
    while position + 4 <= len(tables):
        kind, length = tables[position], tables[position + 1]
        end = tables.find(b"\0\0", position + length)
        if length < 4 or end < 0 or kind == 127:
            return
        yield kind, tables[position : position + length]
        position = end + 2


def _module_size(body: bytes) -> int:
    """Bytes of a module; 0 for an empty slot or an unknown size."""
    size = _word(body, 0x0C)
    if size in (0, 0xFFFF):
        return 0
    if size == 0x7FFF:
        megabytes = struct.unpack_from("<I", body, 0x1C)[0] & 0x7FFFFFFF if len(body) >= 0x20 else 0
        return int(megabytes) << 20
    return (size & 0x7FFF) << (10 if size & 0x8000 else 20)


def _word(body: bytes, offset: int) -> int:
    return int(struct.unpack_from("<H", body, offset)[0]) if len(body) >= offset + 2 else 0


def _edac_modules(reader: Reader) -> Iterator[MemoryModule]:
    for controller in reader.children(_EDAC, r"mc\d+"):
        for slot in reader.children(controller, r"(dimm|rank)\d+"):
            megabytes = reader.number(f"{slot}/size")
            if megabytes:
                kind = re.search(r"(LP)?DDR\d|HBM\d?", reader.text(f"{slot}/dimm_mem_type") or "")
                yield MemoryModule(megabytes << 20, kind[0] if kind else None, None)

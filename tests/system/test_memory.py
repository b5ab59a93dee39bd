from __future__ import annotations

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assay.system.facts import MemoryModule
from assay.system.memory import probe_memory, smbios_modules


def test_a_server_tells_its_modules_in_the_firmware_tables(xeon: Any) -> None:
    facts = probe_memory(xeon.reader)
    assert facts.total.value == 527988736 * 1024
    assert facts.modules.value == (MemoryModule(64 << 30, "DDR5", 4800),) * 8
    assert str(facts.modules.value[0]) == "64 GiB DDR5-4800"


def test_tables_that_only_root_reads_are_said_to_be_so(xeon: Any, monkeypatch: Any) -> None:
    reader = xeon.reader
    monkeypatch.setattr(reader, "data", lambda path: None)
    fact = probe_memory(reader).modules
    assert fact.value is None
    assert "root" in fact.source


def test_the_memory_controller_driver_is_asked_next(machine: Any) -> None:
    slot = "sys/devices/system/edac/mc/mc0/dimm"
    box = machine("edac").write({f"{slot}0/size": 16384, f"{slot}0/dimm_mem_type": "Registered-DDR4"})
    box.write({f"{slot}1/size": 0, f"{slot}2/size": 16384})
    assert probe_memory(box.reader).modules.value == (
        MemoryModule(16 << 30, "DDR4", None),
        MemoryModule(16 << 30, None, None),
    )


def test_a_virtual_machine_has_no_modules_to_tell(epyc_vm: Any) -> None:
    fact = probe_memory(epyc_vm.reader).modules
    assert fact.value is None
    assert "virtual machines" in fact.source


def test_sizes_in_kilobytes_and_beyond_the_short_field(machine: Any) -> None:
    box = machine("any")
    table = bytearray(box.modules([(8, 0x1A, 0)]))
    position = table.index(b"\x11\x22") + 0x0C
    table[position : position + 2] = (0x8000 | 512).to_bytes(2, "little")
    assert [module.size for module in smbios_modules(bytes(table))] == [512 << 10]
    assert [module.size for module in smbios_modules(box.modules([(131072, 0x22, 4800)]))] == [128 << 30]


def test_a_configured_speed_of_nought_falls_back_to_the_rated_one(machine: Any) -> None:
    assert [module.speed_mts for module in smbios_modules(machine("any").modules([(8, 0x1A, 0)]))] == [5600]


@given(st.binary(max_size=600))
def test_damaged_tables_end_without_an_error(data: bytes) -> None:
    assert all(module.size > 0 for module in smbios_modules(data))


@given(st.data())
def test_a_table_cut_anywhere_gives_a_beginning_of_the_modules(data: st.DataObject) -> None:
    body = bytearray(0x22)
    body[0], body[1], body[0x12] = 17, 0x22, 0x22
    struct.pack_into("<H", body, 0x0C, 4096)
    table = (bytes(body) + b"s\0\0") * 5
    cut = data.draw(st.integers(0, len(table)))
    assert len(list(smbios_modules(table[:cut]))) == cut // (0x22 + 3)

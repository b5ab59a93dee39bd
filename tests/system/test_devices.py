from __future__ import annotations

from typing import Any

import pytest

from assay.system.devices import probe_network, probe_storage
from assay.system.facts import NetworkCard


def test_only_fixed_disks_count(xeon: Any) -> None:
    facts = probe_storage(xeon.reader)
    assert facts.disks.value is not None
    assert [(disk.name, disk.kind) for disk in facts.disks.value] == [("nvme0n1", "NVMe SSD"), ("sda", "SSD")]
    assert facts.capacity.value == (7501476528 + 937703088) * 512
    assert facts.disks.value[0].model == "Dell Ent NVMe CM6 RI 3.84TB"


@pytest.mark.parametrize(
    ("name", "rotational", "model", "kind"),
    [
        ("sda", 1, "ST4000NM", "HDD"),
        ("sda", 0, "QEMU HARDDISK", "virtual disk"),
        ("vdb", 1, None, "virtual disk"),
        ("mmcblk0", 0, None, "eMMC or SD card"),
        ("pmem0", 0, None, "persistent memory"),
        ("sdaa", None, None, "disk"),
    ],
)
def test_kinds_of_disks(machine: Any, name: str, rotational: int | None, model: str | None, kind: str) -> None:
    box = machine("disk").write({f"sys/block/{name}/size": 2048})
    if rotational is not None:
        box.write({f"sys/block/{name}/queue/rotational": rotational})
    if model:
        box.write({f"sys/block/{name}/device/model": model})
    (disk,) = probe_storage(box.reader).disks.value or ()
    assert (disk.kind, disk.size) == (kind, 1 << 20)


def test_a_machine_without_disks_says_why(arm: Any) -> None:
    facts = probe_storage(arm.reader)
    assert (facts.capacity.value, facts.disks.value) == (None, None)
    assert "/sys/block" in facts.disks.source


def test_two_ports_are_one_card_and_software_interfaces_none(xeon: Any) -> None:
    assert probe_network(xeon.reader).cards.value == (
        NetworkCard(("eno0", "eno1"), "Ethernet", 25000),
        NetworkCard(("ib0",), "InfiniBand", 200000),
    )


def test_a_virtual_card_without_a_speed(epyc_vm: Any) -> None:
    (card,) = probe_network(epyc_vm.reader).cards.value or ()
    assert (card.kind, card.speed_mbit) == ("Ethernet", None)
    assert str(card) == "eth0: Ethernet"


def test_virtual_functions_beside_their_card_do_not_count(xeon: Any) -> None:
    device = "sys/devices/pci0000:16/0000:18:00.0"
    xeon.link("sys/class/net/eno9/device", device).write({f"{device}/physfn/vendor": "0x8086"})
    assert len(probe_network(xeon.reader).cards.value or ()) == 2


def test_wireless_cards_are_told_apart(machine: Any) -> None:
    box = machine("laptop").write({"sys/class/net/wlan0/type": 1, "sys/class/net/wlan0/wireless/.keep": ""})
    box.link("sys/class/net/wlan0/device", "sys/devices/pci0000:00/0000:00:14.3")
    (card,) = probe_network(box.reader).cards.value or ()
    assert card.kind == "Wi-Fi"


def test_no_cards_is_an_answer_and_no_sysfs_is_none(arm: Any, machine: Any) -> None:
    assert probe_network(arm.reader).cards.value == ()
    assert probe_network(machine("empty").reader).cards.value is None

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assay.system.accelerators import probe_accelerators


class NVMLError(Exception):
    """As pynvml's."""


class Nvml:
    """Two GPUs as NVML tells of them."""

    NVMLError = NVMLError

    def __init__(self, *, links: int = 18, broken: bool = False) -> None:
        self.links, self.broken, self.shut = links, broken, False

    def nvmlInit(self) -> None:
        if self.broken:
            raise NVMLError("driver not loaded")

    def nvmlShutdown(self) -> None:
        self.shut = True

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"550.54.15"

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA H100 80GB HBM3"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=85520809984)

    def nvmlDeviceGetMaxPcieLinkGeneration(self, handle: int) -> int:
        return 5

    def nvmlDeviceGetMaxPcieLinkWidth(self, handle: int) -> int:
        return 16

    def nvmlDeviceGetNvLinkState(self, handle: int, link: int) -> int:
        if link >= self.links:
            raise NVMLError("not supported")
        return 1

    def nvmlDeviceGetMaxClockInfo(self, handle: int, kind: int) -> int:
        return 1980


DRIVER = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024"
GPU = "proc/driver/nvidia/gpus/0000:01:00.0/information"


def test_nvml_tells_all(machine: Any) -> None:
    nvml = Nvml()
    facts = probe_accelerators(machine("dgx").write({"proc/driver/nvidia/version": DRIVER}).reader, nvml)
    assert (facts.count.value, facts.count.source, facts.driver.value) == (2, "NVML", "NVIDIA 550.54.15")
    device = (facts.devices.value or ())[0]
    assert (device.name, device.memory) == ("NVIDIA H100 80GB HBM3", 85520809984)
    assert (device.host_link, device.peer_link) == ("PCIe Gen5 x16", "NVLink, 18 links")
    assert device.clock_mhz == 1980
    assert nvml.shut


def test_questions_a_board_does_not_answer_stay_open(machine: Any) -> None:
    nvml = Nvml(links=0)
    nvml.nvmlDeviceGetMaxPcieLinkWidth = lambda handle: (_ for _ in ()).throw(NVMLError("no"))  # type: ignore[method-assign]
    facts = probe_accelerators(machine("vgpu").write({"proc/driver/nvidia/version": DRIVER}).reader, nvml)
    device = (facts.devices.value or ())[0]
    assert (device.host_link, device.peer_link) == (None, None)


@pytest.mark.parametrize("nvml", [None, Nvml(broken=True)])
def test_without_nvml_the_drivers_files_tell_the_names(machine: Any, nvml: Any) -> None:
    box = machine("gpu").write({"proc/driver/nvidia/version": DRIVER, GPU: "Model: \t\t NVIDIA L4\nIRQ: 5"})
    facts = probe_accelerators(box.reader, nvml)
    assert facts.count.value == 1
    assert [(device.name, device.memory) for device in facts.devices.value or ()] == [("NVIDIA L4", None)]
    assert facts.driver.value == "NVIDIA 550.54.15"
    assert "assay[nvidia]" in facts.count.source


def test_a_management_display_is_no_accelerator(xeon: Any) -> None:
    facts = probe_accelerators(xeon.reader)
    assert (facts.count.value, facts.devices.value) == (0, ())
    assert "no NVIDIA driver" in facts.count.source


def test_installed_nvml_without_a_driver_is_not_asked(xeon: Any) -> None:
    assert probe_accelerators(xeon.reader, Nvml(broken=True)).count.value == 0


def test_other_makers_cards_are_seen_on_the_bus(machine: Any) -> None:
    path = "sys/bus/pci/devices/0000:c1:00.0"
    box = machine("mi").write({f"{path}/class": "0x120000", f"{path}/vendor": "0x1002", f"{path}/device": "0x74a1"})
    box.write({f"{path}/mem_info_vram_total": 206158430208})
    facts = probe_accelerators(box.reader)
    assert facts.count.value == 1
    assert (facts.devices.value or ())[0].name == "PCI device 1002:74a1"
    assert (facts.devices.value or ())[0].memory == 206158430208
    assert facts.driver.value is None


def test_a_tegra_gpu_is_counted_and_not_described(machine: Any) -> None:
    facts = probe_accelerators(machine("orin").write({"sys/devices/gpu.0/load": 0}).reader)
    assert (facts.count.value, facts.devices.value) == (1, None)


def test_without_sysfs_nothing_is_claimed(machine: Any) -> None:
    assert probe_accelerators(machine("empty").reader).count.value is None

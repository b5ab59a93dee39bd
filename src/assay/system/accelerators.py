"""Accelerators: NVIDIA's through NVML or the driver's own files, others as the PCI bus names them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from assay.system.facts import Accelerator, AcceleratorFacts, Fact
from assay.system.reader import Reader

_NVIDIA = "proc/driver/nvidia"
_PCI = "sys/bus/pci/devices"
_TEGRA_GPU = ("sys/devices/gpu.0", "sys/devices/platform/gpu.0", "sys/devices/platform/bus@0/17000000.gpu")
# PCI class codes (PCI Code and ID Assignment Specification): 0302 3D controller, 1200 processing accelerator.
_ACCELERATOR_CLASS = re.compile(r"0x(0302|1200)[0-9a-f]{2}")
_DISPLAY_CLASS = re.compile(r"0x0300[0-9a-f]{2}")
_NVIDIA_VENDOR, _AMD_VENDOR = "0x10de", "0x1002"
_NVML_CLOCK_SM = 1
_NVLINKS = 18


def probe_accelerators(reader: Reader, nvml: Any = None) -> AcceleratorFacts:
    """The accelerators of a Linux machine.

    Args:
        reader: the machine.
        nvml: the ``pynvml`` module, None when it is not installed.
    """
    if nvml is not None and reader.exists(_NVIDIA):
        found = _from_nvml(nvml)
        if found is not None:
            return found
    if reader.exists(_NVIDIA):
        return _from_driver_files(reader)
    others = tuple(_pci_accelerators(reader))
    if others:
        source = f"/{_PCI}: device classes 0300, 0302 and 1200"
        devices: Fact[tuple[Accelerator, ...]] = Fact(others, source)
        return AcceleratorFacts(Fact(len(others), source), devices, Fact(None, "no driver that assay can ask"))
    if any(reader.exists(path) for path in _TEGRA_GPU):
        reason = "a Tegra GPU is there; its facts need NVIDIA's tools"
        return AcceleratorFacts(Fact(1, "Tegra GPU under /sys/devices"), Fact(None, reason), Fact(None, reason))
    if not reader.exists("sys"):
        return nothing_known(f"no /{_PCI}")
    bus = f"no accelerator under /{_PCI}" if reader.exists(_PCI) else f"no PCI bus (/{_PCI})"
    source = f"no NVIDIA driver (/{_NVIDIA}), {bus}"
    return AcceleratorFacts(Fact(0, source), Fact((), source), Fact(None, source))


def nothing_known(reason: str) -> AcceleratorFacts:
    """Facts of a machine that cannot be asked."""
    return AcceleratorFacts(Fact(None, reason), Fact(None, reason), Fact(None, reason))


def _from_nvml(nvml: Any) -> AcceleratorFacts | None:
    """What NVML tells; None when the library cannot reach the driver."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        devices = tuple(_nvml_device(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
        driver = _string(nvml.nvmlSystemGetDriverVersion())
    except nvml.NVMLError:
        return None
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()
    return AcceleratorFacts(Fact(len(devices), "NVML"), Fact(devices, "NVML"), Fact(f"NVIDIA {driver}", "NVML"))


def _nvml_device(nvml: Any, index: int) -> Accelerator:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def ask(name: str, *arguments: int) -> Any:
        """One question; some boards and virtual GPUs do not answer all of them."""
        try:
            return getattr(nvml, name)(handle, *arguments)
        except (nvml.NVMLError, AttributeError):
            return None

    memory = ask("nvmlDeviceGetMemoryInfo")
    generation, width = ask("nvmlDeviceGetMaxPcieLinkGeneration"), ask("nvmlDeviceGetMaxPcieLinkWidth")
    ports = getattr(nvml, "NVML_NVLINK_MAX_LINKS", _NVLINKS)
    links = sum(1 for link in range(ports) if ask("nvmlDeviceGetNvLinkState", link))
    return Accelerator(
        name=_string(nvml.nvmlDeviceGetName(handle)),
        memory=int(memory.total) if memory is not None else None,
        host_link=f"PCIe Gen{generation} x{width}" if generation and width else None,
        peer_link=f"NVLink, {links} links" if links else None,
        clock_mhz=ask("nvmlDeviceGetMaxClockInfo", _NVML_CLOCK_SM),
    )


def _string(text: str | bytes) -> str:
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else str(text)


def _from_driver_files(reader: Reader) -> AcceleratorFacts:
    """Names and count from the driver's own files, when NVML is not installed."""
    devices = []
    for gpu in reader.children(f"{_NVIDIA}/gpus"):
        name = re.search(r"^Model:\s*(.+)$", reader.text(f"{gpu}/information") or "", re.MULTILINE)
        if name:
            devices.append(Accelerator(name[1].strip(), None, None, None, None))
    version = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", reader.text(f"{_NVIDIA}/version") or "")
    source = f'/{_NVIDIA} (pip install "assay[nvidia]" tells memory and links too)'
    driver: Fact[str] = Fact(f"NVIDIA {version[1]}" if version else None, source)
    return AcceleratorFacts(Fact(len(devices), source), Fact(tuple(devices), source), driver)


def _pci_accelerators(reader: Reader) -> Iterator[Accelerator]:
    """Devices of an accelerator class, and display devices of makers whose graphics cards compute."""
    for path in reader.children(_PCI):
        code = reader.text(f"{path}/class") or ""
        vendor, device = reader.text(f"{path}/vendor") or "", reader.text(f"{path}/device") or ""
        graphics = _DISPLAY_CLASS.fullmatch(code) and vendor in (_NVIDIA_VENDOR, _AMD_VENDOR)
        if _ACCELERATOR_CLASS.fullmatch(code) or graphics:
            name = reader.name(f"{path}/product_name") or f"PCI device {vendor[2:]}:{device[2:]}"
            yield Accelerator(name, reader.number(f"{path}/mem_info_vram_total"), None, None, None)

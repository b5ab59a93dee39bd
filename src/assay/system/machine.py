"""Checks of the machine as an instrument: what makes figures low, or different from one run to the next."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import psutil

from assay.base.diagnosis import Diagnosis, missing, ok, warning
from assay.system.accelerators import probe_accelerators
from assay.system.facts import HostFacts, ProcessorFacts, format_binary
from assay.system.host import probe_host
from assay.system.memory import probe_memory
from assay.system.processor import probe_processor
from assay.system.reader import Reader

_STEADY = "figures that repeat"
_LEAST_MEMORY = 1 << 30
_COMFORTABLE_MEMORY = 4 << 30
_BUSY_PERCENT = 10.0
_SAMPLE_SECONDS = 0.2


def diagnose_machine(reader: Reader, *, busy_percent: Callable[[], float] | None = None) -> Iterator[Diagnosis]:
    """Memory, frequency, other load, walls around the process, accelerators and power meter.

    Args:
        reader: the machine.
        busy_percent: share of all CPUs in use by others, in percent; sampled for 0.2 s when left out.
    """
    if reader.platform == "darwin":
        yield _load((busy_percent or _sample_busy)())
        return
    processor, host = probe_processor(reader), probe_host(reader)
    yield _memory(reader, host)
    yield _governor(processor, host)
    yield _turbo(processor)
    yield _load((busy_percent or _sample_busy)())
    yield _cpu_limit(processor, host)
    yield _isolation(host)
    yield _nvidia(reader)
    yield missing("power meter", "results with power", "no analyzer is looked for: assay power measure --help")


def _memory(reader: Reader, host: HostFacts) -> Diagnosis:
    needed = "models and samples in memory"
    total = probe_memory(reader).total.value
    if total is None:
        return warning("memory", needed, "its size cannot be found out")
    limit = host.memory_limit.value
    usable = min(total, limit) if limit else total
    match = re.search(r"^MemAvailable:\s+(\d{1,15}) kB", reader.text("proc/meminfo") or "", re.MULTILINE)
    free = min(usable, int(match[1]) << 10) if match else usable
    limited = " (container limit)" if usable < total else ""
    detail = f"{format_binary(usable)}{limited}, {format_binary(free)} available"
    if usable < _LEAST_MEMORY:
        return missing("memory", needed, detail, "the demo needs 1 GiB", essential=True)
    if free < _COMFORTABLE_MEMORY:
        return warning("memory", needed, detail, "close other programs; ResNet-50 with ImageNet wants 4 GiB free")
    return ok("memory", needed, detail)


def _governor(processor: ProcessorFacts, host: HostFacts) -> Diagnosis:
    governor = processor.governor.value
    if governor is None:
        virtual = host.virtualization.value not in (None, "none")
        return ok(
            "frequency governor",
            _STEADY,
            "left to the host" if virtual else "none: the firmware sets the frequency",
        )
    # intel_pstate's and amd_pstate's "powersave" also reach full speed, later.
    if governor == "performance":
        return ok("frequency governor", _STEADY, governor)
    fix = "as administrator: cpupower frequency-set -g performance"
    return warning("frequency governor", _STEADY, f"{governor}: clocks rise only under load", fix)


def _turbo(processor: ProcessorFacts) -> Diagnosis:
    if processor.turbo.value is None:
        return ok("turbo", _STEADY, "cannot be seen from here")
    if processor.turbo.value:
        return ok("turbo", _STEADY, "on: higher figures that depend on temperature; say so when you compare")
    return warning(
        "turbo",
        "the highest figures",
        "off: steady but lower figures",
        "as administrator, in firmware or /sys",
    )


def _sample_busy() -> float:
    return float(psutil.cpu_percent(interval=_SAMPLE_SECONDS))


def _load(percent: float) -> Diagnosis:
    detail = f"{percent:.0f}% of the CPUs in use"
    if percent > _BUSY_PERCENT:
        return warning("other load", _STEADY, detail, "stop other programs before you measure; see them with top")
    return ok("other load", _STEADY, detail)


def _cpu_limit(processor: ProcessorFacts, host: HostFacts) -> Diagnosis:
    threads, allowed, quota = processor.threads.value, host.cpus_allowed.value, host.cpu_quota.value
    limits = []
    if quota is not None and threads and quota < threads:
        limits.append(f"a quota of {quota:g} CPUs")
    if allowed is not None and threads and allowed < threads:
        limits.append(f"{allowed} of {threads} CPUs allowed")
    if not limits:
        return ok("CPU limits", "the whole processor", f"none: all {threads or 'of the'} CPUs")
    fix = "start the container without --cpus and --cpuset-cpus, or run with --threads to match"
    return warning("CPU limits", "the whole processor", " and ".join(limits), fix)


def _isolation(host: HostFacts) -> Diagnosis:
    virtual, container = host.virtualization.value, host.container.value
    detail = f"virtual machine: {virtual or 'cannot tell'}; container: {container or 'cannot tell'}"
    if virtual not in (None, "none"):
        return warning("virtual machine", _STEADY, detail, "neighbours may disturb; say in hw_notes that it is virtual")
    return ok("virtual machine", _STEADY, detail)


def _nvidia(reader: Reader) -> Diagnosis:
    needed = "facts of NVIDIA GPUs"
    installed = find_spec("pynvml") is not None
    facts = probe_accelerators(reader, importlib.import_module("pynvml") if installed else None)
    if facts.driver.value is not None:
        names = ", ".join(device.name for device in facts.devices.value or ())
        detail = f"{facts.driver.value}: {names}"
        if not installed:
            return warning("NVIDIA GPU", needed, f"{detail}; pynvml is not installed", 'pip install "assay[nvidia]"')
        return ok("NVIDIA GPU", needed, detail)
    if facts.count.value:
        names = ", ".join(device.name for device in facts.devices.value or ()) or "a GPU"
        return warning("accelerator", "measuring on it", f"{names}: no driver that assay can ask", "install its driver")
    return ok("NVIDIA GPU", needed, "none here; runs use the CPU")

"""Ask a machine what it is. Every fact says where it was read; what cannot be read is None, never a guess."""

from __future__ import annotations

import importlib
from typing import Any

from assay.system.accelerators import probe_accelerators
from assay.system.devices import probe_network, probe_storage
from assay.system.facts import SystemFacts
from assay.system.host import probe_host
from assay.system.macos import probe_macos
from assay.system.memory import probe_memory
from assay.system.processor import probe_processor
from assay.system.reader import Reader
from assay.system.software import probe_software


def probe(reader: Reader | None = None, *, nvml: Any = None) -> SystemFacts:
    """The facts of a machine.

    Args:
        reader: the machine; this one when left out.
        nvml: stands in for the ``pynvml`` module, which is used on this machine when it is installed.
    """
    if reader is None:
        reader, nvml = Reader(), nvml or _nvml()
    if reader.platform == "darwin":
        return probe_macos(reader)
    return SystemFacts(
        processor=probe_processor(reader),
        memory=probe_memory(reader),
        storage=probe_storage(reader),
        network=probe_network(reader),
        accelerators=probe_accelerators(reader, nvml),
        host=probe_host(reader),
        software=probe_software(reader),
    )


def _nvml() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None

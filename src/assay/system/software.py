"""Operating system, Python, and the installed libraries that results depend on (none is imported)."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, version

from assay.system.facts import Fact, Package, SoftwareFacts
from assay.system.reader import Reader

# Title for people and distribution name.
LIBRARIES = (
    ("ONNX Runtime", "onnxruntime"),
    ("ONNX Runtime GPU", "onnxruntime-gpu"),
    ("OpenVINO", "openvino"),
    ("PyTorch", "torch"),
    ("TensorRT", "tensorrt"),
    ("LoadGen", "mlcommons-loadgen"),
    ("NumPy", "numpy"),
)
# Those that a description may name as its framework.
ENGINES = frozenset({"onnxruntime", "onnxruntime-gpu", "openvino", "torch", "tensorrt"})


def probe_software(reader: Reader) -> SoftwareFacts:
    """The software of a Linux machine."""
    return SoftwareFacts(
        operating_system=_os_release(reader),
        kernel=_kernel(reader),
        python=python_fact(),
        packages=packages_fact(),
    )


def _kernel(reader: Reader) -> Fact[str]:
    if release := reader.text("proc/sys/kernel/osrelease"):
        return Fact(f"Linux {release}", "/proc/sys/kernel/osrelease")
    match = re.match(r"Linux version (\S+)", reader.text("proc/version") or "")
    if match:
        return Fact(f"Linux {match[1]}", "/proc/version")
    return Fact(None, "neither /proc/sys/kernel/osrelease nor /proc/version")


def python_fact() -> Fact[str]:
    """The running interpreter."""
    return Fact(f"{platform.python_implementation()} {platform.python_version()}", "the running interpreter")


def packages_fact() -> Fact[tuple[Package, ...]]:
    """Installed engines and libraries by their metadata."""
    found = []
    for title, name in LIBRARIES:
        try:
            found.append(Package(title, name, version(name)))
        except PackageNotFoundError:
            continue
    return Fact(tuple(found), "installed distributions' metadata")


def _os_release(reader: Reader) -> Fact[str]:
    for path in ("etc/os-release", "usr/lib/os-release"):
        match = re.search(r"^PRETTY_NAME=(.+)$", reader.text(path) or "", re.MULTILINE)
        if match and (name := match[1].strip().strip("\"'")):
            return Fact(name, f"/{path}: PRETTY_NAME")
    return Fact(None, "no os-release file")

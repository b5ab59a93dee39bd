"""ONNX Runtime's execution providers: which there are, what brings those that are not, and which one really computes.

ONNX Runtime gives layers that a provider does not take to the CPU and says so in a log only. A figure must not be
told as a provider's when the CPU made it, so the graph's assignment is asked for once the session is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from assay.errors import UsageError

CPU = "CPU"
SUFFIX = "ExecutionProvider"
RECORD_ENTRY = "session.record_ep_graph_assignment_info"
"""Session entry that has the assignment kept (onnxruntime_session_options_config_keys.h, 1.24)."""
_ALIASES = {"directml": "dml", "trt": "tensorrt", "dnnl": "dnnl", "onednn": "dnnl", "nvtensorrtrtx": "nvtensorrtrtx"}
_PACKAGES = {
    "cuda": ("onnxruntime-gpu", "an NVIDIA GPU with CUDA and cuDNN"),
    "tensorrt": ("onnxruntime-gpu", "an NVIDIA GPU with CUDA, cuDNN and TensorRT"),
    "rocm": ("onnxruntime-rocm", "an AMD GPU with ROCm; newer releases have MIGraphX in its place"),
    "migraphx": ("onnxruntime-migraphx", "an AMD GPU with ROCm"),
    "dml": ("onnxruntime-directml", "Windows with DirectX 12"),
    "coreml": ("onnxruntime", "macOS"),
    "openvino": ("onnxruntime-openvino", "an Intel processor or GPU"),
    "qnn": ("onnxruntime-qnn", "a Qualcomm processor"),
    "cann": ("onnxruntime-cann", "a Huawei Ascend processor"),
}


def available(library: Any) -> tuple[str, ...]:
    """Names of the installed build's providers, without their suffix."""
    names = [str(name).removesuffix(SUFFIX) for name in library.get_available_providers()]
    # Azure calls a service on the network; it is no device.
    return tuple(name for name in names if name != "Azure")


def find(value: str, providers: Sequence[str], version: str) -> str:
    """A provider by any spelling of its name.

    Raises:
        UsageError: when the installed build does not have it, with what is installed and what to install.
    """
    wanted = value.removesuffix(SUFFIX).casefold()
    wanted = _ALIASES.get(wanted, wanted)
    for name in providers:
        if name.casefold() == wanted:
            return name
    package, needs = _PACKAGES.get(wanted, ("", ""))
    raise UsageError(
        f"this ONNX Runtime has no provider {value!r}" + (f", which needs {needs}" if needs else ""),
        expected=" or ".join(providers),
        found=f"onnxruntime {version} built for {', '.join(providers)}",
        hint=f"pip uninstall onnxruntime, then pip install {package}" if package else "assay backends show onnxruntime",
    )


def check_started(session: Any, wanted: str) -> None:
    """Refuse a session that fell back to the CPU as a whole.

    Raises:
        UsageError: naming the provider that it fell back to.
    """
    loaded = [str(name).removesuffix(SUFFIX) for name in session.get_providers()]
    if loaded[0] != wanted:
        raise cannot_start(wanted, f"it fell back to {loaded[0]}")


def cannot_start(wanted: str, found: str) -> UsageError:
    """The error of a provider that the build has and the machine does not."""
    needs = _PACKAGES.get(wanted.casefold(), ("", f"the libraries of {wanted}"))[1]
    return UsageError(
        f"ONNX Runtime cannot start its provider {wanted}",
        found=found,
        hint=f"it needs {needs}: check that they are installed in versions that go together",
    )


def assignment(session: Any) -> dict[str, int]:
    """How many layers each provider computes, most first; empty when the library cannot tell."""
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None:
        return {}
    try:
        parts = ask()
    except RuntimeError:
        return {}
    counts: Counter[str] = Counter()
    for part in parts:
        counts[str(part.ep_name).removesuffix(SUFFIX)] += len(part.get_nodes())
    return dict(counts.most_common())


def check_assignment(layers: dict[str, int], wanted: str) -> None:
    """Refuse a provider that took no layer of the model.

    Raises:
        UsageError: naming where the layers are.
    """
    if layers and not layers.get(wanted):
        raise UsageError(
            f"no layer of the model runs on {wanted}",
            found=", ".join(f"{count} on {name}" for name, count in layers.items()),
            hint=f"the provider does not take this model: leave provider={wanted} out, or give another form of it",
        )

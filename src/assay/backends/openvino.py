"""OpenVINO on the CPU: fp32, bf16 where the processor has it, int8 for quantised models.

A model compiled for one batch size runs faster than one that takes any, so each size is compiled on its first use (or
by :meth:`OpenVinoSession.prepare`, outside the timed part) and kept.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.backends.cpu import bf16_note, int8_note
from assay.backends.protocol import BackendOptions, Capabilities, Precision
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, MissingDependencyError, UsageError

_HINTS = {Precision.FP32: "f32", Precision.INT8: "f32", Precision.BF16: "bf16"}
_MOST_COMPILED = 16


def _library() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise MissingDependencyError("OpenVINO is not installed", hint='pip install "assay[openvino]"') from error
    return openvino


class OpenVinoStream:
    """One worker's infer requests, one for each batch size."""

    def __init__(self, session: OpenVinoSession) -> None:
        self._session = session
        self._requests: dict[int, Any] = {}

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch; inputs and outputs are shared with the engine, not copied."""
        count = len(inputs[0])
        request = self._requests.get(count)
        if request is None:
            request = self._session.compiled(count).create_infer_request()
            self._requests[count] = request
        outputs = request.infer(dict(enumerate(inputs)), share_inputs=True, share_outputs=True)
        return tuple(outputs.values())


class OpenVinoSession:
    """A model, compiled for every batch size it is asked for."""

    fixed_batches = True

    def __init__(self, core: Any, model: Any, options: BackendOptions, version: str) -> None:
        self._core = core
        self._model = model
        self._options = options
        self._version = version
        self._compiled: dict[int, Any] = {}
        self._lock = threading.Lock()
        self.inputs = tuple(_spec(port) for port in model.inputs)
        self.outputs = tuple(_spec(port) for port in model.outputs)
        self.compiled(1)

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Compile for these batch sizes."""
        for size in batch_sizes:
            self.compiled(size)

    def compiled(self, batch: int) -> Any:
        """The model compiled for a batch size."""
        with self._lock:
            found = self._compiled.get(batch)
            if found is None:
                if len(self._compiled) >= _MOST_COMPILED:
                    self._compiled.pop(next(iter(self._compiled)))
                found = self._compile(batch)
                self._compiled[batch] = found
            return found

    def stream(self) -> OpenVinoStream:
        """A new stream."""
        return OpenVinoStream(self)

    def describe(self) -> dict[str, str]:
        """What it is and how it was compiled."""
        one = next(iter(self._compiled.values()))
        used = str(one.get_property("INFERENCE_PRECISION_HINT")).strip("<>").split("'")[-2:]
        return {
            "engine": "openvino",
            "version": self._version,
            "device": "CPU",
            "precision": self._options.precision.value,
            "inference_precision": used[0] if len(used) == 2 else str(one.get_property("INFERENCE_PRECISION_HINT")),
            "threads": str(one.get_property("INFERENCE_NUM_THREADS")),
            "streams": str(self._options.streams),
        }

    def close(self) -> None:
        """Free all compiled models."""
        self._compiled.clear()
        self._model = None

    def _compile(self, batch: int) -> Any:
        model = self._model.clone()
        fixed = [
            port
            for port in model.inputs
            if not port.partial_shape[0].is_dynamic and port.partial_shape[0].get_length() != batch
        ]
        if not fixed:
            model.reshape({port: [batch, *list(port.partial_shape)[1:]] for port in model.inputs})
        elif batch != 1:
            raise InvalidInputError(
                f"the model takes batches of {fixed[0].partial_shape[0].get_length()} only",
                found=f"a batch of {batch}",
                hint=f"--batch-size {fixed[0].partial_shape[0].get_length()}, or export the model with a free batch dimension",
            )
        settings: dict[str, str] = {
            "INFERENCE_PRECISION_HINT": _HINTS[self._options.precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if self._options.streams > 1:
            settings |= {"NUM_STREAMS": str(self._options.streams)}
        if self._options.threads:
            settings["INFERENCE_NUM_THREADS"] = str(self._options.threads * self._options.streams)
        settings |= dict(self._options.extra)
        try:
            return self._core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise UsageError(
                f"OpenVINO refuses the model or an option: {str(error).strip().splitlines()[-1][:300]}"
            ) from error


class OpenVinoBackend:
    """OpenVINO."""

    name = "openvino"
    title = "OpenVINO"

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = _library()
        core = library.Core()
        able = set(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        formats = [Precision.FP32]
        if "BF16" in able:
            formats.append(Precision.BF16)
        formats.append(Precision.INT8)
        return Capabilities(
            library.__version__.split("-")[0],
            tuple(core.available_devices),
            tuple(formats),
            (int8_note(), bf16_note()),
        )

    def open(self, model: Path, options: BackendOptions) -> OpenVinoSession:
        """Load and compile a model."""
        library = _library()
        core = library.Core()
        if options.precision not in _HINTS:
            raise UsageError(f"OpenVINO on CPUs has no {options.precision.value} here", expected="fp32, bf16 or int8")
        if options.precision is Precision.BF16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise UsageError(
                "this processor has no bf16", expected="AMX or AVX512-BF16", hint="--precision fp32 or int8"
            )
        try:
            loaded = core.read_model(str(model))
        except RuntimeError as error:
            raise InvalidInputError(
                "OpenVINO cannot read the model",
                where=model,
                expected="an ONNX model",
                found=str(error).strip().splitlines()[-1][:200],
            ) from error
        return OpenVinoSession(core, loaded, options, library.__version__.split("-")[0])


def _spec(port: Any) -> TensorSpec:
    shape = tuple(-1 if size.is_dynamic else size.get_length() for size in port.partial_shape)
    return TensorSpec(port.any_name if port.names else "", np.dtype(port.element_type.to_dtype()), shape)


BACKEND = OpenVinoBackend()

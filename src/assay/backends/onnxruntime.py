"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.backends.cpu import int8_note
from assay.backends.protocol import BackendOptions, Capabilities, Precision
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, MissingDependencyError, UsageError

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def _library() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            f"ONNX Runtime cannot be imported: {error}", hint="pip install onnxruntime"
        ) from error
    return onnxruntime


class OnnxStream:
    """One worker's calls; the session itself is safe for several threads."""

    def __init__(self, session: Any, inputs: tuple[TensorSpec, ...]) -> None:
        self._run = session.run
        self._names = [spec.name for spec in inputs]
        self._only = self._names[0] if len(self._names) == 1 else None

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch."""
        if self._only is not None:
            outputs: Sequence[Array] = self._run(None, {self._only: inputs[0]})
        else:
            outputs = self._run(None, dict(zip(self._names, inputs, strict=True)))
        return outputs


class OnnxSession:
    """A model loaded into ONNX Runtime."""

    fixed_batches = False

    def __init__(self, session: Any, options: BackendOptions, version: str) -> None:
        self._session = session
        self._options = options
        self._version = version
        self.inputs = tuple(_spec(item) for item in session.get_inputs())
        self.outputs = tuple(_spec(item) for item in session.get_outputs())

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Any batch size is as good as another."""

    def stream(self) -> OnnxStream:
        """A new stream on the shared session."""
        return OnnxStream(self._session, self.inputs)

    def describe(self) -> dict[str, str]:
        """What it is and how it was opened."""
        return {
            "engine": "onnxruntime",
            "version": self._version,
            "device": ",".join(self._session.get_providers()),
            "precision": self._options.precision.value,
            "threads": str(self._session.get_session_options().intra_op_num_threads),
            "streams": str(self._options.streams),
        }

    def close(self) -> None:
        """Free the model."""
        self._session = None


class OnnxRuntimeBackend:
    """ONNX Runtime."""

    name = "onnxruntime"
    title = "ONNX Runtime"

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = _library()
        devices = tuple(
            name.removesuffix("ExecutionProvider")
            for name in library.get_available_providers()
            if name != "AzureExecutionProvider"
        )
        return Capabilities(
            library.__version__,
            devices,
            (Precision.FP32, Precision.INT8),
            (int8_note(), "no bf16 on CPUs: use openvino"),
        )

    def open(self, model: Path, options: BackendOptions) -> OnnxSession:
        """Load a model."""
        library = _library()
        if options.precision not in (Precision.FP32, Precision.INT8):
            raise UsageError(
                f"ONNX Runtime has no {options.precision.value} on CPUs",
                expected="fp32 or int8",
                hint="--backend openvino --precision bf16",
            )
        settings = library.SessionOptions()
        settings.log_severity_level = 3
        settings.graph_optimization_level = library.GraphOptimizationLevel.ORT_ENABLE_ALL
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        for key, value in options.extra.items():
            settings.add_session_config_entry(key, value)
        library.set_default_logger_severity(3)
        try:
            session = library.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InvalidInputError(
                f"ONNX Runtime cannot load the model: {_first_line(error)}",
                where=model,
                expected="an ONNX model",
                hint="check the file: assay assets verify, or python -m onnx.checker",
            ) from error
        return OnnxSession(session, options, library.__version__)


def _spec(item: Any) -> TensorSpec:
    dtype = np.dtype(_DTYPES.get(item.type, np.void))
    return TensorSpec(item.name, dtype, tuple(size if isinstance(size, int) else -1 for size in item.shape))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


BACKEND = OnnxRuntimeBackend()

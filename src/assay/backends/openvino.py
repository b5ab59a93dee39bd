"""OpenVINO: fp32, bf16 where the processor has it, int8 for quantised models; the CPU unless another device is asked for.

A model compiled for one batch size runs faster than one that takes any, so each size is compiled once (by
:meth:`OpenVinoSession.prepare`, outside the timed part) and kept. Sizes beyond a bounded number share one compilation
that takes any batch. So do all sizes of a model that has other free dimensions, such as the length of a text: fixing
the batch alone was measured to gain nothing (0.23 against 0.24 s for MiniLM), and every copy takes the model's memory.
OpenVINO's library sends no usage data; only its conversion tools do, which are not used here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.backends.batches import check_batch, fixed_batch
from assay.backends.cpu import bf16_note, int8_note, is_limited, usable_cores
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.backends.quantised import check_format
from assay.backends.trial import trial_model
from assay.base.tensors import Array, TensorSpec
from assay.errors import (
    AssayError,
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    RunFailedError,
    UsageError,
    nearest,
)

_CPU = "CPU"
# The format of the layers that are not quantised, as OpenVINO names it. int8 layers are so by the model itself.
_HINTS = {Precision.FP32: "f32", Precision.INT8: "f32", Precision.BF16: "bf16", Precision.FP16: "f16"}
_MOST_COMPILED = 16
_ANY_BATCH = -1
_UNKNOWN = "unknown"
# Options with flags of their own: set behind the record's back they would make it wrong.
_RESERVED = {
    "INFERENCE_PRECISION_HINT": "--precision",
    "INFERENCE_NUM_THREADS": "--threads",
    "NUM_STREAMS": "--streams",
}
_OPTIONS = {
    "device": "device to run on, such as GPU; CPU when not given",
    "cache_dir": "folder that keeps compiled models from run to run",
    "PROPERTY": "a property of OpenVINO under its full name, such as ENABLE_CPU_PINNING",
}


def _library() -> Any:
    # Importing OpenVINO reports the import to its makers over the network, from a child forked beside running
    # threads, which can hang and outlive the run. A benchmark calls nobody: without the package nothing is sent.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise MissingDependencyError(
            f"OpenVINO cannot be imported: {error}", hint='pip install "assay[openvino]"'
        ) from error
    return openvino


class OpenVinoStream:
    """One worker's infer requests, one for each batch size."""

    def __init__(self, session: OpenVinoSession) -> None:
        self._session = session
        self._requests: dict[int, Any] = {}

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch; inputs and outputs are shared with the engine, not copied.

        Raises:
            InvalidInputError: when the arrays are not what the model takes.
            RunFailedError: when the engine breaks.
        """
        try:
            count = len(inputs[0])
            request = self._requests.get(count) or self._request(count)
            return tuple(request.infer(dict(enumerate(inputs)), share_inputs=True, share_outputs=True).values())
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise _failure_of_run(error, inputs, self._session.inputs) from error

    def _request(self, count: int) -> Any:
        size, compiled = self._session.compiled_for(count)
        request = self._requests.get(size)
        if request is None:
            request = compiled.create_infer_request()
            self._requests[size] = request
        return request


class OpenVinoSession:
    """A model, compiled for every batch size it is asked for."""

    fixed_batches = True

    def __init__(
        self, core: Any, model: Any, options: BackendOptions, device: str, extra: Mapping[str, str], version: str
    ) -> None:
        self._core = core
        self._model = model
        self._options = options
        self._device = device
        self._extra = extra
        self._version = version
        self._compiled: dict[int, Any] = {}
        self._lock = threading.Lock()
        self.inputs = tuple(_spec(port) for port in model.inputs)
        self.outputs = tuple(_spec(port) for port in model.outputs)
        self._free_sizes = any(-1 in spec.shape[1:] for spec in self.inputs)
        _, first = self.compiled_for(fixed_batch(self.inputs) or 1)
        self._facts = self._describe(first)
        _check_effective(options.precision, self._facts["inference_precision"])

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Compile for these batch sizes.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            self.compiled_for(size)

    def compiled_for(self, batch: int) -> tuple[int, Any]:
        """The model compiled for a batch size, and the size it is compiled for: -1 when it takes any.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        check_batch(self.inputs, batch)
        with self._lock:
            if self._model is None:
                raise UsageError("the session is closed")
            known = batch in self._compiled or len(self._compiled) < _MOST_COMPILED
            size = batch if known and not self._free_sizes else _ANY_BATCH
            found = self._compiled.get(size)
            if found is None:
                found = self._compiled[size] = self._compile(size)
            return size, found

    def stream(self) -> OpenVinoStream:
        """A new stream."""
        if self._model is None:
            raise UsageError("the session is closed")
        return OpenVinoStream(self)

    def describe(self) -> dict[str, str]:
        """What it is and how it was compiled; ``threads`` is the compute threads of all streams together."""
        return dict(self._facts)

    def close(self) -> None:
        """Free all compiled models."""
        with self._lock:
            self._compiled.clear()
            self._model = None

    def _describe(self, compiled: Any) -> dict[str, str]:
        return {
            "engine": "openvino",
            "version": self._version,
            "device": self._device,
            "precision": self._options.precision.value,
            "inference_precision": _property(compiled, "INFERENCE_PRECISION_HINT"),
            "threads": _property(compiled, "INFERENCE_NUM_THREADS"),
            "streams": str(self._options.streams),
            **{f"option {key}": value for key, value in sorted(self._options.extra.items())},
        }

    def _compile(self, batch: int) -> Any:
        model = self._model.clone()
        if batch != _ANY_BATCH:
            shapes = {
                port: [batch, *list(port.partial_shape)[1:]]
                for port, spec in zip(model.inputs, self.inputs, strict=True)
                if spec.shape and spec.shape[0] == -1
            }
            if shapes:
                model.reshape(shapes)
        try:
            return self._core.compile_model(model, self._device, self._settings())
        except RuntimeError as error:
            raise UsageError(f"OpenVINO refuses the model or an option: {_last_line(error)}") from error

    def _settings(self) -> dict[str, str]:
        options = self._options
        settings = {"INFERENCE_PRECISION_HINT": _HINTS[options.precision], "PERFORMANCE_HINT": "LATENCY"}
        if options.streams > 1:
            settings["NUM_STREAMS"] = str(options.streams)
        if self._device == _CPU:
            if options.threads:
                settings["INFERENCE_NUM_THREADS"] = str(options.threads * options.streams)
            elif is_limited():
                # OpenVINO sees the affinity and not the control group's quota.
                settings["INFERENCE_NUM_THREADS"] = str(usable_cores())
        return settings | dict(self._extra)


class OpenVinoBackend:
    """OpenVINO."""

    name = "openvino"
    title = "OpenVINO"
    formats = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = _library()
        core = library.Core()
        able = set(core.get_property(_CPU, "OPTIMIZATION_CAPABILITIES"))
        formats = [Precision.FP32]
        if "BF16" in able:
            formats.append(Precision.BF16)
        if "FP16" in able:
            formats.append(Precision.FP16)
        formats.append(Precision.INT8)
        devices = tuple(core.available_devices)
        notes = [int8_note(), bf16_note()]
        if len(devices) > 1:
            notes.append(f"others than the CPU by --backend-option device={next(d for d in devices if d != _CPU)}")
        return Capabilities(_version(library), devices, tuple(formats), tuple(notes), _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Try the options on a model that does nothing.

        Raises:
            UsageError: for a precision, option or device that cannot be had.
        """
        library = _library()
        core = library.Core()
        device, extra = _read_extra(core, options.extra)
        _check_precision(core, device, options.precision)
        if not options.extra:
            return
        # Only tried: nothing is written to the cache that the run will have.
        extra.pop("CACHE_DIR", None)
        trial = core.read_model(model=trial_model())
        OpenVinoSession(core, trial, options, device, extra, _version(library)).close()

    def open(self, model: Path, options: BackendOptions) -> OpenVinoSession:
        """Load and compile a model.

        Raises:
            NotFoundError: when the model is not there.
            InvalidInputError: when it is no model that OpenVINO reads.
            UsageError: for a precision, option or device that cannot be had.
        """
        library = _library()
        core = library.Core()
        device, extra = _read_extra(core, options.extra)
        _check_precision(core, device, options.precision)
        if not model.exists():
            raise NotFoundError("the model is not there", where=model)
        try:
            loaded = core.read_model(str(model))
        except RuntimeError as error:
            raise InvalidInputError(
                "OpenVINO cannot read the model",
                where=model,
                expected="an ONNX model",
                found=_last_line(error),
                hint="check the file: python -m onnx.checker FILE, or assay assets verify",
            ) from error
        quantised = any(operation.get_type_name() == "FakeQuantize" for operation in loaded.get_ops())
        check_format(model, options.precision, quantised=quantised)
        return OpenVinoSession(core, loaded, options, device, extra, _version(library))


def _read_extra(core: Any, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The device and OpenVINO's own properties, checked.

    Raises:
        UsageError: for one that does not exist, or that has a flag of its own.
    """
    device = given.get("device", _CPU)
    if device.partition(".")[0] not in {name.partition(".")[0] for name in core.available_devices}:
        raise UsageError(f"OpenVINO has no device {device!r} here", expected=" or ".join(core.available_devices))
    properties = {str(name) for name in core.get_property(device, "SUPPORTED_PROPERTIES")} | {"CACHE_DIR"}
    extra: dict[str, str] = {}
    for key, value in given.items():
        name = key.upper()
        if name in _RESERVED:
            raise UsageError(f"{key} has a flag of its own", hint=f"give {_RESERVED[name]}")
        if name in properties:
            extra[name] = value
        elif key != "device":
            close = nearest(name, {*properties, "DEVICE"})
            raise UsageError(
                f"OpenVINO has no option {key!r}",
                expected=" or ".join(close or _OPTIONS),
                hint="assay backends show openvino",
            )
    return device, extra


def _check_precision(core: Any, device: str, precision: Precision) -> None:
    able = set(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
    if precision in (Precision.FP32, Precision.INT8) or precision.value.upper() in able:
        return
    need = "a processor with AMX or AVX512-BF16" if precision is Precision.BF16 else "a device that computes fp16"
    raise UsageError(
        f"there is no {precision.value} on this {device}",
        expected=need,
        hint="give --precision fp32, or int8 with a quantised model",
    )


def _check_effective(precision: Precision, effective: str) -> None:
    """OpenVINO takes a hint for a format and may use another; a figure must not carry the wrong name."""
    if effective not in (_HINTS[precision], _UNKNOWN):
        raise UsageError(
            f"OpenVINO would compute in {effective} and not in {precision.value}",
            hint="give --precision fp32, or --precision bf16 where the processor has it",
        )


def _property(compiled: Any, name: str) -> str:
    """A property as text; a device that is no CPU may lack it."""
    try:
        value = compiled.get_property(name)
    except RuntimeError:
        return _UNKNOWN
    return str(value.to_string() if hasattr(value, "to_string") else value)


def _failure_of_run(error: Exception, inputs: Sequence[Array], specs: Sequence[TensorSpec]) -> AssayError:
    def fits(array: Array, spec: TensorSpec) -> bool:
        pairs = zip(array.shape, spec.shape, strict=False)
        return len(array.shape) == len(spec.shape) and all(want in (-1, have) for have, want in pairs)

    if len(inputs) == len(specs) and all(map(fits, inputs, specs)):
        return RunFailedError(f"OpenVINO broke while it ran the model: {_last_line(error)}")
    return InvalidInputError(
        "OpenVINO refuses the inputs",
        expected=", ".join(f"{spec.name} {spec.dtype} {spec.shape}" for spec in specs),
        found=", ".join(f"{array.dtype} {array.shape}" for array in inputs) or "no arrays",
    )


def _spec(port: Any) -> TensorSpec:
    dimensions = () if port.partial_shape.rank.is_dynamic else port.partial_shape
    shape = tuple(-1 if size.is_dynamic else size.get_length() for size in dimensions)
    return TensorSpec(port.any_name if port.names else "", np.dtype(port.element_type.to_dtype()), shape)


def _version(library: Any) -> str:
    return str(library.__version__).partition("-")[0]


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__


BACKEND = OpenVinoBackend()

"""ONNX Runtime: the CPU, and whatever other execution providers the installed build has.

Streams share one session, whose pool of compute threads they share too. Binding inputs and outputs was measured and
saves nothing over ``run`` with the names given (23.5 against 24 microseconds for an empty model), so it is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.backends.batches import check_batch
from assay.backends.cpu import int8_note, is_limited, native_precisions, usable_cores
from assay.backends.onnxruntime_opset import wrong_opset
from assay.backends.onnxruntime_providers import (
    CPU,
    RECORD_ENTRY,
    SUFFIX,
    assignment,
    available,
    cannot_start,
    check_assignment,
    check_started,
    find,
)
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.backends.quantised import check_format, holds_quantised_layers
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
from assay.models.slabs_mark import holds_slabs

_QUIET = 3
_SPINNING = "session.intra_op.allow_spinning"
_AFFINITY = "session.intra_op_thread_affinities"
_SWITCH = {"on": "1", "1": "1", "true": "1", "off": "0", "0": "0", "false": "0"}
_OPTIONS = {
    "provider": "cuda, tensorrt, rocm, migraphx, openvino, directml or coreml, where the build has it; cpu when not given",
    "provider.KEY": "an option of that provider",
    "spinning": "on or off: whether idle compute threads wait busily (on when not given)",
    "affinity": "cores of the pool's threads, one list for each thread but the first, such as 1;2;3",
    "session.KEY": "a session configuration entry of ONNX Runtime, under its full name",
}
# Prefixes of the keys in onnxruntime_session_options_config_keys.h; the library itself ignores a misspelt one.
_ENTRY_PREFIXES = ("session.", "ep.", "optimization.", "memory.", "mlas.", "model.")
_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(uint16)": np.uint16,
    "tensor(int16)": np.int16,
    "tensor(uint32)": np.uint32,
    "tensor(int32)": np.int32,
    "tensor(uint64)": np.uint64,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def _library() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            f"ONNX Runtime cannot be imported: {error}", hint="pip install onnxruntime"
        ) from error
    return onnxruntime


@dataclass(frozen=True, slots=True)
class _Extra:
    """The engine's own options, checked.

    Attributes:
        provider: execution provider without its suffix, such as ``CUDA``.
        provider_options: options of that provider.
        entries: session configuration entries.
    """

    provider: str
    provider_options: Mapping[str, str]
    entries: Mapping[str, str]


class OnnxStream:
    """One worker's calls; the session itself is safe for several threads."""

    def __init__(self, session: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        self._run = session.run
        self._inputs = [spec.name for spec in inputs]
        self._outputs = [spec.name for spec in outputs]
        self._only = self._inputs[0] if len(self._inputs) == 1 else None

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch.

        Raises:
            InvalidInputError: when the arrays are not what the model takes.
            RunFailedError: when the engine breaks.
        """
        try:
            if self._only is not None and len(inputs) == 1:
                outputs: Sequence[Array] = self._run(self._outputs, {self._only: inputs[0]})
            else:
                outputs = self._run(self._outputs, dict(zip(self._inputs, inputs, strict=True)))
        except MemoryError:
            raise
        except Exception as error:  # ONNX Runtime's own exceptions share no base
            raise _failure_of_run(error, inputs) from error
        return outputs


class OnnxSession:
    """A model loaded into ONNX Runtime."""

    fixed_batches = False

    def __init__(self, session: Any, options: BackendOptions, version: str, layers: Mapping[str, int]) -> None:
        self._session = session
        self._layers = layers
        self._options = options
        self._version = version
        self.inputs = tuple(_spec(item) for item in session.get_inputs())
        self.outputs = tuple(_spec(item) for item in session.get_outputs())

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Check that the model takes these batch sizes; any is as good as another.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            check_batch(self.inputs, size)

    def stream(self) -> OnnxStream:
        """A new stream on the shared session."""
        return OnnxStream(self._loaded(), self.inputs, self.outputs)

    def describe(self) -> dict[str, str]:
        """What it is and how it was opened; ``threads`` is the compute threads of all streams together."""
        session = self._loaded()
        pool = session.get_session_options().intra_op_num_threads
        # A stream's own thread computes too; the pool counts one of them.
        threads = pool + self._options.streams - 1 if pool else usable_cores()
        return {
            "engine": "onnxruntime",
            "version": self._version,
            # Where it is known which provider computes what, the others are left out.
            "device": ",".join(self._layers or (name.removesuffix(SUFFIX) for name in session.get_providers())),
            **({"layers": ", ".join(f"{n} on {name}" for name, n in self._layers.items())} if self._layers else {}),
            "precision": self._options.precision.value,
            "threads": str(threads),
            "streams": str(self._options.streams),
            **{f"option {key}": value for key, value in sorted(self._options.extra.items())},
        }

    def close(self) -> None:
        """Free the model."""
        self._session = None

    def _loaded(self) -> Any:
        if self._session is None:
            raise UsageError("the session is closed")
        return self._session


class OnnxRuntimeBackend:
    """ONNX Runtime."""

    name = "onnxruntime"
    title = "ONNX Runtime"
    formats = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = _library()
        devices = available(library)
        formats = tuple(item for item in native_precisions() if item is not Precision.BF16)
        notes = [int8_note(), "no bf16 on CPUs: use openvino"]
        if devices != (CPU,):
            notes.append(f"others than the CPU by --backend-option provider={devices[0]}")
        return Capabilities(library.__version__, devices, formats, tuple(notes), _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Try the options on a model that does nothing.

        Raises:
            UsageError: for a precision, option or provider that cannot be had.
        """
        library = _library()
        extra = _read_extra(library, options.extra)
        _check_precision(options.precision, extra.provider)
        if not options.extra:
            return
        library.set_default_logger_severity(_QUIET)
        try:
            session = _session(library, trial_model(), options, extra)
        except MemoryError:
            raise
        except Exception as error:  # ONNX Runtime's own exceptions share no base
            _blame_provider(library, extra.provider, error)
            raise _refused_option(options, error) from error
        check_started(session, extra.provider)

    def open(self, model: Path, options: BackendOptions) -> OnnxSession:
        """Load a model.

        Raises:
            NotFoundError: when the model is not there.
            InvalidInputError: when it is no model that ONNX Runtime reads.
            UsageError: for a precision, option or provider that cannot be had.
        """
        library = _library()
        extra = _read_extra(library, options.extra)
        _check_precision(options.precision, extra.provider)
        if not model.exists():
            raise NotFoundError("the model is not there", where=model)
        session = _load(library, model, options, extra)
        check_format(model, options.precision, quantised=holds_quantised_layers(model))
        check_started(session, extra.provider)
        layers = {} if extra.provider == CPU else assignment(session)
        check_assignment(layers, extra.provider)
        return OnnxSession(session, options, library.__version__, layers)


def _check_precision(precision: Precision, provider: str) -> None:
    if precision in (Precision.FP32, Precision.INT8) or (precision is Precision.FP16 and provider != CPU):
        return
    hint = "give --backend openvino --precision bf16, or --precision fp32"
    raise UsageError(
        f"ONNX Runtime has no {precision.value} on {provider}",
        expected="fp32, or int8 with a quantised model",
        hint=hint if precision is Precision.BF16 else "give --precision fp32",
    )


def _read_extra(library: Any, given: Mapping[str, str]) -> _Extra:
    """Check the engine's own options.

    Raises:
        UsageError: for one that does not exist or has no such value.
    """
    providers, version = available(library), str(library.__version__)
    provider, provider_options, entries = CPU, {}, {}
    for key, value in given.items():
        if key == "provider":
            provider = find(value, providers, version)
        elif key.startswith("provider."):
            provider_options[key.removeprefix("provider.")] = value
        elif key == "spinning":
            if value.lower() not in _SWITCH:
                raise UsageError("spinning is on or off", found=value)
            entries[_SPINNING] = _SWITCH[value.lower()]
        elif key == "affinity":
            entries[_AFFINITY] = value
        elif key.startswith(_ENTRY_PREFIXES):
            entries[key] = value
        else:
            close = nearest(key, (*_OPTIONS, _SPINNING, _AFFINITY))
            raise UsageError(
                f"ONNX Runtime has no option {key!r}",
                expected=" or ".join(close or _OPTIONS),
                hint="assay backends show onnxruntime",
            )
    if provider_options and provider == CPU:
        raise UsageError("provider options need a provider", hint="give provider=CUDA too")
    return _Extra(provider, provider_options, entries)


def _load(library: Any, model: Path, options: BackendOptions, extra: _Extra) -> Any:
    library.set_default_logger_severity(_QUIET)
    try:
        return _session(library, model, options, extra)
    except MemoryError:
        raise
    except Exception as error:  # ONNX Runtime's own exceptions share no base
        _blame_provider(library, extra.provider, error)
        if extra.entries or extra.provider_options:
            _blame_options(library, model, options, extra, error)
        if wrong := wrong_opset(error, model):
            raise wrong from error
        raise InvalidInputError(
            f"ONNX Runtime cannot load the model: {_first_line(error)}",
            where=model,
            expected="an ONNX model",
            hint="check the file: python -m onnx.checker FILE, or assay assets verify",
        ) from error


def _blame_provider(library: Any, provider: str, error: Exception) -> None:
    """Raise a :class:`UsageError` when the provider does not even take a model that does nothing."""
    if provider == CPU:
        return
    try:
        _session(library, trial_model(), BackendOptions(), _Extra(provider, {}, {}))
    except Exception:  # noqa: BLE001 - then it is the provider, and the first error says why
        raise cannot_start(provider, _first_line(error)[-200:]) from error


def _blame_options(library: Any, model: Path, options: BackendOptions, extra: _Extra, error: Exception) -> None:
    """Raise a :class:`UsageError` when the model loads without the options."""
    try:
        _session(library, model, options, _Extra(extra.provider, {}, {}))
    except Exception:  # noqa: BLE001 - then it is the model, and the first error says why
        return
    raise _refused_option(options, error) from error


def _refused_option(options: BackendOptions, error: Exception) -> UsageError:
    return UsageError(
        f"ONNX Runtime refuses an option: {_first_line(error)}",
        found=", ".join(f"{key}={value}" for key, value in options.extra.items()),
    )


def _session(library: Any, model: Path | bytes, options: BackendOptions, extra: _Extra) -> Any:
    settings = library.SessionOptions()
    settings.log_severity_level = _QUIET
    settings.graph_optimization_level = library.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.intra_op_num_threads = _pool_threads(options.threads, options.streams)
    settings.inter_op_num_threads = 1
    for key, value in extra.entries.items():
        settings.add_session_config_entry(key, value)
    # One block for all tensors of a run is planned as if none shared memory: deepbrain takes 1.1 GB with it and 0.57 without,
    # CenterNet (batch 8) 0.75 and 0.46 GB, and none of the stand-ins is slower.
    settings.enable_mem_pattern = extra.provider != CPU
    providers: list[Any] = [(f"{extra.provider}{SUFFIX}", dict(extra.provider_options))]
    if extra.provider != CPU:
        providers.append(f"{CPU}{SUFFIX}")
        settings.add_session_config_entry(RECORD_ENTRY, "1")
    disabled: list[str] = []
    if not isinstance(model, bytes) and model.is_file() and holds_slabs(model):
        # A buffer that is to be used again is kept meanwhile, and slices that are made together wait for each other.
        settings.enable_mem_reuse = False
        disabled = ["GatherSliceToSplitFusion"]
    # Without it the library prints, and tries the CPU in place of the provider asked for.
    source = model if isinstance(model, bytes) else str(model)
    return library.InferenceSession(
        source, settings, providers=providers, enable_fallback=0, disabled_optimizers=disabled or None
    )


def _pool_threads(threads: int, streams: int) -> int:
    """Size of the session's pool; every stream's own thread computes too, and the pool's size counts one.

    0 is ONNX Runtime's own choice: a thread pinned to each physical core. It knows neither quotas nor affinity.
    """
    if threads:
        return streams * (threads - 1) + 1
    if streams == 1 and not is_limited():
        return 0
    return max(1, usable_cores() - streams + 1)


def _failure_of_run(error: Exception, inputs: Sequence[Array]) -> AssayError:
    if isinstance(error, ValueError) or type(error).__name__ == "InvalidArgument":
        shapes = ", ".join(f"{array.dtype} {array.shape}" for array in inputs)
        return InvalidInputError(f"ONNX Runtime refuses the inputs: {_first_line(error)}", found=shapes)
    return RunFailedError(f"ONNX Runtime broke while it ran the model: {_first_line(error)}")


def _spec(item: Any) -> TensorSpec:
    dtype = np.dtype(_DTYPES.get(item.type, np.void))
    return TensorSpec(item.name, dtype, tuple(size if isinstance(size, int) else -1 for size in item.shape))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


BACKEND = OnnxRuntimeBackend()

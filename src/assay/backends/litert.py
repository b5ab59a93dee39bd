"""LiteRT (TensorFlow Lite): ``.tflite`` models on the CPU, with XNNPACK unless it is turned off.

An interpreter belongs to one thread and one set of input shapes, so each stream keeps an interpreter for every batch
size it meets, up to a bounded number. A model whose file says batch 1 is taken for any batch when it can be resized and
then answers two samples together as it does one by one; that is tried when it is opened.

A quantised model may want its inputs quantised, too. They are described as they are (``int8``), unless the option
``io=float`` has them quantised and outputs dequantised here, inside the time that is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.batches import check_batch
from assay.backends.cpu import int8_note, usable_cores
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.backends.quantised import check_format
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

_OPTIONS = {
    "xnnpack": "on or off: whether XNNPACK computes what it can (on when not given)",
    "io": "raw or float: whether inputs and outputs of a quantised model stay quantised (raw when not given)",
}
_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}
_MARK = b"TFL3"
_MOST_SHAPES = 8
_AGREES = 1e-2


@dataclass(frozen=True, slots=True)
class _Extra:
    xnnpack: bool
    as_float: bool


@dataclass(frozen=True, slots=True)
class _Tensor:
    """An input or output of the file.

    Attributes:
        spec: as the task sees it.
        dtype: in the file.
        scale: of quantised values; 0 when they are left as they are.
        zero: the quantised value that stands for 0.
    """

    spec: TensorSpec
    dtype: np.dtype[np.generic]
    scale: float
    zero: int

    def to_model(self, array: Array) -> Array:
        """What the interpreter gets."""
        if not self.scale or array.dtype == self.dtype:
            return array
        limits = np.iinfo(self.dtype)  # type: ignore[type-var]
        values = np.rint(array.astype(np.float32) / self.scale) + self.zero
        clipped: Array = np.clip(values, limits.min, limits.max).astype(self.dtype)
        return clipped

    def from_model(self, array: Array) -> Array:
        """What the task gets."""
        return (array.astype(np.float32) - self.zero) * np.float32(self.scale) if self.scale else array


@dataclass(frozen=True, slots=True)
class _Ready:
    """An interpreter whose memory is laid out for some shapes."""

    interpreter: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class LiteRtStream:
    """One worker's interpreters, one for each set of input shapes."""

    def __init__(self, session: LiteRtSession) -> None:
        self._session = session
        self._ready: dict[tuple[tuple[int, ...], ...], _Ready] = {}

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch.

        Raises:
            InvalidInputError: when the arrays are not what the model takes.
            RunFailedError: when the engine breaks.
        """
        session = self._session
        shapes = tuple(array.shape for array in inputs)
        ready = self._ready.get(shapes) or self._prepare(shapes)
        try:
            for index, tensor, array in zip(ready.inputs, session.input_tensors, inputs, strict=True):
                ready.interpreter.set_tensor(index, tensor.to_model(array))
        except ValueError as error:
            raise _refused(inputs, session.inputs, error) from error
        try:
            ready.interpreter.invoke()
        except RuntimeError as error:
            raise RunFailedError(f"LiteRT broke while it ran the model: {_first_line(error)}") from error
        return tuple(
            tensor.from_model(ready.interpreter.get_tensor(index))
            for index, tensor in zip(ready.outputs, session.output_tensors, strict=True)
        )

    def _prepare(self, shapes: tuple[tuple[int, ...], ...]) -> _Ready:
        while len(self._ready) >= _MOST_SHAPES:
            self._ready.pop(next(iter(self._ready)))
        ready = self._ready[shapes] = self._session.interpreter_for(shapes)
        return ready


class LiteRtSession:
    """A model file; interpreters are made by its streams."""

    fixed_batches = True

    def __init__(self, library: Any, model: Path, options: BackendOptions, extra: _Extra, version: str) -> None:
        self._library = library
        self._model: Path | None = model
        self._options = options
        self._extra = extra
        self._version = version
        self._threads = options.threads or max(1, usable_cores() // options.streams)
        interpreter = self._interpreter()
        given, made = interpreter.get_input_details(), interpreter.get_output_details()
        self.quantised = any(_is_quantised(detail) for detail in interpreter.get_tensor_details())
        self.input_tensors = tuple(_tensor(detail, as_float=extra.as_float) for detail in given)
        self.output_tensors = tuple(_tensor(detail, as_float=extra.as_float) for detail in made)
        self.inputs = tuple(tensor.spec for tensor in self.input_tensors)
        self.outputs = tuple(tensor.spec for tensor in self.output_tensors)
        if all(spec.shape[:1] == (1,) for spec in (*self.inputs, *self.outputs)) and self._takes_any_batch():
            self.input_tensors, self.output_tensors = map(_any_batch, (self.input_tensors, self.output_tensors))
            self.inputs = tuple(tensor.spec for tensor in self.input_tensors)
            self.outputs = tuple(tensor.spec for tensor in self.output_tensors)

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Check that the model takes these batch sizes; streams lay out their memory at the first use of each.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            check_batch(self.inputs, size)

    def interpreter_for(self, shapes: Sequence[tuple[int, ...]]) -> _Ready:
        """A new interpreter for some input shapes.

        Raises:
            InvalidInputError: when the model does not take them.
        """
        if len(shapes) != len(self.inputs):
            raise InvalidInputError(
                "LiteRT refuses the inputs", expected=f"{len(self.inputs)} arrays", found=f"{len(shapes)} arrays"
            )
        for spec, shape in zip(self.inputs, shapes, strict=True):
            pairs = zip(shape, spec.shape, strict=False)
            if len(shape) != len(spec.shape) or any(want not in (-1, have) for have, want in pairs):
                raise InvalidInputError(
                    f"LiteRT refuses the input {spec.name!r}", expected=str(spec.shape), found=str(shape)
                )
        try:
            return self._laid_out(shapes)
        except (RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"the model cannot be laid out for these shapes: {_first_line(error)}", found=str(list(shapes))
            ) from error

    def stream(self) -> LiteRtStream:
        """A new stream."""
        self._loaded()
        return LiteRtStream(self)

    def describe(self) -> dict[str, str]:
        """What it is and how it computes; ``threads`` is the compute threads of all streams together."""
        return {
            "engine": "litert",
            "version": self._version,
            "device": "CPU",
            "delegate": "XNNPACK" if self._extra.xnnpack else "none",
            "precision": self._options.precision.value,
            "inputs": ", ".join(_described(tensor) for tensor in self.input_tensors),
            "threads": str(self._threads * self._options.streams),
            "streams": str(self._options.streams),
            **{f"option {key}": value for key, value in sorted(self._options.extra.items())},
        }

    def close(self) -> None:
        """Free the model."""
        self._model = None

    def _loaded(self) -> Path:
        if self._model is None:
            raise UsageError("the session is closed")
        return self._model

    def _interpreter(self) -> Any:
        kinds = self._library.OpResolverType
        kind = kinds.AUTO if self._extra.xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        model = self._loaded()
        try:
            return self._library.Interpreter(
                model_path=str(model), num_threads=self._threads, experimental_op_resolver_type=kind
            )
        except (ValueError, RuntimeError) as error:
            raise InvalidInputError(
                f"LiteRT cannot load the model: {_first_line(error)}", where=model, expected="a .tflite model"
            ) from error

    def _laid_out(self, shapes: Sequence[tuple[int, ...]]) -> _Ready:
        interpreter = self._interpreter()
        inputs = interpreter.get_input_details()
        for detail, shape in zip(inputs, shapes, strict=True):
            if tuple(detail["shape"]) != tuple(shape):
                interpreter.resize_tensor_input(detail["index"], list(shape))
        interpreter.allocate_tensors()
        outputs = interpreter.get_output_details()
        return _Ready(
            interpreter, tuple(detail["index"] for detail in inputs), tuple(detail["index"] for detail in outputs)
        )

    def _takes_any_batch(self) -> bool:
        """Whether the model can be resized to two samples and answers them as it does one by one."""
        random = np.random.default_rng(0)
        pairs = [_random(random, tensor) for tensor in self.input_tensors]
        try:
            together = self._answers(pairs)
            alone = [self._answers([pair[row : row + 1] for pair in pairs]) for row in range(2)]
        except (RuntimeError, ValueError):
            return False
        return all(
            both.shape[:1] == (2,) and np.allclose(both, np.concatenate(ones), rtol=_AGREES, atol=_AGREES)
            for both, *ones in zip(together, *alone, strict=True)
        )

    def _answers(self, arrays: Sequence[Array]) -> list[NDArray[Any]]:
        ready = self._laid_out([array.shape for array in arrays])
        for index, array in zip(ready.inputs, arrays, strict=True):
            ready.interpreter.set_tensor(index, array)
        ready.interpreter.invoke()
        return [np.asarray(ready.interpreter.get_tensor(index)) for index in ready.outputs]


class LiteRtBackend:
    """LiteRT."""

    name = "litert"
    title = "LiteRT (TensorFlow Lite)"
    formats = (ModelFormat.TFLITE,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        _library()
        notes = (int8_note(), "a model's file decides on its format: int8 for quantised ones, fp32 for others")
        return Capabilities(_version(), ("CPU",), (Precision.FP32, Precision.INT8), notes, _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Check the options.

        Raises:
            UsageError: for a precision or option that does not exist or has no such value.
        """
        _library()
        _read_extra(options.extra)
        _check_precision(options.precision)

    def open(self, model: Path, options: BackendOptions) -> LiteRtSession:
        """Load a model.

        Raises:
            NotFoundError: when the model is not there.
            InvalidInputError: when it is no model that LiteRT reads.
            UsageError: for a precision or option that cannot be had.
        """
        library = _library()
        extra = _read_extra(options.extra)
        _check_precision(options.precision)
        if not model.exists():
            raise NotFoundError("the model is not there", where=model)
        _check_mark(model)
        session = LiteRtSession(library, model, options, extra, _version())
        check_format(model, options.precision, quantised=session.quantised)
        return session


def _library() -> Any:
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise MissingDependencyError(
            f"LiteRT cannot be imported: {error}", hint='pip install "assay[litert]"'
        ) from error
    return interpreter


def _version() -> str:
    try:
        return metadata.version("ai-edge-litert")
    except metadata.PackageNotFoundError:
        return "unknown"


def _read_extra(given: Mapping[str, str]) -> _Extra:
    for key in given:
        if key not in _OPTIONS:
            raise UsageError(
                f"LiteRT has no option {key!r}",
                expected=" or ".join(nearest(key, _OPTIONS) or _OPTIONS),
                hint="assay backends show litert",
            )
    xnnpack, form = given.get("xnnpack", "on").lower(), given.get("io", "raw").lower()
    if xnnpack not in _SWITCH:
        raise UsageError("xnnpack is on or off", found=xnnpack)
    if form not in ("raw", "float"):
        raise UsageError("io is raw or float", found=form)
    return _Extra(_SWITCH[xnnpack], form == "float")


def _check_precision(precision: Precision) -> None:
    if precision in (Precision.BF16, Precision.FP16):
        raise UsageError(
            f"LiteRT computes no {precision.value} on CPUs",
            expected="fp32, or int8 with a quantised model",
            hint="give --precision fp32",
        )


def _check_mark(model: Path) -> None:
    """A flatbuffer says at its fifth byte what it holds; the library is only given those of its own."""
    try:
        with model.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise InvalidInputError(f"the model cannot be read: {error.strerror}", where=model) from error
    if head[4:8] != _MARK:
        raise InvalidInputError(
            "this is no TensorFlow Lite model", where=model, expected="a .tflite file", found=repr(head)
        )


def _tensor(detail: Mapping[str, Any], *, as_float: bool) -> _Tensor:
    dtype = np.dtype(detail["dtype"])
    signature = detail.get("shape_signature")
    shape = tuple(int(size) for size in (detail["shape"] if signature is None or not len(signature) else signature))
    scales = detail["quantization_parameters"]["scales"]
    scale, zero = detail["quantization"]
    converted = as_float and len(scales) == 1 and np.issubdtype(dtype, np.integer)
    spec = TensorSpec(str(detail["name"]), np.dtype(np.float32) if converted else dtype, shape)
    return _Tensor(spec, dtype, float(scale) if converted else 0.0, int(zero))


def _any_batch(tensors: tuple[_Tensor, ...]) -> tuple[_Tensor, ...]:
    return tuple(
        _Tensor(
            TensorSpec(tensor.spec.name, tensor.spec.dtype, (-1, *tensor.spec.shape[1:])),
            tensor.dtype,
            tensor.scale,
            tensor.zero,
        )
        for tensor in tensors
    )


def _random(random: np.random.Generator, tensor: _Tensor) -> Array:
    shape = (2, *(max(size, 1) for size in tensor.spec.shape[1:]))
    if np.issubdtype(tensor.dtype, np.integer):
        return random.integers(0, 2, shape).astype(tensor.dtype)
    return random.standard_normal(shape).astype(tensor.dtype)


def _is_quantised(detail: Mapping[str, Any]) -> bool:
    return np.dtype(detail["dtype"]) in (np.int8, np.uint8) and len(detail["quantization_parameters"]["scales"]) > 0


def _described(tensor: _Tensor) -> str:
    """An input for the record, with how it is quantised."""
    if np.issubdtype(tensor.dtype, np.integer) and tensor.scale:
        return f"{tensor.spec.name} {tensor.dtype} quantised here"
    return f"{tensor.spec.name} {tensor.dtype}"


def _refused(inputs: Sequence[Array], specs: Sequence[TensorSpec], error: Exception) -> AssayError:
    return InvalidInputError(
        f"LiteRT refuses the inputs: {_first_line(error)}",
        expected=", ".join(f"{spec.name} {spec.dtype} {spec.shape}" for spec in specs),
        found=", ".join(f"{array.dtype} {array.shape}" for array in inputs),
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


BACKEND = LiteRtBackend()

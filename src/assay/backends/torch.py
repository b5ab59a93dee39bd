"""PyTorch: TorchScript files and programs exported by ``torch.export`` (``.pt2``); fp32, and bf16 where it is native.

Neither form needs the Python code of the model. A TorchScript file is data to PyTorch's own reader, which knows a fixed
set of types; an exported program is looked through first (:mod:`assay.backends.torch_archive`). Both hold a program all
the same, so take one only from where you would take a program. A pickled model (``torch.save(model)``) would run what its
maker wrote while it is read, and is refused, as are weights without a program.

A TorchScript file does not say what goes in, so its inputs are told as an option, and the outputs are found by running
it twice with different sizes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.backends.batches import check_batch
from assay.backends.cpu import bf16_note, native_precisions, usable_cores
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.backends.torch_archive import Form, check_exported, form_of
from assay.base.tensors import Array, TensorSpec
from assay.errors import (
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    RunFailedError,
    UsageError,
    nearest,
)

_CPU = "cpu"
_OPTIONS = {
    "inputs": "what a TorchScript model takes, such as image:float32:-1x3x224x224; several with ; between them",
    "outputs": "names of its outputs with ; between them; output_0 and so on when not given",
    "device": "device to run on, such as cuda; cpu when not given",
}
_INPUT = re.compile(r"(?P<name>[\w.:/-]{1,100}):(?P<dtype>[a-z0-9]{1,10}):(?P<shape>-?\d{1,9}(?:x-?\d{1,9}){0,15})")
_DTYPES = ("float32", "float16", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
_FREE = (2, 3)


@dataclass(frozen=True, slots=True)
class _Extra:
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    device: str


class TorchStream:
    """One worker's calls."""

    def __init__(self, session: TorchSession) -> None:
        self._session = session

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch.

        Raises:
            InvalidInputError: when the arrays are not what the model takes.
            RunFailedError: when the engine breaks.
        """
        specs = self._session.inputs
        if len(inputs) != len(specs) or any(
            array.dtype != spec.dtype or not _fits(array.shape, spec.shape)
            for array, spec in zip(inputs, specs, strict=True)
        ):
            raise InvalidInputError(
                "the model does not take these inputs",
                expected=", ".join(f"{spec.name} {spec.dtype} {spec.shape}" for spec in specs),
                found=", ".join(f"{array.dtype} {array.shape}" for array in inputs) or "no arrays",
            )
        return self._session.call(inputs)


class TorchSession:
    """A program loaded into PyTorch; streams share its weights."""

    fixed_batches = False

    def __init__(self, library: Any, program: Any, specs: _Extra, options: BackendOptions, form: Form) -> None:
        self._torch = library
        self._program = program
        self._options = options
        self._form = form
        self._device = specs.device
        self.inputs = specs.inputs
        shapes = self._output_shapes()
        names = specs.outputs or tuple(f"output_{number}" for number in range(len(shapes)))
        if len(names) != len(shapes):
            raise UsageError(
                "the option outputs names another number of outputs than the model has",
                expected=f"{len(shapes)} names",
                found=", ".join(names),
            )
        self.outputs = tuple(TensorSpec(name, dtype, shape) for name, (dtype, shape) in zip(names, shapes, strict=True))

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Check that the model takes these batch sizes.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            check_batch(self.inputs, size)

    def call(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run the program.

        Raises:
            RunFailedError: when it breaks.
        """
        torch = self._torch
        if self._program is None:
            raise UsageError("the session is closed")
        try:
            with torch.inference_mode(), self._format():
                # from_numpy warns of arrays that may not be written, such as memory-mapped samples.
                tensors = [torch.from_numpy(_writable(array)).to(self._device) for array in inputs]
                answer = self._program(*tensors)
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:
            raise RunFailedError(f"PyTorch broke while it ran the model: {_last_line(error)}") from error
        return tuple(_as_array(torch, tensor) for tensor in _tensors(torch, answer))

    def stream(self) -> TorchStream:
        """A new stream."""
        if self._program is None:
            raise UsageError("the session is closed")
        return TorchStream(self)

    def describe(self) -> dict[str, str]:
        """What it is; ``threads`` is the compute threads of all streams together."""
        return {
            "engine": "torch",
            "version": str(self._torch.__version__),
            "form": self._form.value,
            "device": self._device,
            "precision": self._options.precision.value,
            "threads": str(self._torch.get_num_threads() * self._options.streams),
            "streams": str(self._options.streams),
            **{f"option {key}": value for key, value in sorted(self._options.extra.items())},
        }

    def close(self) -> None:
        """Free the model."""
        self._program = None

    def _format(self) -> AbstractContextManager[Any]:
        if self._options.precision is Precision.FP32:
            return nullcontext()
        kind = self._device.partition(":")[0]
        dtype = getattr(self._torch, {"bf16": "bfloat16", "fp16": "float16"}[self._options.precision.value])
        return self._torch.autocast(kind, dtype=dtype)  # type: ignore[no-any-return]

    def _output_shapes(self) -> list[tuple[np.dtype[np.generic], tuple[int, ...]]]:
        """Types and shapes of the outputs, from two runs: what differs between them is free."""
        runs = []
        for free in _FREE:
            arrays = [
                np.zeros([free if size == -1 else size for size in spec.shape], spec.dtype) for spec in self.inputs
            ]
            try:
                runs.append(self.call(arrays))
            except RunFailedError as error:
                raise InvalidInputError(
                    "the model does not run with the inputs that it is said to take",
                    expected=", ".join(f"{spec.name} {spec.dtype} {spec.shape}" for spec in self.inputs),
                    found=error.what,
                    hint="tell its inputs: --backend-option inputs=image:float32:-1x3x224x224",
                ) from error
        return [
            (one.dtype, tuple(a if a == b else -1 for a, b in zip(one.shape, other.shape, strict=True)))
            for one, other in zip(*runs, strict=True)
        ]


class TorchBackend:
    """PyTorch."""

    name = "torch"
    title = "PyTorch"
    formats = (ModelFormat.TORCH,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        torch = _library()
        devices = _devices(torch)
        formats = tuple(item for item in native_precisions() if item is not Precision.INT8)
        if devices != (_CPU,):
            formats = (*dict.fromkeys((*formats, Precision.BF16, Precision.FP16)),)
        notes = [
            bf16_note(),
            "reads TorchScript and exported programs; take them only from where you would take programs",
        ]
        if devices != (_CPU,):
            notes.append(f"others than the CPU by --backend-option device={devices[-1]}")
        return Capabilities(str(torch.__version__), devices, formats, tuple(notes), _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Check the options.

        Raises:
            UsageError: for a precision, option or device that cannot be had.
        """
        extra = _read_extra(options.extra, _devices(_library()))
        _check_precision(options.precision, extra.device)

    def open(self, model: Path, options: BackendOptions) -> TorchSession:
        """Load a program.

        Raises:
            NotFoundError: when the model is not there.
            InvalidInputError: when it is no program that can be read without running a pickle.
            UsageError: for a precision, option or device that cannot be had.
        """
        torch = _library()
        extra = _read_extra(options.extra, _devices(torch))
        _check_precision(options.precision, extra.device)
        if not model.exists():
            raise NotFoundError("the model is not there", where=model)
        torch.set_num_threads(options.threads or max(1, usable_cores() // options.streams))
        if form_of(model) is Form.EXPORTED:
            program, inputs = _exported(torch, model, extra)
            found = _Extra(inputs, extra.outputs, extra.device)
            return TorchSession(torch, program, found, options, Form.EXPORTED)
        if not extra.inputs:
            raise UsageError(
                "a TorchScript model does not say what it takes",
                expected="--backend-option inputs=NAME:DTYPE:SHAPE",
                hint="for images: --backend-option inputs=image:float32:-1x3x224x224",
            )
        return TorchSession(torch, _script(torch, model, extra), extra, options, Form.SCRIPT)


def _library() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"PyTorch cannot be imported: {error}", hint='pip install "assay[torch]"'
        ) from error
    return torch


def _devices(torch: Any) -> tuple[str, ...]:
    return (_CPU, "cuda") if torch.cuda.is_available() else (_CPU,)


def _read_extra(given: Mapping[str, str], devices: Sequence[str]) -> _Extra:
    for key in given:
        if key not in _OPTIONS:
            raise UsageError(
                f"PyTorch has no option {key!r}",
                expected=" or ".join(nearest(key, _OPTIONS) or _OPTIONS),
                hint="assay backends show torch",
            )
    device = given.get("device", _CPU)
    name, _, number = device.partition(":")
    if name not in devices or (number and not number.isdecimal()):
        raise UsageError(
            f"PyTorch has no device {device!r} here",
            expected=" or ".join(devices),
            hint="pip install a torch that is built for it" if name == "cuda" else None,
        )
    inputs = tuple(_input(text) for text in given["inputs"].split(";")) if "inputs" in given else ()
    outputs = tuple(name.strip() for name in given.get("outputs", "").split(";") if name.strip())
    return _Extra(inputs, outputs, device)


def _input(text: str) -> TensorSpec:
    match = _INPUT.fullmatch(text.strip())
    if match is None or match["dtype"] not in _DTYPES:
        raise UsageError(
            "this does not describe an input",
            expected=f"NAME:DTYPE:SHAPE with a type of {', '.join(_DTYPES)}, such as image:float32:-1x3x224x224",
            found=repr(text[:100]),
        )
    shape = tuple(int(size) for size in match["shape"].split("x"))
    if any(size == 0 or size < -1 for size in shape):
        raise UsageError("sizes of an input are above 0, or -1 for any", found=match["shape"])
    return TensorSpec(match["name"], np.dtype(match["dtype"]), shape)


def _check_precision(precision: Precision, device: str) -> None:
    if precision is Precision.FP32 or (precision is not Precision.INT8 and device != _CPU):
        return
    if precision is Precision.BF16 and Precision.BF16 in native_precisions():
        return
    raise UsageError(
        f"PyTorch has no {precision.value} on this {device}",
        expected="fp32, or bf16 on a processor with AMX or AVX512-BF16",
        hint="give --precision fp32",
    )


def _script(torch: Any, model: Path, extra: _Extra) -> Any:
    try:
        program = torch.jit.load(str(model), map_location=extra.device)
        program.eval()
    except (RuntimeError, ValueError) as error:
        raise _unreadable(model, error) from error
    return program


def _exported(torch: Any, model: Path, extra: _Extra) -> tuple[Any, tuple[TensorSpec, ...]]:
    """The program and its inputs, which it says itself."""
    check_exported(torch, model)
    try:
        exported = torch.export.load(str(model))
        wanted = set(exported.graph_signature.user_inputs)
        inputs = tuple(
            _placeholder(torch, node)
            for node in exported.graph.nodes
            if node.op == "placeholder" and node.name in wanted
        )
        program = _without_guards(exported)
        if extra.device != _CPU:
            program.to(extra.device)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise _unreadable(model, error) from error
    return program, inputs


def _without_guards(exported: Any) -> Any:
    """The program as a module; the checks of its inputs are code in the file, which is not run (they are made here)."""
    if "check_guards" in inspect.signature(exported.module).parameters:
        return exported.module(check_guards=False)
    return exported.module()


def _placeholder(torch: Any, node: Any) -> TensorSpec:
    value = node.meta["val"]
    shape = tuple(size if isinstance(size, int) else -1 for size in value.shape)
    dtype = torch.empty(0, dtype=value.dtype).numpy().dtype
    return TensorSpec(str(node.name), dtype, shape)


def _unreadable(model: Path, error: Exception) -> InvalidInputError:
    return InvalidInputError(
        f"PyTorch cannot load the program: {_last_line(error)}",
        where=model,
        expected="a TorchScript file or an exported program (.pt2) of a version that this PyTorch reads",
    )


def _tensors(torch: Any, answer: Any) -> list[Any]:
    """The tensors of an answer, in order, whatever it is wrapped in."""
    if isinstance(answer, torch.Tensor):
        return [answer]
    items = answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, tuple | list) else None
    if items is None:
        raise RunFailedError("the model answers with something else than tensors", found=type(answer).__name__)
    return [tensor for item in items for tensor in _tensors(torch, item)]


def _as_array(torch: Any, tensor: Any) -> Array:
    whole = tensor.detach().to("cpu")
    array: Array = (whole.float() if whole.dtype in (torch.bfloat16, torch.float16) else whole).numpy()
    return array


def _writable(array: Array) -> Array:
    return array if array.flags.writeable and array.flags.c_contiguous else np.array(array, order="C")


def _fits(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    pairs = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(want in (-1, have) for have, want in pairs)


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__


BACKEND = TorchBackend()

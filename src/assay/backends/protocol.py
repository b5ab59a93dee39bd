"""What an inference engine has to offer.

A :class:`Backend` opens a model into a :class:`Session`; a session hands out :class:`Stream` objects, one for each
worker thread. Arrays go in and out by position, in the order of :attr:`Session.inputs` and :attr:`Session.outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from assay.base.generation import Decoding, Generated, Prompt
from assay.base.tensors import Array, TensorSpec

__all__ = [
    "NO_FILE",
    "Array",
    "Backend",
    "BackendOptions",
    "Capabilities",
    "Decoding",
    "Generated",
    "GeneratingStream",
    "ModelFormat",
    "Precision",
    "Prompt",
    "Session",
    "Stream",
    "TensorSpec",
]


NO_FILE = Path()
"""What a remote engine is given in place of a model file: the server has the model, its address is an option."""


class ModelFormat(StrEnum):
    """Form in which a model is kept."""

    ONNX = "onnx"
    GGUF = "gguf"
    CTRANSLATE2 = "ctranslate2"
    TFLITE = "tflite"
    TORCH = "torch"
    REMOTE = "remote"
    """On a server: there is no file, and the engine is told an address."""


class Precision(StrEnum):
    """Number format that the heavy layers are computed in."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How an engine is asked to run.

    Attributes:
        threads: compute threads of one stream; 0 lets the engine share the machine's cores among the streams.
        streams: worker threads that run batches side by side.
        precision: number format; ``int8`` needs a quantised model.
        extra: engine-specific settings, passed on as written.
    """

    threads: int = 0
    streams: int = 1
    precision: Precision = Precision.FP32
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do on this machine.

    Attributes:
        version: of the engine's library.
        devices: devices it can use here, such as ``CPU``.
        precisions: formats that this machine computes natively.
        notes: what a user should know, one sentence each.
        options: keys that :attr:`BackendOptions.extra` takes, with what each does.
    """

    version: str
    devices: tuple[str, ...]
    precisions: tuple[Precision, ...]
    notes: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


class Stream(Protocol):
    """One worker's way into a session; used by one thread at a time."""

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch; the first dimension of every array is the batch.

        The returned arrays are valid until the next call on the same stream.
        """


class GeneratingStream(Stream, Protocol):
    """A stream of an engine that makes text by itself, beside running graphs or instead of it."""

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Answers to some prompts, in their order.

        Raises:
            InvalidInputError: when a prompt is longer than the model takes.
            RunFailedError: when the engine or its server gives no usable answer.
        """


class Session(Protocol):
    """A loaded model."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    fixed_batches: bool
    """True when a batch size that :meth:`prepare` has not seen costs time (compilation) at its first use."""

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Get ready for these batch sizes, outside the timed part; the harness calls it once before the warm-up."""

    def stream(self) -> Stream:
        """A new stream; streams of a session may run at the same time in different threads."""

    def describe(self) -> dict[str, str]:
        """Facts for the run's record: engine, version, device, precision really used, threads."""

    def close(self) -> None:
        """Free the model."""


class Backend(Protocol):
    """An inference engine.

    Attributes:
        name: what it is called in commands.
        title: its name for people.
        formats: forms of model that it reads; ``remote`` alone for one that drives a server.
    """

    name: str
    title: str
    formats: tuple[ModelFormat, ...]

    def capabilities(self) -> Capabilities:
        """What it can do on this machine.

        Raises:
            MissingDependencyError: when the engine's library is not installed.
        """

    def check_options(self, options: BackendOptions) -> None:
        """Refuse options that :meth:`open` would refuse whatever the model is; asked before anything is fetched.

        Raises:
            UsageError: for an option that does not exist, has no such value, or cannot be met on this machine.
            MissingDependencyError: when the engine's library is not installed.
        """

    def open(self, model: Path, options: BackendOptions) -> Session:
        """Load a model.

        Args:
            model: its file or folder; :data:`NO_FILE` for an engine that drives a server.
            options: how to run it.

        Raises:
            NotFoundError: when there is no such file.
            InvalidInputError: when the file is no model that this engine reads.
            UsageError: when an option cannot be met on this machine (bf16 without hardware support), does not exist,
                or the model would run in another format than asked for.
            MissingDependencyError: when the engine's library is not installed.
        """

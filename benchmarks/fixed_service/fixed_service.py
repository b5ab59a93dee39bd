"""A plugin: an engine that answers with zeros after a fixed time for each sample, which takes no processor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from assay.backends.null import NullSession, NullStream
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.base.tensors import TensorSpec
from assay.models.inspection import inspect_onnx

GAP_S = 0.0005
"""Between two calls while queries wait; what one sleep took too long is made good in the next only then."""


class FixedStream(NullStream):
    """Sleeps for each sample of a batch."""

    def __init__(self, outputs: tuple[TensorSpec, ...], seconds: float) -> None:
        super().__init__(outputs)
        self._seconds = seconds
        self._due = self._ended = 0.0

    def run(self, inputs: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Zeros, after the time."""
        now = time.perf_counter()
        self._due = (self._due if now - self._ended < GAP_S else now) + self._seconds * len(inputs[0])
        time.sleep(max(0.0, self._due - now))
        self._ended = time.perf_counter()
        return super().run(inputs)


class FixedSession(NullSession):
    """A model that is never run."""

    def __init__(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], seconds: float) -> None:
        super().__init__(inputs, outputs)
        self._seconds = seconds

    def stream(self) -> FixedStream:
        """A new stream."""
        return FixedStream(self.outputs, self._seconds)


class FixedBackend:
    """The engine; ``ms`` is the time of a sample in milliseconds."""

    name = "fixed"
    title = "Fixed service time"
    formats: tuple[ModelFormat, ...] = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """Every format, since nothing is computed."""
        return Capabilities("1", ("none",), tuple(Precision))

    def check_options(self, options: BackendOptions) -> None:
        """Takes any."""

    def open(self, model: Path, options: BackendOptions) -> FixedSession:
        """Open the model for its inputs and outputs."""
        inputs, outputs = inspect_onnx(model)
        return FixedSession(tuple(inputs), tuple(outputs), float(options.extra.get("ms", "3")) / 1e3)


BACKEND = FixedBackend()

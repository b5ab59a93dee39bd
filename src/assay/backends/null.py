"""An engine that computes nothing: it answers with zeros at once, to measure the harness itself.

It reads the model's inputs and outputs from the file, so that everything around it is as in a real run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.backends.batches import check_batch
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.base.tensors import Array, TensorSpec
from assay.errors import UsageError
from assay.models.inspection import inspect_onnx


class NullStream:
    """Zeros, made once for each batch size."""

    def __init__(self, outputs: tuple[TensorSpec, ...]) -> None:
        self._specs = outputs
        self._zeros: dict[int, tuple[Array, ...]] = {}

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """The same zeros for every batch of a size."""
        count = len(inputs[0])
        zeros = self._zeros.get(count)
        if zeros is None:
            zeros = tuple(np.zeros((count, *(max(d, 1) for d in spec.shape[1:])), spec.dtype) for spec in self._specs)
            for array in zeros:
                array.flags.writeable = False
            self._zeros[count] = zeros
        return zeros


class NullSession:
    """A model that is never run."""

    fixed_batches = False

    def __init__(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        self.inputs = inputs
        self.outputs = outputs

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Check that the model takes these batch sizes, as any engine would.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            check_batch(self.inputs, size)

    def stream(self) -> NullStream:
        """A new stream."""
        return NullStream(self.outputs)

    def describe(self) -> dict[str, str]:
        """What it is."""
        return {"engine": "null", "version": "1", "device": "none", "precision": "none"}

    def close(self) -> None:
        """Nothing to free."""


class NullBackend:
    """The engine that computes nothing."""

    name = "null"
    title = "Null (measures the harness)"
    formats = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """Every format, since nothing is computed."""
        return Capabilities("1", ("none",), tuple(Precision), ("answers with zeros: accuracy means nothing",))

    def check_options(self, options: BackendOptions) -> None:
        """Refuse options of its own: there are none.

        Raises:
            UsageError: when one is given.
        """
        if options.extra:
            raise UsageError(
                "the null engine has no options", found=", ".join(options.extra), hint="leave --backend-option out"
            )

    def open(self, model: Path, options: BackendOptions) -> NullSession:
        """Read the model's inputs and outputs.

        Raises:
            NotFoundError: when the model is not there.
            InvalidInputError: when it is no ONNX model.
            UsageError: for an option of its own.
        """
        self.check_options(options)
        inputs, outputs = inspect_onnx(model)
        return NullSession(tuple(inputs), tuple(outputs))


BACKEND = NullBackend()

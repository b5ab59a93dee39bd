"""A plugin: an engine whose work is a sleep with a best batch size, and a quick format that answers wrongly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.models.inspection import inspect_onnx

CLASSES = 10
BEST = 8
"""Batch size at which a sample takes least."""


def seconds(batch: int, precision: Precision) -> float:
    """A call costs, and so does what no longer fits."""
    whole = 0.008 + 0.001 * batch + 0.004 * max(0, batch - BEST)
    return whole / 2 if precision is Precision.BF16 else whole


class SleepStream:
    """Answers, and sleeps."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision

    def run(self, inputs: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Logits of a batch: the mean of one colour for each class; bf16 turns them round."""
        (pictures,) = inputs
        time.sleep(seconds(len(pictures), self.precision))
        means = pictures.mean(axis=(2, 3))
        logits = np.stack([means[:, label % 3] * (1 - label * 0.01) for label in range(CLASSES)], axis=1)
        return [(-logits if self.precision is Precision.BF16 else logits).astype(np.float32)]


class SleepSession:
    """The loaded engine."""

    fixed_batches = False

    def __init__(self, model: Path, options: BackendOptions) -> None:
        inputs, outputs = inspect_onnx(model)
        self.inputs, self.outputs, self.precision = tuple(inputs), tuple(outputs), options.precision

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing to do."""

    def stream(self) -> SleepStream:
        """A new stream."""
        return SleepStream(self.precision)

    def describe(self) -> dict[str, str]:
        """What it is."""
        return {"engine": "sleeper"}

    def close(self) -> None:
        """Nothing to free."""


class SleepBackend:
    """The engine."""

    name = "sleeper"
    title = "Sleeper"
    formats: tuple[ModelFormat, ...] = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """Two formats."""
        return Capabilities("1", ("CPU",), (Precision.FP32, Precision.BF16))

    def check_options(self, options: BackendOptions) -> None:
        """Takes any."""

    def open(self, model: Path, options: BackendOptions) -> SleepSession:
        """Open the model for its inputs and outputs."""
        return SleepSession(model, options)


BACKEND = SleepBackend()

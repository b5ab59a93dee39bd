"""A plugin: an engine whose work is a sleep, honest or cheating in a way that a compliance test is there to find."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision
from assay.models.inspection import inspect_onnx

COST_S = 0.004
"""Of one sample."""
GAP_S = 0.05
"""Between two calls of one query, at most."""
CLASSES = 10


def right(pictures: NDArray[Any]) -> NDArray[Any]:
    """Logits as the model of the tests has them: the mean of one colour for each class."""
    means = pictures.mean(axis=(2, 3))
    return np.stack([means[:, label % 3] * (1 - label * 0.01) for label in range(CLASSES)], axis=1).astype(np.float32)


def performance_mode() -> bool:
    """Whether the worker, which nobody should look at, runs for speed."""
    return bool(json.loads((Path(sys.argv[1]) / "spec.json").read_text())["mode"] == "performance")


class CheatStream:
    """Answers, and sleeps as long as the work would take."""

    def __init__(self, extra: Mapping[str, str]) -> None:
        self.how = extra.get("cheat", "none")
        self.notes = Path(extra["notes"]) if "notes" in extra else None
        self.seen: set[bytes] = set()
        self.known = set(self.notes.read_text().split()) if self.notes and self.notes.exists() else set()
        self.due = self.ended = 0.0

    def run(self, inputs: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Logits of a batch."""
        (pictures,) = inputs
        self.work(self.cost(pictures))
        answers = right(pictures)
        if self.how == "wrong" and performance_mode():
            answers = np.tile(np.arange(CLASSES, 0, -1, dtype=np.float32), (len(pictures), 1))
        if self.how == "drop" and performance_mode():
            # Every tenth picture is taken for another, as a coarser model does.
            answers[pictures.min(axis=(1, 2, 3)) % 10 == 0] *= -1
        if self.how == "second" and performance_mode():
            # The first label stays; the others, which are kept too, change.
            rows, best = np.arange(len(answers)), answers.argmax(axis=1)
            kept = answers[rows, best]
            answers = -answers
            answers[rows, best] = kept
        return [answers]

    def cost(self, pictures: NDArray[Any]) -> float:
        """Seconds that a batch takes."""
        if self.how == "cache":
            new = {picture.tobytes() for picture in pictures} - self.seen
            self.seen |= new
            return COST_S * len(new)
        if self.how in ("order", "table"):
            name = hashlib.sha256(pictures.tobytes()).hexdigest()
            if name in self.known:
                return COST_S * len(pictures) / (2 if self.how == "order" else 4)
            if self.notes is not None and not self.known:
                with self.notes.open("a") as stream:
                    stream.write(f"{name}\n")
        return COST_S * len(pictures)

    def work(self, seconds: float) -> None:
        """Sleep; what sleeps before took too long is made good, so that a busy machine changes little."""
        now = time.perf_counter()
        self.due = (self.due if now - self.ended < GAP_S else now) + seconds
        time.sleep(max(0.0, self.due - now))
        self.ended = time.perf_counter()


class CheatSession:
    """The loaded engine."""

    fixed_batches = False

    def __init__(self, model: Path, extra: Mapping[str, str]) -> None:
        inputs, outputs = inspect_onnx(model)
        self.inputs, self.outputs, self.extra = tuple(inputs), tuple(outputs), extra

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing to do."""

    def stream(self) -> CheatStream:
        """A new stream."""
        return CheatStream(self.extra)

    def describe(self) -> dict[str, str]:
        """What it is."""
        return {"engine": "cheat"}

    def close(self) -> None:
        """Nothing to free."""


class CheatBackend:
    """The engine."""

    name = "cheat"
    title = "Cheat"
    formats: tuple[ModelFormat, ...] = (ModelFormat.ONNX,)

    def capabilities(self) -> Capabilities:
        """Everything."""
        return Capabilities("1", ("CPU",), tuple(Precision))

    def check_options(self, options: BackendOptions) -> None:
        """Takes any."""

    def open(self, model: Path, options: BackendOptions) -> CheatSession:
        """Open the model for its inputs and outputs."""
        return CheatSession(model, options.extra)


BACKEND = CheatBackend()

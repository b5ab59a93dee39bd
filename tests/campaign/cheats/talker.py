"""A plugin: an engine that says the same to everything, honest or not in what it tells of its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from assay.backends.protocol import (
    BackendOptions,
    Capabilities,
    Decoding,
    Generated,
    ModelFormat,
    Precision,
    Prompt,
    TensorSpec,
)

WORDS = (10, 11, 12, 13)
END = 2


class TalkerStream:
    """Says its words."""

    def __init__(self, how: str) -> None:
        self._how = how

    def run(self, inputs: Sequence[NDArray[np.generic]]) -> Sequence[NDArray[np.generic]]:
        """Not what it does."""
        raise NotImplementedError

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """The words to each prompt."""
        return [self._answer(place, decoding) for place in range(len(prompts))]

    def _answer(self, place: int, decoding: Decoding) -> Generated:
        begun = perf_counter_ns()
        words = [*WORDS, END, *([END] if self._how == "ends" else [])]
        if decoding.tell_first is not None and self._how != "silent":
            decoding.tell_first(place, 99 if self._how == "first" else words[0], "a")
        first = perf_counter_ns() - begun
        if self._how == "lengths":
            # A text, of which only the engine says how long it is.
            return Generated(np.empty(0, np.int32), "a few words", first, first + 10, token_count=400)
        return Generated(np.array(words, np.int32), "", first, first + 10)


class TalkerSession:
    """The loaded engine."""

    fixed_batches = False
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, extra: Mapping[str, str]) -> None:
        self._extra = extra

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing to do."""

    def stream(self) -> TalkerStream:
        """A new stream."""
        return TalkerStream(self._extra.get("cheat", "none"))

    def describe(self) -> dict[str, str]:
        """What it is."""
        return {"engine": "talker"}

    def close(self) -> None:
        """Nothing to free."""


class TalkerBackend:
    """The engine."""

    name = "talker"
    title = "Talker"
    formats: tuple[ModelFormat, ...] = (ModelFormat.GGUF,)

    def capabilities(self) -> Capabilities:
        """Everything."""
        return Capabilities("1", ("CPU",), tuple(Precision))

    def check_options(self, options: BackendOptions) -> None:
        """Takes any."""

    def open(self, model: Path, options: BackendOptions) -> TalkerSession:
        """Whatever the model is."""
        return TalkerSession(options.extra)


BACKEND = TalkerBackend()

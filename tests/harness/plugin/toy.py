"""A plugin: a task whose samples and responses differ in size, and an engine that fails when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.protocol import BackendOptions, Capabilities, Decoding, Generated, ModelFormat, Precision, Prompt
from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.protocol import (
    MODEL,
    Accuracy,
    BaseTask,
    Dataset,
    Model,
    Pipeline,
    Responses,
    Sample,
    Samples,
    SkippedSample,
)

COUNT = 40


def sentence(index: int) -> NDArray[np.int32]:
    """The tokens of a sample: 1 to 13 of them."""
    return np.arange(index, index + (index * 7) % 13 + 1, dtype=np.int32)


def answer(index: int) -> NDArray[Any]:
    """The right response: the sum, then every token twice; nothing for every tenth sample."""
    tokens = sentence(index)
    return np.concatenate([[tokens.sum()], tokens * 2]).astype(np.int64) if index % 10 else np.empty(0, np.int64)


class ToyDataset:
    """Sentences made from their number."""

    skipped: tuple[SkippedSample, ...] = ()

    def __init__(self, count: int) -> None:
        self.count = count
        self.sizes = np.array([len(sentence(index)) for index in range(count)], np.int64)

    def load(self, indices: Sequence[int]) -> list[Sample]:
        """Tokens, and whether an answer is wanted."""
        assert len(set(indices)) == len(indices)
        return [(sentence(i), np.array(i % 10 != 0)) for i in indices]


class ToyPipeline:
    """Pads, runs, cuts."""

    def __init__(self, model: Model) -> None:
        self.parts = model
        self.reset()

    def __call__(self, samples: Samples) -> Responses:
        """Sum and doubled tokens of every sentence."""
        assert isinstance(samples, list)
        longest = max(len(tokens) for tokens, _ in samples)
        padded = np.zeros((len(samples), longest), np.int32)
        for row, (tokens, _) in zip(padded, samples, strict=True):
            row[: len(tokens)] = tokens
        sums = self.parts[MODEL].run([padded])[0]
        self.tokens += sum(len(tokens) for tokens, _ in samples)
        self.padding += padded.size
        self.batches.append([len(tokens) for tokens, _ in samples])
        return [self._one(tokens, wanted, total) for (tokens, wanted), total in zip(samples, sums, strict=False)]

    def _one(self, tokens: Any, wanted: Any, total: Any) -> NDArray[Any]:
        return np.concatenate([total, tokens * 2]).astype(np.int64) if wanted else np.empty(0, np.int64)

    def figures(self) -> Mapping[str, float]:
        """Tokens, tokens with padding, and the largest batch."""
        work = max((sum(batch) for batch in self.batches), default=0)
        return {"tokens": self.tokens, "padded_tokens": self.padding, "batch_work_max": work}

    def reset(self) -> None:
        """Begin anew."""
        self.tokens = self.padding = 0
        self.batches: list[list[int]] = []


class ToyTask(BaseTask):
    """Sums of sentences."""

    name = "toy"

    def open_dataset(
        self,
        path: Path,
        recipe: Mapping[str, Any],
        *,
        cache: Path,
        limit: int | None = None,
        skip_bad: bool = False,
        model: Path | None = None,
        progress: Progress,
    ) -> Dataset:
        """The forty sentences."""
        return ToyDataset(min(limit or COUNT, COUNT))

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Only tokens fit."""
        if not inputs or inputs[0].dtype != np.int32:
            raise InvalidInputError("the model takes no tokens")

    def parts(self, recipe: Mapping[str, Any]) -> Mapping[str, str]:
        """As the recipe says."""
        return dict(recipe.get("parts", {}))

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> Samples:
        """Sentences of other lengths."""
        random = np.random.default_rng(seed)
        return [(random.integers(0, 9, length + 1, np.int32), np.array(True)) for length in range(count)]

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """Pad and run."""
        return ToyPipeline(model)

    def batch_work(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """As the recipe says."""
        return int(recipe.get("work", 0))

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """As the recipe says."""
        return int(recipe.get("memory", 0))

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Nothing here is scored."""
        raise NotImplementedError


class ToyStream:
    """Sums of rows; breaks after ``fail_after`` calls, or forgets rows when ``short``."""

    def __init__(self, extra: Mapping[str, str]) -> None:
        self.left = int(extra.get("fail_after", 1 << 30))
        self.short = "short" in extra

    def run(self, inputs: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Row sums, ``(batch, 1)``."""
        self.left -= 1
        if self.left < 0:
            raise ConnectionError("the server hung up")
        sums = inputs[0].sum(axis=1, keepdims=True)
        return [sums[:-1] if self.short and len(sums) > 1 else sums]

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Nothing."""
        return [Generated(np.empty(0, np.int32), "", None, 0) for _ in prompts]


class ToySession:
    """The loaded engine."""

    inputs = (TensorSpec("tokens", np.dtype(np.int32), (-1, -1)),)
    outputs = (TensorSpec("sums", np.dtype(np.int64), (-1, 1)),)
    fixed_batches = True

    def __init__(self, model: Path, extra: Mapping[str, str]) -> None:
        self.model, self.extra = model, extra

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing to do."""

    def stream(self) -> ToyStream:
        """A new stream."""
        return ToyStream(self.extra)

    def describe(self) -> dict[str, str]:
        """What it is."""
        return {"engine": "toy", "model": self.model.name}

    def close(self) -> None:
        """Nothing to free."""


class ToyBackend:
    """The engine; with no file at all it is a server."""

    name = "toy"
    title = "Toy"
    formats: tuple[ModelFormat, ...] = (ModelFormat.CTRANSLATE2,)

    def capabilities(self) -> Capabilities:
        """Everything."""
        return Capabilities("1", ("CPU",), tuple(Precision))

    def check_options(self, options: BackendOptions) -> None:
        """Takes any."""

    def open(self, model: Path, options: BackendOptions) -> ToySession:
        """Open whatever it is."""
        return ToySession(model, options.extra)


TASK = ToyTask()
BACKEND = ToyBackend()

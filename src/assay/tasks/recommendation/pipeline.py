"""From groups of pairs to responses: the pairs of a batch side by side through the engine, the answers parted again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError
from assay.tasks.protocol import ModelPart, Parted, Responses, Sample, Samples
from assay.tasks.recommendation.pairs import Numbers
from assay.tasks.recommendation.recipe import Recipe

Inputs = Callable[[NDArray[Any], NDArray[Any]], Sequence[Array]]
"""From dense values and ids to a model's inputs by position."""

_STEPS = 8
"""Numbers of pairs that an engine of fixed shapes is shown: eighths of the largest."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a model takes pairs.

    Attributes:
        ids: type of its ids.
        inputs: makes its inputs.
    """

    ids: np.dtype[Any]
    inputs: Inputs


def wire(inputs: Sequence[TensorSpec], recipe: Recipe) -> Wiring:
    """Find out how a model takes pairs.

    Either ``(pairs, dense)`` and ``(pairs, ids)``, by position; or as MLPerf's own ONNX files do, by name: ``dense_x``,
    then ``offsets`` and ``indices`` of all tables, ``(tables, pairs)``, or ``offsets_N`` and ``indices_N`` of each
    (mlcommons/inference v3.0, recommendation/dlrm, backend_onnxruntime.py).

    Raises:
        InvalidInputError: when it takes something else.
    """
    names = [spec.name for spec in inputs]
    if len(inputs) == 2 and _is(inputs[0], "f", recipe.dense) and _is(inputs[1], "iu", recipe.ids):
        return Wiring(inputs[1].dtype, lambda dense, ids: (dense, ids))
    if names and names[0] == "dense_x" and _is(inputs[0], "f", recipe.dense):
        if names[1:] == ["offsets", "indices"] and set(recipe.hots) == {1}:
            return Wiring(np.dtype(np.int64), _stacked)
        tables = range(len(recipe.hots))
        each = {f"{word}_{number}" for word in ("offsets", "indices") for number in tables}
        if set(names[1:]) == each and len(names) == 1 + len(each):
            return Wiring(np.dtype(np.int64), _by_table(names[1:], recipe.hots))
    shown = ", ".join(f"{spec.name}: {spec.dtype} {list(spec.shape)}" for spec in inputs[:4])
    raise InvalidInputError(
        "the model does not take user-item pairs as the recipe says",
        expected=f"float32 (pairs, {recipe.dense}) and whole numbers (pairs, {recipe.ids}), or MLPerf's dense_x, "
        "offsets and indices",
        found=shown or "no inputs",
        hint="give dense and hots (ids of each table) of the model in the recipe",
    )


def check_output(outputs: Sequence[TensorSpec]) -> None:
    """Check that a model gives one number for each pair.

    Raises:
        InvalidInputError: when it does not.
    """
    if len(outputs) == 1:
        shape = outputs[0].shape
        if outputs[0].dtype.kind == "f" and len(shape) in (1, 2) and shape[1:] in ((), (1,), (-1,)):
            return
    raise InvalidInputError(
        "the model does not give one number for each pair",
        expected="one output of float32, shape (pairs,) or (pairs, 1)",
        found=", ".join(f"{spec.name}: {spec.dtype} {list(spec.shape)}" for spec in outputs[:4]) or "no outputs",
    )


class PairPipeline:
    """Answers groups of pairs; one for each stream.

    Args:
        part: the model.
        recipe: how it takes pairs.
    """

    def __init__(self, part: ModelPart, recipe: Recipe) -> None:
        self._run = part.run
        self._wiring = wire(part.inputs, recipe)
        self._most = recipe.pairs
        self._fixed = part.fixed_shapes
        self._logit = recipe.output == "logit"
        self._dense = np.zeros((self._most, recipe.dense), np.float32)
        self._ids = np.zeros((self._most, recipe.ids), self._wiring.ids)
        self._answers = np.empty((self._most, 2), np.float32)
        self._pairs = self._calls = 0
        self._met = not part.fixed_shapes

    def __call__(self, samples: Samples) -> Responses:
        """Prediction and target of each pair, ``(n, 2)`` float32 for each group.

        Raises:
            RunFailedError: when the model gives another number of answers, or one that is no number.
        """
        groups: list[Sample] = samples  # type: ignore[assignment]
        if not self._met:
            self._meet()
        ends = list(accumulate([len(group[2]) for group in groups]))
        total = ends[-1]
        if total > len(self._answers):
            self._answers = np.empty((total, 2), np.float32)
        answers = self._answers[:total]
        for start, dense, ids in self._calls_of(groups, total):
            answers[start : start + len(dense), 0] = self._predict(dense, ids)
        answers[:, 1] = groups[0][2] if len(groups) == 1 else np.concatenate([group[2] for group in groups])
        if not np.isfinite(answers[:, 0]).all():
            raise RunFailedError("the model gave an answer that is no number")
        self._pairs += total
        return Parted(self._answers, ends)

    def figures(self) -> Mapping[str, float]:
        """Pairs answered, and calls of the engine they took."""
        return {"pairs": float(self._pairs), "engine_calls": float(self._calls)}

    def reset(self) -> None:
        """Forget what was counted."""
        self._pairs = self._calls = 0

    def _calls_of(self, groups: list[Sample], total: int) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
        """Begin, dense values and ids of each call of the engine; buffers are used again in the next one."""
        if len(groups) == 1 and total <= self._most and not self._fixed:
            dense, ids = groups[0][0], groups[0][1]
            yield 0, dense, ids if ids.dtype == self._wiring.ids else ids.astype(self._wiring.ids)
            return
        begin = filled = 0
        for dense, ids, _ in groups:
            taken = 0
            while taken < len(dense):
                more = min(len(dense) - taken, self._most - filled)
                self._dense[filled : filled + more] = dense[taken : taken + more]
                self._ids[filled : filled + more] = ids[taken : taken + more]
                taken, filled = taken + more, filled + more
                if filled == self._most:
                    yield begin, self._dense, self._ids
                    begin, filled = begin + filled, 0
        if filled:
            yield begin, self._dense[:filled], self._ids[:filled]

    def _predict(self, dense: NDArray[Any], ids: NDArray[Any]) -> Numbers:
        count = len(dense)
        if self._fixed:
            # What stands in the buffers behind the pairs is of earlier ones, so its ids are in range.
            shown = self._shown(count)
            dense, ids = self._dense[:shown], self._ids[:shown]
        self._calls += 1
        found = np.asarray(self._run(self._wiring.inputs(dense, ids))[0]).reshape(-1)
        if len(found) != len(dense):
            raise RunFailedError(
                "the model gave another number of answers than it got pairs",
                expected=str(len(dense)),
                found=str(len(found)),
            )
        logits = found[:count].astype(np.float32, copy=False)
        return np.exp(-np.logaddexp(np.float32(0), -logits)) if self._logit else logits

    def _shown(self, count: int) -> int:
        """The smallest of a few numbers that holds ``count``."""
        step = -(-self._most // _STEPS)
        return min(-(-count // step) * step, self._most)

    def _meet(self) -> None:
        """Run every shape once; the first call is in the warm-up."""
        self._met = True
        step = -(-self._most // _STEPS)
        for count in dict.fromkeys(min(step * number, self._most) for number in range(1, _STEPS + 1)):
            self._predict(self._dense[:count], self._ids[:count])


def _stacked(dense: NDArray[Any], ids: NDArray[Any]) -> Sequence[Array]:
    offsets = np.broadcast_to(np.arange(len(dense), dtype=np.int64), (ids.shape[1], len(dense)))
    return dense, np.ascontiguousarray(offsets), np.ascontiguousarray(ids.T)


def _by_table(names: Sequence[str], hots: Sequence[int]) -> Inputs:
    columns = np.cumsum([0, *hots]).tolist()

    def inputs(dense: NDArray[Any], ids: NDArray[Any]) -> Sequence[Array]:
        made: list[Array] = [dense]
        for name in names:
            word, _, number = name.partition("_")
            table = int(number)
            if word == "offsets":
                made.append(np.arange(len(dense), dtype=np.int64) * hots[table])
            else:
                made.append(np.ascontiguousarray(ids[:, columns[table] : columns[table + 1]]).reshape(-1))
        return made

    return inputs


def _is(spec: TensorSpec, kinds: str, width: int) -> bool:
    return spec.dtype.kind in kinds and len(spec.shape) == 2 and spec.shape[1] in (-1, width) and spec.shape[0] == -1

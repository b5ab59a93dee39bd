"""From samples to responses: pad, run, and take the padding off again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError, nearest
from assay.tasks.language.padding import Padder, make_padder
from assay.tasks.language.recipe import Recipe
from assay.tasks.protocol import ModelPart, PlainPipeline, Responses, Sample, Samples

Read = Callable[[Sequence[Array], Sequence[Sample]], Responses]
"""From a batch of outputs and its samples to one response each."""


class TextPipeline(PlainPipeline):
    """Runs the model on a padded batch."""

    __slots__ = ("_pad", "_read", "_run")

    def __init__(self, part: ModelPart, pad: Padder, read: Read) -> None:
        self._run = part.run
        self._pad = pad
        self._read = read

    def __call__(self, samples: Samples) -> Responses:
        """One response for each sample."""
        assert isinstance(samples, list)
        return self._read(self._run(self._pad(samples)), samples)


def make_pipeline(part: ModelPart, recipe: Recipe) -> TextPipeline:
    """The pipeline for a model.

    Raises:
        InvalidInputError: when inputs or outputs are not those of the task.
    """
    pad = make_padder(part.inputs, recipe, steps=part.fixed_shapes)
    return TextPipeline(part, pad, make_reader(part.outputs, recipe))


def make_reader(outputs: Sequence[TensorSpec], recipe: Recipe) -> Read:
    """How outputs become responses.

    Raises:
        InvalidInputError: when they are not what the recipe says.
    """
    if recipe.kind == "similarity":
        return _embedding_reader(outputs, recipe)
    places = span_outputs(outputs, recipe)
    return _together(places[0]) if len(places) == 1 else _apart(*places)


def span_outputs(outputs: Sequence[TensorSpec], recipe: Recipe) -> tuple[int] | tuple[int, int]:
    """Which outputs hold the logits: one of ``(batch, length, 2)``, or start and end of ``(batch, length)``.

    Raises:
        InvalidInputError: when there are none.
    """
    start, end = (_named(outputs, name) for name in (recipe.outputs.start, recipe.outputs.end))
    shapes = [spec.shape for spec in outputs]
    if start is None and end is None:
        pairs = [place for place, shape in enumerate(shapes) if len(shape) == 3 and shape[2] == 2]
        if pairs:
            return (pairs[0],)
        flat = [place for place, shape in enumerate(shapes) if len(shape) == 2]
        start = next((place for place in flat if "start" in outputs[place].name.lower()), None)
        end = next((place for place in flat if "end" in outputs[place].name.lower() and place != start), None)
        if start is None and end is None and len(flat) == len(outputs) == 2:
            start, end = flat
    if start is None or end is None or start == end or not len(shapes[start]) == len(shapes[end]) == 2:
        raise InvalidInputError(
            "the model has no start and end logits",
            expected="two outputs of shape (batch, length), or one of shape (batch, length, 2)",
            found=_listed(outputs),
            hint="name them in the recipe: --recipe outputs.start=NAME --recipe outputs.end=NAME",
        )
    return start, end


def embedding_output(outputs: Sequence[TensorSpec], recipe: Recipe) -> int:
    """Which output holds the vector of a text, ``(batch, size)``.

    Raises:
        InvalidInputError: when there is none.
    """
    place = _named(outputs, recipe.outputs.embedding)
    if place is None:
        place = next((number for number, spec in enumerate(outputs) if len(spec.shape) == 2), None)
    if place is None or len(outputs[place].shape) != 2:
        raise InvalidInputError(
            "the model gives no vector for a text",
            expected="an output of shape (batch, size)",
            found=_listed(outputs),
            hint="for a model that finds answers, say kind: question-answering in the recipe",
        )
    return place


def _apart(start: int, end: int) -> Read:
    def read(outputs: Sequence[Array], samples: Sequence[Sample]) -> Responses:
        pair = np.stack((outputs[start], outputs[end]), axis=-1)
        return _cut(pair, samples)

    return read


def _together(place: int) -> Read:
    def read(outputs: Sequence[Array], samples: Sequence[Sample]) -> Responses:
        return _cut(np.ascontiguousarray(outputs[place]), samples)

    return read


def _cut(pairs: NDArray[np.generic], samples: Sequence[Sample]) -> list[Array]:
    """Each sample's own logits, ``(length, 2)``, as float32."""
    if pairs.ndim != 3 or pairs.shape[2] != 2 or len(pairs) != len(samples):
        raise RunFailedError(
            "the model's logits are not those of the batch",
            expected=f"shape ({len(samples)}, length, 2)",
            found=f"shape {pairs.shape}",
        )
    longest = max(len(sample[0]) for sample in samples)
    if pairs.shape[1] < longest:
        raise RunFailedError(
            "the model gave fewer logits than it got tokens", expected=str(longest), found=str(pairs.shape[1])
        )
    single = pairs.astype(np.float32, copy=False)
    return [row[: len(sample[0])] for row, sample in zip(single, samples, strict=True)]


def _embedding_reader(outputs: Sequence[TensorSpec], recipe: Recipe) -> Read:
    place = embedding_output(outputs, recipe)

    def read(outputs: Sequence[Array], samples: Sequence[Sample]) -> Responses:
        vectors = outputs[place]
        if vectors.ndim != 2 or len(vectors) != len(samples):
            raise RunFailedError(
                "the model's vectors are not those of the batch",
                expected=f"shape ({len(samples)}, size)",
                found=f"shape {vectors.shape}",
            )
        return np.ascontiguousarray(vectors, np.float32)

    return read


def _named(outputs: Sequence[TensorSpec], name: str | None) -> int | None:
    names = [spec.name for spec in outputs]
    if name is None:
        return None
    if name not in names:
        close = nearest(name, names)
        raise InvalidInputError(
            f"the model has no output {name!r}", expected=" or ".join(close) or None, found=", ".join(names)
        )
    return names.index(name)


def _listed(outputs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name} {spec.shape}" for spec in outputs) or "no outputs"

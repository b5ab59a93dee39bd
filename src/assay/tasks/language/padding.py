"""From samples of different length to the arrays a model takes: padded, masked, in the order of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, RunFailedError, nearest
from assay.tasks.language.recipe import Recipe
from assay.tasks.protocol import Sample

Role = Literal["ids", "mask", "segments"]

# The first names are those of MLPerf's fp32 model, the second those of its int8 model and of transformers.
_USUAL: dict[Role, tuple[str, ...]] = {
    "ids": ("input_ids", "ids", "tokens"),
    "mask": ("input_mask", "attention_mask", "mask"),
    "segments": ("segment_ids", "token_type_ids", "segments"),
}
_TYPES = (np.dtype(np.int64), np.dtype(np.int32))
_STEP = 16


@dataclass(frozen=True, slots=True)
class InputForm:
    """What one input of the model is given.

    Attributes:
        role: token ids, mask (1 where there is a token), or segments.
        dtype: int64 or int32.
    """

    role: Role
    dtype: np.dtype[np.generic]


def input_forms(inputs: Sequence[TensorSpec], recipe: Recipe) -> tuple[InputForm, ...]:
    """The role of each input, by its name.

    Raises:
        InvalidInputError: for an input that is none of these, or when ids or mask are missing.
    """
    roles = tuple(_role(spec, inputs, recipe) for spec in inputs)
    for role in ("ids", "mask"):
        if roles.count(role) != 1:
            raise InvalidInputError(
                f"the model has {'no' if role not in roles else 'more than one'} input for the {role}",
                expected=" or ".join(_USUAL[role]),
                found=", ".join(spec.name for spec in inputs) or "no inputs",
                hint=f"name it in the recipe: --recipe inputs.{role}=NAME",
            )
    return tuple(InputForm(role, spec.dtype) for role, spec in zip(roles, inputs, strict=True))


def fixed_length(inputs: Sequence[TensorSpec], recipe: Recipe) -> int | None:
    """The one length that the model takes; None when it takes any.

    Raises:
        InvalidInputError: when samples of the recipe are longer than the model takes.
    """
    length = next((spec.shape[1] for spec in inputs if len(spec.shape) == 2 and spec.shape[1] != -1), None)
    if length is not None and length < recipe.max_length:
        raise InvalidInputError(
            "samples have more tokens than the model takes",
            expected=f"max_length {length} at most",
            found=f"max_length {recipe.max_length}",
            hint=f"--recipe max_length={length}",
        )
    return length


class Padder:
    """Makes the model's inputs.

    Args:
        forms: of the model's inputs, in their order.
        length: the one length of every sequence; None to pad to the longest of a batch.
        limit: a sample may have no more tokens.
        steps: round lengths up, for engines that compile every shape they meet.
    """

    def __init__(self, forms: Sequence[InputForm], length: int | None, limit: int, *, steps: bool = False) -> None:
        self._forms = tuple(forms)
        self._length = length
        self._limit = limit
        self._step = _STEP if steps else 1

    def __call__(self, samples: Sequence[Sample]) -> list[Array]:
        """Arrays of ``(len(samples), width)``.

        Raises:
            RunFailedError: when a sample is longer than the model takes.
        """
        longest = max(len(sample[0]) for sample in samples)
        if longest > (self._length or self._limit):
            raise RunFailedError(
                "a sample has more tokens than the model takes",
                expected=f"at most {self._length or self._limit}",
                found=str(longest),
            )
        width = self._length or min(-(-longest // self._step) * self._step, max(self._limit, longest))
        return [self._array(form, samples, width) for form in self._forms]

    def _array(self, form: InputForm, samples: Sequence[Sample], width: int) -> Array:
        if form.role == "mask":
            lengths = np.array([len(sample[0]) for sample in samples])
            return (np.arange(width) < lengths[:, None]).astype(form.dtype)
        which = 0 if form.role == "ids" else 1
        if len(samples) == 1 and len(samples[0][0]) == width and samples[0][which].dtype == form.dtype:
            return samples[0][which].reshape(1, width)
        out = np.zeros((len(samples), width), form.dtype)
        for row, sample in zip(out, samples, strict=True):
            row[: len(sample[which])] = sample[which]
        return out


def make_padder(inputs: Sequence[TensorSpec], recipe: Recipe, *, steps: bool = False) -> Padder:
    """The padder for a model.

    Raises:
        InvalidInputError: when its inputs are not those of the task.
    """
    length = fixed_length(inputs, recipe)
    if length is None and recipe.padding == "max":
        length = recipe.max_length
    return Padder(input_forms(inputs, recipe), length, recipe.max_length, steps=steps)


def _role(spec: TensorSpec, inputs: Sequence[TensorSpec], recipe: Recipe) -> Role:
    own: dict[Role, str | None] = {
        "ids": recipe.inputs.ids,
        "mask": recipe.inputs.mask,
        "segments": recipe.inputs.segments,
    }
    names = [item.name for item in inputs]
    for name in own.values():
        if name is not None and name not in names:
            close = nearest(name, names)
            raise InvalidInputError(
                f"the model has no input {name!r}", expected=" or ".join(close) or None, found=", ".join(names)
            )
    found = [role for role, name in own.items() if name == spec.name] or [
        role for role, usual in _USUAL.items() if own[role] is None and spec.name in usual
    ]
    if not found:
        raise InvalidInputError(
            f"input {spec.name!r} is none that a language model of this task has",
            expected="; ".join(f"{role}: {' or '.join(usual)}" for role, usual in _USUAL.items()),
            found=", ".join(names),
            hint="name the inputs in the recipe: --recipe inputs.ids=NAME",
        )
    if len(spec.shape) != 2 or spec.dtype not in _TYPES:
        raise InvalidInputError(
            f"input {spec.name!r} takes no sequences of tokens",
            expected="int64 or int32 of shape (batch, length)",
            found=f"{spec.dtype} of shape {spec.shape}",
        )
    return found[0]

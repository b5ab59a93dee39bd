"""A GPT-J of a few kilobytes, and what it computes in plain arithmetic, from the weights as a checkpoint has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.models.ctranslate2_file import read_header
from assay.models.gptj import EPSILON, Shape, build_gptj

SMALL = Shape(layers=2, width=32, heads=2, rotary=8, vocabulary=40, end=7)
Values = NDArray[np.float64]


def tiny_gptj(folder: Path, seed: int = 3, shape: Shape = SMALL) -> Path:
    """Write the model's folder."""
    build_gptj(seed, folder, shape)
    return folder


def arrays_of(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a model's file, by name."""
    header, raw = read_header(folder / "model.bin"), (folder / "model.bin").read_bytes()
    return {
        name: np.frombuffer(raw, each.kind, each.count, each.offset).reshape(each.shape)
        for name, each in header.variables.items()
    }


class PlainGptj:
    """GPT-J written down as its paper and Hugging Face's GPTJForCausalLM have it."""

    def __init__(self, folder: Path, shape: Shape = SMALL) -> None:
        self.shape = shape
        self._arrays = arrays_of(folder)
        self.end = json.loads((folder / "vocabulary.json").read_text()).index("<|endoftext|>")

    def logits(self, ids: Sequence[int]) -> Values:
        """Scores of each next token after each token, ``(n, vocabulary)``."""
        hidden = self._weight("decoder/embeddings")[list(ids)]
        for layer in range(self.shape.layers):
            name = f"decoder/layer_{layer}"
            normed = self._norm(f"{name}/shared_layer_norm", hidden)
            attended = self._attention(f"{name}/self_attention", normed)
            fed = self._linear(f"{name}/ffn/linear_1", gelu_new(self._linear(f"{name}/ffn/linear_0", normed)))
            # The two stand side by side, behind one norm.
            hidden = hidden + attended + fed
        return self._linear("decoder/projection", self._norm("decoder/layer_norm", hidden))

    def greedy(self, ids: Sequence[int], most: int, least: int = 0) -> list[int]:
        """The best token again and again, up to the one that ends a text."""
        made: list[int] = []
        while len(made) < most:
            scores = self.logits([*ids, *made])[-1].copy()
            if len(made) < least:
                scores[self.end] = -np.inf
            best = int(scores.argmax())
            if best == self.end:
                break
            made.append(best)
        return made

    def _attention(self, name: str, normed: Values) -> Values:
        shape, count = self.shape, len(normed)
        size = shape.width // shape.heads
        rows = self._weight(f"{name}/linear_0").reshape(3, shape.heads, size, shape.width)
        queries, keys = (
            turned(normed @ self._checkpoint_rows(part).reshape(-1, shape.width).T, shape) for part in rows[:2]
        )
        values = (normed @ rows[2].reshape(-1, shape.width).T).reshape(count, shape.heads, size)
        joined = np.empty((count, shape.heads, size))
        for head in range(shape.heads):
            scores = queries[:, head] @ keys[:, head].T / np.sqrt(size)
            scores[np.triu_indices(count, 1)] = -np.inf
            share = np.exp(scores - scores.max(axis=1, keepdims=True))
            joined[:, head] = share / share.sum(axis=1, keepdims=True) @ values[:, head]
        return joined.reshape(count, -1) @ self._weight(f"{name}/linear_1").T

    def _checkpoint_rows(self, rows: Values) -> Values:
        """Rows of each head as the checkpoint has them: pairs that are turned together stand beside each other there."""
        half = self.shape.rotary // 2
        found = rows.copy()
        found[:, 0 : 2 * half : 2], found[:, 1 : 2 * half : 2] = rows[:, :half], rows[:, half : 2 * half]
        return found

    def _weight(self, name: str) -> Values:
        return self._arrays[f"{name}/weight"].astype(np.float64) / self._arrays[f"{name}/weight_scale"][:, None]

    def _linear(self, name: str, values: Values) -> Values:
        return values @ self._weight(name).T + self._arrays[f"{name}/bias"]

    def _norm(self, name: str, values: Values) -> Values:
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
        return scaled * self._arrays[f"{name}/gamma"] + self._arrays[f"{name}/beta"]


def turned(values: Values, shape: Shape) -> Values:
    """Rotary embedding: neighbours in the first numbers of each head are turned by an angle that grows with the place."""
    found = values.reshape(len(values), shape.heads, -1).copy()
    angles = np.outer(np.arange(len(values)), 10_000.0 ** (-np.arange(0, shape.rotary, 2) / shape.rotary))[:, None]
    even, odd = found[..., 0 : shape.rotary : 2].copy(), found[..., 1 : shape.rotary : 2].copy()
    found[..., 0 : shape.rotary : 2] = even * np.cos(angles) - odd * np.sin(angles)
    found[..., 1 : shape.rotary : 2] = odd * np.cos(angles) + even * np.sin(angles)
    return found


def gelu_new(values: Values) -> Values:
    """GELU by its tanh form."""
    return 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))

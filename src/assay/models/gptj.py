"""GPT-J with random weights in CTranslate2's form: the true layers and sizes, for speed only.

Source of all sizes: config.json of EleutherAI/gpt-j-6B (GPTJForCausalLM). Names and places of the arrays are those that
CTranslate2 4's converter writes for it: queries, keys and values in one array, and the numbers of a head that are turned
by their place sorted into two halves, which is another order of the rows than in the checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import machine_errors, require_space
from assay.base.progress import SILENT, Progress
from assay.models.ctranslate2_file import write_model

KIND, REVISION = "TransformerDecoderSpec", 8
END = "<|endoftext|>"
EPSILON = 1e-5
_ROTARY_BASE = 10_000.0
_GELU_TANH = 1
# The spread of evenly drawn int8 numbers, and the spread of weights times the root of their inputs: 0.02 at 4,096 inputs,
# as at the start of the true model's training.
_INT8_SPREAD = 73.6
_GAIN = 1.28
_SMALL = 0.1

Maker = Callable[[], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a GPT-J.

    Attributes:
        width: numbers that stand for a token between layers.
        heads: attention heads of a layer.
        rotary: numbers of a head's query and key that are turned by their place.
        vocabulary: tokens there are.
        end: the one that ends a text.
    """

    layers: int
    width: int
    heads: int
    rotary: int
    vocabulary: int
    end: int

    @property
    def inner(self) -> int:
        """Width inside a feed-forward layer."""
        return 4 * self.width

    @property
    def weight_bytes(self) -> int:
        """Size of the int8 weights, which is nearly all of the model."""
        layer = 4 * self.width * self.width + 2 * self.width * self.inner
        return self.layers * layer + 2 * self.vocabulary * self.width


GPTJ_6B = Shape(layers=28, width=4096, heads=16, rotary=64, vocabulary=50_400, end=50_256)


def build_gptj(seed: int, folder: Path, shape: Shape = GPTJ_6B, progress: Progress = SILENT) -> None:
    """Write the model's folder, which is made: int8 weights, and made-up tokens that stand for the ids.

    Args:
        seed: of the weights; the same one gives the same bytes.
        folder: where the files go.
        shape: of the model.
        progress: told while weights are drawn and written.

    Raises:
        MachineError: when the disk is too small or cannot be written.
    """
    require_space(folder, shape.weight_bytes)
    tokens = [END if number == shape.end else f"<{number}>" for number in range(shape.vocabulary)]
    # What the converter of the library writes for this architecture.
    config = {
        "bos_token": END,
        "eos_token": END,
        "layer_norm_epsilon": EPSILON,
        "multi_query_attention": True,
        "unk_token": END,
    }
    step = progress.start("draw and write the weights of GPT-J", total=shape.weight_bytes, unit="B")
    try:
        with machine_errors(folder):
            folder.mkdir(parents=True)
            (folder / "vocabulary.json").write_text(json.dumps(tokens), encoding="utf-8")
            (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            makers = _makers(shape, np.random.default_rng(seed))
            write_model(folder / "model.bin", KIND, REVISION, makers, step.advance)
    finally:
        step.finish()


def _makers(shape: Shape, random: np.random.Generator) -> dict[str, Maker]:
    """What makes each array, by its name."""
    made: dict[str, Maker] = {
        "decoder/activation": _is(_GELU_TANH, np.int8),
        "decoder/alibi": _is(0, np.int8),
        "decoder/alibi_use_positive_positions": _is(0, np.int8),
        "decoder/alignment_heads": _is(1, np.int16),
        "decoder/alignment_layer": _is(-1, np.int16),
        "decoder/num_heads": _is(shape.heads, np.int16),
        "decoder/pre_norm": _is(1, np.int8),
        "decoder/scale_alibi": _is(0, np.int8),
        "decoder/scale_embeddings": _is(0, np.int8),
        "decoder/start_from_zero_embedding": _is(0, np.int8),
    }
    made |= _matrix(random, "decoder/embeddings", shape.vocabulary, shape.width, spread=1.0)
    made |= _linear(random, "decoder/projection", shape.vocabulary, shape.width)
    made |= _norm(random, "decoder/layer_norm", shape.width)
    for layer in range(shape.layers):
        name = f"decoder/layer_{layer}"
        made |= _norm(random, f"{name}/shared_layer_norm", shape.width)
        made |= _linear(random, f"{name}/ffn/linear_0", shape.inner, shape.width)
        made |= _linear(random, f"{name}/ffn/linear_1", shape.width, shape.inner)
        attention = f"{name}/self_attention"
        made |= _matrix(random, f"{attention}/linear_0", 3 * shape.width, shape.width)
        made |= _matrix(random, f"{attention}/linear_1", shape.width, shape.width)
        made[f"{attention}/rotary_base"] = _is(_ROTARY_BASE, np.float32)
        made[f"{attention}/rotary_dim"] = _is(shape.rotary, np.int32)
        made[f"{attention}/rotary_interleave"] = _is(0, np.int8)
    return made


def _linear(random: np.random.Generator, name: str, outputs: int, inputs: int) -> dict[str, Maker]:
    return {
        **_matrix(random, name, outputs, inputs),
        f"{name}/bias": partial(_normal, random, outputs, 0.0),
    }


def _matrix(
    random: np.random.Generator, name: str, outputs: int, inputs: int, spread: float | None = None
) -> dict[str, Maker]:
    """Weights in int8, and what each row of them is divided by."""
    wanted = _GAIN / inputs**0.5 if spread is None else spread
    return {
        f"{name}/weight": partial(_drawn, random, outputs, inputs),
        f"{name}/weight_scale": partial(np.full, outputs, _INT8_SPREAD / wanted, np.float32),
    }


def _norm(random: np.random.Generator, name: str, width: int) -> dict[str, Maker]:
    return {f"{name}/beta": partial(_normal, random, width, 0.0), f"{name}/gamma": partial(_normal, random, width, 1.0)}


def _normal(random: np.random.Generator, count: int, mean: float) -> NDArray[np.float32]:
    return np.float32(mean) + np.float32(_SMALL) * random.standard_normal(count, np.float32)


def _drawn(random: np.random.Generator, outputs: int, inputs: int) -> NDArray[np.int8]:
    drawn = np.frombuffer(random.bytes(outputs * inputs), np.int8).reshape(outputs, inputs)
    # Weights that are quantised have no -128.
    return np.maximum(drawn, np.int8(-127))


def _is(value: float, kind: type[np.generic]) -> Maker:
    return partial(np.array, value, kind)

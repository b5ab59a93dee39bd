"""A Whisper of a few kilobytes in CTranslate2's form, with random weights, written without its converters."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BANDS, WIDTH, HEADS, INNER, PLACES = 80, 16, 2, 32, 1_500
LONGEST = 448
SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
_KINDS = {"int8": 1, "int16": 2, "int32": 3, "float16": 4, "float32": 0}


def tiny_whisper(folder: Path, *, kind: str = "WhisperSpec", seed: int = 1) -> Path:
    """Write the model's folder: one layer of encoder and decoder, words ``w0`` to ``w39`` and the special tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*(f"w{number}" for number in range(40)), *SPECIAL]
    random = np.random.default_rng(seed)
    weights = _weights(random, len(tokens))
    (folder / "model.bin").write_bytes(_serialised(weights, kind))
    (folder / "vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    config = {
        "suppress_ids": [],
        "suppress_ids_begin": [],
        "lang_ids": [tokens.index("<|en|>")],
        "alignment_heads": [[0, 0]],
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _weights(random: np.random.Generator, tokens: int) -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = {
        "decoder/activation": np.int8(3),  # type: ignore[dict-item]
        "decoder/alignment_heads": np.int16(1),  # type: ignore[dict-item]
        "decoder/alignment_layer": np.int16(-1),  # type: ignore[dict-item]
        "decoder/pre_norm": np.int8(1),  # type: ignore[dict-item]
        "decoder/scale_embeddings": np.int8(0),  # type: ignore[dict-item]
        "decoder/start_from_zero_embedding": np.int8(0),  # type: ignore[dict-item]
    }

    def draw(name: str, *shape: int, spread: float = 1.0) -> None:
        found[name] = (spread * random.standard_normal(shape)).astype(np.float32)

    def linear(name: str, outputs: int, inputs: int) -> None:
        draw(f"{name}/weight", outputs, inputs, spread=2 / np.sqrt(inputs))
        draw(f"{name}/bias", outputs, spread=0.1)

    def norm(name: str) -> None:
        found[f"{name}/gamma"], found[f"{name}/beta"] = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    for side in ("encoder", "decoder"):
        found[f"{side}/num_heads"] = np.int16(HEADS)  # type: ignore[assignment]
        layer = f"{side}/layer_0"
        norm(f"{side}/layer_norm")
        norm(f"{layer}/ffn/layer_norm")
        norm(f"{layer}/self_attention/layer_norm")
        linear(f"{layer}/ffn/linear_0", INNER, WIDTH)
        linear(f"{layer}/ffn/linear_1", WIDTH, INNER)
        linear(f"{layer}/self_attention/linear_0", 3 * WIDTH, WIDTH)
        linear(f"{layer}/self_attention/linear_1", WIDTH, WIDTH)
    norm("decoder/layer_0/attention/layer_norm")
    linear("decoder/layer_0/attention/linear_0", WIDTH, WIDTH)
    linear("decoder/layer_0/attention/linear_1", 2 * WIDTH, WIDTH)
    linear("decoder/layer_0/attention/linear_2", WIDTH, WIDTH)
    draw("decoder/embeddings/weight", tokens, WIDTH)
    draw("decoder/position_encodings/encodings", LONGEST, WIDTH)
    draw("encoder/position_encodings/encodings", PLACES, WIDTH, spread=0.3)
    draw("encoder/conv1/weight", WIDTH, BANDS, 3, spread=0.2)
    draw("encoder/conv2/weight", WIDTH, WIDTH, 3, spread=0.3)
    draw("encoder/conv1/bias", WIDTH)
    draw("encoder/conv2/bias", WIDTH)
    return found


def _serialised(weights: dict[str, NDArray[np.generic]], kind: str) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    parts = [struct.pack("<I", 6), text(kind), struct.pack("<II", 3, len(weights))]
    for name, array in sorted(weights.items()):
        value = np.asarray(array)
        parts += [text(name), struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)]
        parts += [struct.pack("<BI", _KINDS[str(value.dtype)], value.nbytes), value.tobytes()]
    parts += [struct.pack("<I", 1), text("decoder/projection/weight"), text("decoder/embeddings/weight")]
    return b"".join(parts)

"""A language model of a few kilobytes that says nonsense in letters: the true form of a file, loaded in an instant."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.models.gguf_write import write_gguf

WIDTH, HEADS, FEED, LAYERS, CONTEXT = 32, 2, 64, 2, 512
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = ("t h", "th e", "Ġ the", "i n", "Ġ a")
U32, I32, F32, BOOL, TEXT, LIST = 4, 5, 6, 7, 8, 9


def byte_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary (GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def vocabulary() -> list[str]:
    return [*SPECIAL, *byte_letters(), *(merge.replace(" ", "") for merge in MERGES)]


def metadata(**changes: Any) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    tokens = vocabulary()
    typed: dict[str, tuple[tuple[int, ...], Any]] = {
        "general.architecture": ((TEXT,), "llama"),
        "general.file_type": ((U32,), 0),
        "llama.block_count": ((U32,), LAYERS),
        "llama.context_length": ((U32,), CONTEXT),
        "llama.embedding_length": ((U32,), WIDTH),
        "llama.feed_forward_length": ((U32,), FEED),
        "llama.attention.head_count": ((U32,), HEADS),
        "llama.attention.head_count_kv": ((U32,), 1),
        "llama.attention.layer_norm_rms_epsilon": ((F32,), 1e-5),
        "llama.rope.dimension_count": ((U32,), WIDTH // HEADS),
        "llama.vocab_size": ((U32,), len(tokens)),
        "tokenizer.ggml.model": ((TEXT,), "gpt2"),
        "tokenizer.ggml.pre": ((TEXT,), "smollm"),
        "tokenizer.ggml.tokens": ((LIST, TEXT), tokens),
        "tokenizer.ggml.token_type": ((LIST, I32), [3 if token in SPECIAL else 1 for token in tokens]),
        "tokenizer.ggml.merges": ((LIST, TEXT), list(MERGES)),
        "tokenizer.ggml.bos_token_id": ((U32,), 1),
        "tokenizer.ggml.eos_token_id": ((U32,), 2),
        "tokenizer.ggml.add_bos_token": ((BOOL,), False),
    }
    values = {key: value for key, (_, value) in typed.items()} | changes
    return values, {key: kind for key, (kind, _) in typed.items()}


def tensors(seed: int = 1) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    tokens = vocabulary()

    def some(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32) / np.float32(WIDTH**0.5)

    output = some(len(tokens), WIDTH)
    letters = [token in string.ascii_lowercase or token == "Ġ" for token in tokens]
    output[~np.array(letters)] = 0
    made = {"token_embd.weight": some(len(tokens), WIDTH), "output_norm.weight": np.ones(WIDTH, np.float32)}
    made["output.weight"] = output
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        for part in ("attn_norm", "ffn_norm"):
            made[f"{name}{part}.weight"] = np.ones(WIDTH, np.float32)
        made[f"{name}attn_q.weight"] = some(WIDTH, WIDTH)
        made[f"{name}attn_k.weight"] = some(WIDTH // HEADS, WIDTH)
        made[f"{name}attn_v.weight"] = some(WIDTH // HEADS, WIDTH)
        made[f"{name}attn_output.weight"] = some(WIDTH, WIDTH)
        made[f"{name}ffn_gate.weight"] = some(FEED, WIDTH)
        made[f"{name}ffn_up.weight"] = some(FEED, WIDTH)
        made[f"{name}ffn_down.weight"] = some(WIDTH, FEED)
    return made


def tiny_llama(path: Path, seed: int = 1, changes: Mapping[str, Any] | None = None) -> Path:
    """Write the model; ``changes`` are other values of the header."""
    values, kinds = metadata(**(changes or {}))
    parts = tensors(seed)
    write_gguf(path, values, kinds, {name: part.shape for name, part in parts.items()}, parts.values())
    return path

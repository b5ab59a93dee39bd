"""Perplexity of a language model on a text, with llama.cpp: how well it foresees each next token.

The engine hands out no logits of a prompt, but the last hidden state of each of its tokens; times the output matrix of
the file these are the logits. Source: llama.cpp, server README, ``/embeddings`` with ``--pooling none``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.llamacpp import engine_library
from assay.errors import InvalidInputError, RunFailedError
from assay.models.gguf import Gguf, read_gguf
from assay.models.gguf_f32 import tensor_values
from assay.models.tokenizer import open_tokenizer

_TIMEOUT_S = 600.0
_OUTPUTS = ("output.weight", "token_embd.weight")


def perplexity(model: Path, text: str, *, tokens: int = 2048, window: int = 512, threads: int = 1) -> float:
    """Perplexity on the first tokens of a text, in windows side by side: e to the mean of the negative log-likelihoods.

    The first token of a window is foreseen by nothing and not counted.

    Args:
        model: GGUF file.
        text: any text of its language.
        tokens: how many of its tokens are read.
        window: tokens that are read together.
        threads: compute threads.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no model, or the text is shorter than a window.
        MissingDependencyError: when the engine is not installed.
        RunFailedError: when the engine gives something else than hidden states.
    """
    header = read_gguf(model)
    ids = open_tokenizer(model).encode(text)[:tokens]
    if len(ids) < window or window < 2:
        raise InvalidInputError("the text is shorter than a window", expected=f"{window} tokens", found=str(len(ids)))
    output = _output_matrix(header)
    server = _server(header, window, threads)
    found = []
    for start in range(0, len(ids) - window + 1, window):
        piece = ids[start : start + window]
        found.append(_log_likelihoods(_hidden_states(server, piece) @ output.T, piece))
    return float(np.exp(-np.concatenate(found).mean()))


def _log_likelihoods(logits: NDArray[np.float32], ids: NDArray[np.int32]) -> NDArray[np.float64]:
    """Log-likelihood of each token but the first, ``(n - 1,)``."""
    logits = logits[:-1] - logits[:-1].max(axis=1, keepdims=True)
    right = logits[np.arange(len(ids) - 1), ids[1:]]
    return np.asarray(right - np.log(np.exp(logits).sum(axis=1)), np.float64)


def _output_matrix(header: Gguf) -> NDArray[np.float32]:
    """``(vocabulary, width)``; many models use the one of the input for both."""
    info = next((header.tensors[name] for name in _OUTPUTS if name in header.tensors), None)
    if info is None:
        raise InvalidInputError("the model has no output matrix", where=header.path, expected=" or ".join(_OUTPUTS))
    return tensor_values(np.memmap(header.path, np.uint8, "r"), info, header.path)


def _server(header: Gguf, window: int, threads: int) -> Any:
    library = engine_library()
    params = library.CommonParams()
    params.model.path = str(header.path)
    params.n_parallel, params.n_ctx, params.n_batch, params.n_ubatch = 1, window, window, window
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity, params.warmup, params.fit_params, params.cache_ram_mib = -1, False, False, 0
    params.embedding = True
    params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
    try:
        return library.Server(params)
    except RuntimeError as error:
        raise InvalidInputError(f"llama.cpp cannot load the model: {error}", where=header.path) from error


def _hidden_states(server: Any, ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Of each token, ``(n, width)``; over the engine's own HTTP, because its Python door has no such call."""
    import httpx2

    body = {"content": ids.tolist(), "embd_normalize": -1}
    try:
        answer = httpx2.post(
            f"{server.listening_address}/embeddings", json=body, timeout=_TIMEOUT_S, trust_env=False
        ).json()
        states = np.array(answer[0]["embedding"], np.float32)
    except (httpx2.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
        raise RunFailedError(f"llama.cpp gives no hidden states: {type(error).__name__}: {error}") from error
    if states.ndim != 2 or len(states) != len(ids):
        raise RunFailedError(
            "llama.cpp gives other hidden states", expected=f"{len(ids)} rows", found=str(states.shape)
        )
    return states

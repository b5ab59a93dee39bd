"""Perplexity of a language model on a text, with llama.cpp: how well it foresees each next token.

The engine hands out no logits of a prompt, but the last hidden state of each of its tokens; times the output matrix of
the file these are the logits. Source: llama.cpp, server README, ``/embeddings`` with ``--pooling none``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.llamacpp import engine_library
from assay.base.progress import SILENT, Progress
from assay.errors import InvalidInputError, RunFailedError, UsageError
from assay.models.gguf import Gguf, read_gguf
from assay.models.gguf_f32 import tensor_values
from assay.models.tokenizer import open_tokenizer

_TIMEOUT_S = 600.0
_OUTPUTS = ("output.weight", "token_embd.weight")
_CHANGES = ("logit_scale", "final_logit_softcapping")
"""What some architectures do to the logits afterwards. Source: llama.cpp, llama-arch.cpp."""
_BIAS = "output.bias"


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How well a model foresees a text.

    Attributes:
        value: e to the mean of the negative log-likelihoods; 1 is certainty.
        tokens: of the text that were read, in whole windows.
    """

    value: float
    tokens: int


def perplexity(
    model: Path, text: str, *, tokens: int = 2048, window: int = 512, threads: int = 1, progress: Progress = SILENT
) -> Perplexity:
    """Perplexity on the first tokens of a text, in windows side by side.

    The first token of a window is foreseen by nothing and not counted.

    Args:
        model: GGUF file.
        text: any text of its language.
        tokens: how many of its tokens are read, at most.
        window: tokens that are read together.
        threads: compute threads.
        progress: told after each window.

    Raises:
        NotFoundError: when the file is not there.
        UsageError: for a window that is longer than the tokens asked for, or than the model was made for.
        InvalidInputError: when the file is no model, or one whose logits are not known, or the text is shorter than a
            window.
        MissingDependencyError: when the engine is not installed.
        RunFailedError: when the engine gives something else than hidden states.
    """
    check_window(tokens, window)
    header = read_gguf(model)
    _check_context(header, window)
    ids = _ids(header, text)[:tokens]
    if len(ids) < window:
        raise InvalidInputError(
            "the text is shorter than a window",
            expected=f"{window:,} tokens",
            found=f"{len(ids):,}",
            hint=f"a longer text, or --window {len(ids)}" if len(ids) > 1 else "a longer text",
        )
    output = _output_matrix(header)
    server = _server(header, window, threads)
    starts = range(0, len(ids) - window + 1, window)
    found: list[NDArray[np.float64]] = []
    step = progress.start("perplexity", total=len(starts), unit="windows")
    try:
        for start in starts:
            piece = ids[start : start + window]
            found.append(_log_likelihoods(_hidden_states(server, piece) @ output.T, piece))
            step.advance()
    finally:
        step.finish()
    return Perplexity(float(np.exp(-np.concatenate(found).mean())), len(starts) * window)


def check_window(tokens: int, window: int) -> None:
    """Refuse a window that is never filled.

    Raises:
        UsageError: with one that is.
    """
    if not 2 <= window <= tokens:
        raise UsageError(
            "a window does not fit the tokens that are read",
            expected=f"2 to {tokens:,} tokens",
            found=f"{window:,}",
            hint=f"--window {tokens}" if tokens > 1 else None,
        )


def _check_context(header: Gguf, window: int) -> None:
    own = header.number("context_length")
    if own is not None and window > own:
        raise UsageError(
            "the model was made for shorter texts",
            where=header.path,
            expected=f"a window of {own:,} tokens at most",
            found=f"{window:,}",
            hint=f"--window {own}",
        )


def _ids(header: Gguf, text: str) -> NDArray[np.int32]:
    try:
        return open_tokenizer(header.path).encode(text)
    except InvalidInputError as error:
        error.hint = None  # it speaks of a recipe, and here is none
        raise


def _log_likelihoods(logits: NDArray[np.float32], ids: NDArray[np.int32]) -> NDArray[np.float64]:
    """Log-likelihood of each token but the first, ``(n - 1,)``."""
    logits = logits[:-1] - logits[:-1].max(axis=1, keepdims=True)
    right = logits[np.arange(len(ids) - 1), ids[1:]]
    return np.asarray(right - np.log(np.exp(logits).sum(axis=1)), np.float64)


def _output_matrix(header: Gguf) -> NDArray[np.float32]:
    """``(vocabulary, width)``; many models use the one of the input for both.

    Raises:
        InvalidInputError: when there is none, or logits are more than the product with it.
    """
    changes = [key for key in _CHANGES if header.metadata.get(f"{header.architecture}.{key}")]
    changes += [_BIAS] if _BIAS in header.tensors else []
    if changes:
        raise InvalidInputError(
            "the model changes its logits after the output matrix, and perplexity without that would be wrong",
            where=header.path,
            found=", ".join(changes),
        )
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

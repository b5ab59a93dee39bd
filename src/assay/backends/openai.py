"""OpenAI-compatible servers (llama.cpp, vLLM, TGI and others): the model is there, and prompts go over HTTP.

Nothing is said of what the server computes. Every prompt is a request of its own, one at a time in each stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from assay.backends.openai_http import OpenAiConnection
from assay.backends.openai_options import OPTIONS, Endpoint, read_endpoint
from assay.backends.protocol import (
    NO_FILE,
    Array,
    BackendOptions,
    Capabilities,
    Decoding,
    Generated,
    ModelFormat,
    Precision,
    Prompt,
    TensorSpec,
)
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError, UsageError, nearest

_NO_IDS = np.empty(0, np.int32)


class OpenAiStream:
    """One worker's requests."""

    def __init__(self, connection: OpenAiConnection, endpoint: Endpoint, model: str) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._model = model

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Not what this engine does.

        Raises:
            InvalidInputError: always.
        """
        del inputs
        raise InvalidInputError(
            "an OpenAI-compatible server makes text and runs no graphs", hint="it is for the task language-model"
        )

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Answers to some prompts, one after the other.

        Raises:
            UsageError: for a decoding that the API has no words for.
            InvalidInputError: when the server refuses a prompt, such as one that is too long.
            RunFailedError: when it cannot be reached, breaks off, or answers something else.
        """
        if self._endpoint.strict and (decoding.beams > 1 or decoding.min_tokens):
            raise UsageError(
                "the OpenAI API has no beam search and no shortest answer",
                expected="beams 1, min_new_tokens 0",
                found=f"beams {decoding.beams}, min_new_tokens {decoding.min_tokens}",
                hint="set them at the server or with field.KEY (vLLM: field.use_beam_search=true, field.n=4, "
                "field.min_tokens=30), and say so: --backend-option decoding=server",
            )
        return [self._answer(place, prompt, decoding) for place, prompt in enumerate(prompts)]

    def _answer(self, place: int, prompt: Prompt, decoding: Decoding) -> Generated:
        tell = decoding.tell_first
        told = None if tell is None else partial(tell, place, None)
        received = self._connection.ask(self._body(prompt, decoding), told)
        text = "".join(received.pieces)
        if received.made is not None and bool(received.made) < bool(text):
            raise RunFailedError("the server sent a text and counts no tokens", found=f"{len(text)} letters")
        return Generated(
            tokens=_NO_IDS,
            text=text,
            first_token_ns=None if received.first is None else received.first - received.started,
            total_ns=(received.last or perf_counter_ns()) - received.started,
            prompt_tokens=received.read or 0,
            token_count=received.made,
        )

    def _body(self, prompt: Prompt, decoding: Decoding) -> dict[str, Any]:
        endpoint = self._endpoint
        body: dict[str, Any] = {"model": self._model, "max_tokens": decoding.max_tokens, "temperature": 0}
        if endpoint.as_tokens:
            if prompt.tokens is None:
                raise InvalidInputError(
                    "there are no token ids to send", hint="--recipe tokenizer=FILE, or leave out prompt=tokens"
                )
            body["prompt"] = prompt.tokens.tolist()
        elif endpoint.chat:
            body["messages"] = [{"role": "user", "content": prompt.text}]
        else:
            body["prompt"] = prompt.text
        if endpoint.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body | dict(endpoint.fields)


class OpenAiSession:
    """A model on a server."""

    fixed_batches = False
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, connection: OpenAiConnection, endpoint: Endpoint, model: str, options: BackendOptions) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._model = model
        self._options = options

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing: prompts go one by one."""

    def stream(self) -> OpenAiStream:
        """A new stream; all share the connections."""
        return OpenAiStream(self._connection, self._endpoint, self._model)

    def describe(self) -> dict[str, str]:
        """Where the model is and how it is asked; never the key."""
        endpoint = self._endpoint
        return {
            "engine": "openai",
            "version": _version(),
            "device": f"server {endpoint.base}",
            "precision": "the server's",
            "threads": "the server's",
            "streams": str(self._options.streams),
            "model": self._model,
            "endpoint": "chat/completions" if endpoint.chat else "completions",
            "decoding": "greedy" if endpoint.strict else "the server's",
            **{f"field {key}": str(value) for key, value in sorted(endpoint.fields.items())},
        }

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()


class OpenAiBackend:
    """OpenAI-compatible servers."""

    name = "openai"
    title = "OpenAI-compatible server"
    formats = (ModelFormat.REMOTE,)

    def capabilities(self) -> Capabilities:
        """What can be asked."""
        return Capabilities(
            version=_version(),
            devices=("server",),
            precisions=(Precision.FP32,),
            notes=("what the server computes is not checked", "greedy decoding (temperature 0) unless said otherwise"),
            options=OPTIONS,
        )

    def check_options(self, options: BackendOptions) -> None:
        """Refuse options that do not exist or have no such value; the server is not asked.

        Raises:
            UsageError: naming the option.
            NotFoundError: when the file of the key is not there.
        """
        _check(options)
        read_endpoint(options.extra)

    def open(self, model: Path, options: BackendOptions) -> OpenAiSession:
        """Find the model on the server.

        Raises:
            NotFoundError: when no server answers, or it has no model of that name.
            InvalidInputError: when it refuses the key, or is no OpenAI-compatible server.
            UsageError: for an option that cannot be had, or when the model has to be named.
            RunFailedError: when it does not answer in time.
        """
        if model != NO_FILE and not model.exists():
            raise NotFoundError("the model is not there", where=model)
        _check(options)
        endpoint = read_endpoint(options.extra)
        connection = OpenAiConnection(endpoint, options.streams)
        try:
            name = _model(endpoint, connection.models())
        except BaseException:
            connection.close()
            raise
        return OpenAiSession(connection, endpoint, name, options)


def _model(endpoint: Endpoint, known: list[str] | None) -> str:
    """The model's name on the server."""
    if known is None:
        if not endpoint.model:
            raise UsageError("the server does not tell its models", hint="name it: --backend-option model=NAME")
        return endpoint.model
    if not known:
        raise NotFoundError("the server has no model", where=endpoint.base)
    if not endpoint.model:
        if len(known) > 1:
            raise UsageError(
                "the server has several models",
                found=", ".join(known[:8]),
                hint=f"name one: --backend-option model={known[0]}",
            )
        return known[0]
    if endpoint.model not in known:
        raise NotFoundError(
            f"the server has no model {endpoint.model!r}",
            where=endpoint.base,
            expected=" or ".join(nearest(endpoint.model, known) or known[:8]),
        )
    return endpoint.model


def _check(options: BackendOptions) -> None:
    if options.precision is not Precision.FP32 or options.threads:
        raise UsageError(
            "precision and threads are the server's own",
            found=f"--precision {options.precision.value}, --threads {options.threads}",
            hint="leave them out",
        )


def _version() -> str:
    try:
        import httpx2
    except ImportError as error:
        raise MissingDependencyError(f"httpx2 cannot be imported: {error}", hint="pip install httpx2") from error
    return f"httpx2 {httpx2.__version__}"


BACKEND = OpenAiBackend()

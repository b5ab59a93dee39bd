"""llama.cpp: language models in GGUF files, on the CPU (or what the installed build offers), through ``xllamacpp``.

One model serves all streams: each has places of its own ("slots") for the texts it makes, and all places share one pool
of compute threads. Decoding is greedy, so the same prompt gives the same answer; with more than one text at a time the
sums of a batch are ordered another way, and an answer may differ where two words were as good as equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.cpu import usable_cores
from assay.backends.protocol import (
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
from assay.errors import (
    AssayError,
    InvalidInputError,
    MissingDependencyError,
    RunFailedError,
    UsageError,
    nearest,
)
from assay.models.gguf import TYPES, Gguf, read_gguf
from assay.models.tokenizer import TextTokenizer, open_tokenizer

_CONTEXT = 2048
_MOST_CONTEXT = 1 << 20
_MOST_SLOTS = 256
_QUIET = -1
_OPTIONS = {
    "context": f"tokens of prompt and answer together, for each text ({_CONTEXT:,}, or the model's own when that is less)",
    "slots": "texts of a batch that a stream makes side by side; 1 when not given",
}


def engine_library() -> Any:
    """The library, imported now.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingDependencyError(
            f"xllamacpp cannot be imported: {error}", hint='pip install "assay[llm]"'
        ) from error
    return xllamacpp


@dataclass(slots=True)
class _Answer:
    """One text while it is made.

    Attributes:
        start: ids of the first piece, where its first token was told: the answer begins with what was told.
        begun: ids that came with that piece.
    """

    pieces: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    start: NDArray[np.int32] | None = None
    begun: int = 0
    first: int | None = None
    last: int = 0
    prompt_tokens: int = 0
    ended: bool = False


class _Collector:
    """Takes what the engine tells, a token at a time; called in its thread.

    Args:
        count: texts.
        begin: called with a text and its place when its first piece has come; None when nobody asks.
    """

    def __init__(self, count: int, begin: Callable[[int, _Answer], None] | None = None) -> None:
        self.answers = [_Answer() for _ in range(count)]
        self.error: Mapping[str, Any] | None = None
        self._begin = begin

    def __call__(self, chunk: Any) -> bool:
        """Take one chunk; True ends the request."""
        now = perf_counter_ns()
        if chunk is None:
            return False
        if "error" in chunk:
            self.error = chunk["error"]
            return True
        choice = chunk["choices"][0]
        answer = self.answers[choice["index"]]
        if choice["finish_reason"] is not None:
            answer.ended = True
            answer.prompt_tokens = chunk.get("usage", {}).get("prompt_tokens", 0)
            return False
        answer.pieces.append(choice["text"])
        answer.ids += [token["id"] for token in (choice.get("logprobs") or {}).get("content", ())]
        answer.last = now
        if answer.first is None:
            answer.first = now
            if self._begin is not None:
                self._begin(choice["index"], answer)
        return False


class LlamaStream:
    """One worker's calls; the engine gives each text a place of its own."""

    def __init__(self, session: LlamaSession, slots: int) -> None:
        self._session = session
        self._slots = slots

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Not what this engine does.

        Raises:
            InvalidInputError: always.
        """
        del inputs
        raise InvalidInputError("llama.cpp makes text and runs no graphs", hint="it is for the task language-model")

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Answers to some prompts, ``slots`` of them at a time; times count from the moment a prompt's turn comes.

        Raises:
            InvalidInputError: when a prompt is empty, or longer than the context with its answer.
            UsageError: for a decoding that llama.cpp has not.
            RunFailedError: when the engine gives no usable answer.
        """
        _check_decoding(decoding)
        answers: list[Generated] = []
        for start in range(0, len(prompts), self._slots):
            answers += self._session.complete(prompts[start : start + self._slots], decoding, start)
        return answers


class LlamaSession:
    """A model loaded into llama.cpp."""

    fixed_batches = False
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, server: Any, header: Gguf, options: BackendOptions, plan: _Plan, version: str) -> None:
        self._server = server
        self._header = header
        self._options = options
        self._plan = plan
        self._version = version
        self._tokenizer: TextTokenizer | None = None

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing: any number of texts is as good as another."""

    def stream(self) -> LlamaStream:
        """A new stream on the shared model."""
        self._loaded()
        return LlamaStream(self, self._plan.slots)

    def describe(self) -> dict[str, str]:
        """What it is and how it was opened; ``precision`` is the form of most weights in the file."""
        return {
            "engine": "llama.cpp",
            "version": self._version,
            "device": "CPU",
            "precision": weight_form(self._header),
            "threads": str(self._plan.threads),
            "streams": str(self._options.streams),
            "architecture": self._header.architecture,
            "context": str(self._plan.context),
            "slots": str(self._plan.slots),
        }

    def close(self) -> None:
        """Free the model."""
        self._server = None

    def complete(self, prompts: Sequence[Prompt], decoding: Decoding, place: int = 0) -> list[Generated]:
        """Answers to at most ``slots`` prompts, made side by side; ``place`` is that of the first in the call."""
        for prompt in prompts:
            self._check_length(prompt, decoding)
        body = {
            "prompt": [prompt.text if prompt.tokens is None else prompt.tokens.tolist() for prompt in prompts],
            "max_tokens": decoding.max_tokens,
            "temperature": 0.0,
            "stream": True,
            "cache_prompt": False,  # a prompt met before would be answered faster than a new one
            # The ids of the tokens come with their probabilities only; those after sampling cost nothing.
            "n_probs": 1,
            "post_sampling_probs": True,
            **decoding.extra,
        }
        tell = decoding.tell_first
        begin = None if tell is None else lambda index, answer: self._begin(answer, partial(tell, place + index))
        collector = _Collector(len(prompts), begin)
        started = perf_counter_ns()
        try:
            self._loaded().handle_completions(body, collector)
        except (RuntimeError, ValueError) as error:
            raise RunFailedError(f"llama.cpp broke while it made text: {error}") from error
        if collector.error is not None:
            raise _refused(collector.error, self._plan.context, decoding)
        return [self._generated(answer, started) for answer in collector.answers]

    def _generated(self, answer: _Answer, started: int) -> Generated:
        if not answer.ended:
            raise RunFailedError("llama.cpp stopped in the middle of an answer", found=f"{len(answer.ids)} tokens")
        text = "".join(answer.pieces)
        return Generated(
            tokens=self._ids(answer),
            text=text,
            first_token_ns=None if answer.first is None else answer.first - started,
            total_ns=max(answer.last - started, 0),
            prompt_tokens=answer.prompt_tokens,
        )

    def _begin(self, answer: _Answer, tell: Callable[[int, str], None]) -> None:
        """Tell the first token of an answer."""
        text = answer.pieces[0]
        start = self._ids_of(answer.ids, text)
        if len(start):
            answer.start, answer.begun = start, len(answer.ids)
            tell(int(start[0]), text)

    def _ids(self, answer: _Answer) -> NDArray[np.int32]:
        """The ids of an answer."""
        if answer.start is None:
            return self._ids_of(answer.ids, "".join(answer.pieces))
        rest = self._ids_of(answer.ids[answer.begun :], "".join(answer.pieces[1:]))
        return np.concatenate([answer.start, rest])

    def _ids_of(self, found: list[int], text: str) -> NDArray[np.int32]:
        """The ids of a text. The engine keeps those of a letter made of several tokens to itself but for the last."""
        ids = np.array(found, np.int32)
        if text.isascii():
            return ids
        if self._tokenizer is None:
            self._tokenizer = open_tokenizer(self._header.path)
        return ids if self._tokenizer.decode(ids) == text else self._tokenizer.encode(text)

    def _check_length(self, prompt: Prompt, decoding: Decoding) -> None:
        if prompt.tokens is None or not len(prompt.tokens):
            if not prompt.text:
                raise InvalidInputError("a prompt is empty")
            return
        length, context = len(prompt.tokens), self._plan.context
        if length + decoding.max_tokens > context:
            raise _too_long(length, context, decoding)

    def _loaded(self) -> Any:
        if self._server is None:
            raise UsageError("the session is closed")
        return self._server


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a model is opened.

    Attributes:
        context: tokens of one text, prompt and answer.
        slots: texts that one stream makes side by side.
        threads: compute threads of all streams together.
    """

    context: int
    slots: int
    threads: int


class LlamaCppBackend:
    """llama.cpp."""

    name = "llamacpp"
    title = "llama.cpp"
    formats = (ModelFormat.GGUF,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = engine_library()
        return Capabilities(
            version=library.__version__,
            devices=("CPU",),
            precisions=(Precision.FP32,),
            notes=("weights stay in the form of the GGUF file", "greedy decoding: no beam search"),
            options=_OPTIONS,
        )

    def check_options(self, options: BackendOptions) -> None:
        """Refuse options that do not exist or have no such value.

        Raises:
            UsageError: naming the option.
        """
        engine_library()
        _check_precision(options)
        _plan(options, None)

    def open(self, model: Path, options: BackendOptions) -> LlamaSession:
        """Load a model.

        Raises:
            NotFoundError: when it is not there.
            InvalidInputError: when it is no GGUF file, is cut off, or of an architecture that llama.cpp does not know.
            UsageError: for an option that does not exist or cannot be had with this model.
        """
        library = engine_library()
        _check_precision(options)
        header = read_gguf(model)
        plan = _plan(options, header)
        server = _load(library, header, plan, options)
        return LlamaSession(server, header, options, plan, library.__version__)


def _load(library: Any, header: Gguf, plan: _Plan, options: BackendOptions) -> Any:
    params = library.CommonParams()
    params.model.path = str(header.path)
    places = options.streams * plan.slots
    params.n_parallel = places
    params.n_ctx = plan.context * places
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = plan.threads
    params.verbosity = _QUIET
    params.fit_params = False  # else it makes the context smaller when it thinks that memory is short
    params.cache_ram_mib = 0
    params.warmup = True
    try:
        server = library.Server(params)
        # One token: a server that is freed before its own thread has begun waits for it for ever.
        server.handle_completions({"prompt": [0], "max_tokens": 1, "cache_prompt": False})
        return server
    except (RuntimeError, ValueError) as error:
        raise InvalidInputError(
            f"llama.cpp cannot load the model: {error}",
            where=header.path,
            expected="a language model of an architecture that llama.cpp knows",
            found=f"architecture {header.architecture or 'not named'}, {len(header.tensors)} tensors",
        ) from error


def weight_form(header: Gguf) -> str:
    """The form of most of a file's weights, such as ``Q4_1``."""
    sizes: dict[int, int] = {}
    for tensor in header.tensors.values():
        sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.count
    if not sizes:
        return "unknown"
    kind = max(sizes, key=lambda each: sizes[each])
    return TYPES[kind].name if kind in TYPES else f"type {kind}"


def _check_precision(options: BackendOptions) -> None:
    if options.precision is not Precision.FP32:
        raise UsageError(
            f"llama.cpp does not make a model {options.precision.value}",
            expected="no --precision: the GGUF file has its own",
            hint="give a file of that form: --model FILE",
        )


def _plan(options: BackendOptions, header: Gguf | None) -> _Plan:
    for key in options.extra:
        if key not in _OPTIONS:
            raise UsageError(
                f"llama.cpp has no option {key!r}",
                expected=" or ".join(nearest(key, _OPTIONS) or _OPTIONS),
                hint="assay backends show llamacpp",
            )
    own = (header.number("context_length") if header else None) or _MOST_CONTEXT
    context = _number(options.extra, "context", min(_CONTEXT, own), _MOST_CONTEXT)
    if context > own:
        raise UsageError(
            "the model was made for shorter texts", expected=f"context={own} at most", found=f"context={context}"
        )
    slots = _number(options.extra, "slots", 1, _MOST_SLOTS)
    threads = options.threads * options.streams or usable_cores()
    return _Plan(context, slots, threads)


def _number(extra: Mapping[str, str], key: str, usual: int, most: int) -> int:
    text = extra.get(key)
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
        raise UsageError(f"{key} is a number", expected=f"1 to {most}", found=text)
    return int(text)


def _check_decoding(decoding: Decoding) -> None:
    if decoding.beams > 1 or decoding.min_tokens:
        raise UsageError(
            "llama.cpp has no beam search and no shortest answer",
            expected="beams 1, min_new_tokens 0",
            found=f"beams {decoding.beams}, min_new_tokens {decoding.min_tokens}",
            hint="an engine that has both runs behind --backend openai",
        )
    unknown = [key for key in decoding.extra if key != "ignore_eos"]
    if unknown:
        raise UsageError(f"llama.cpp has no decoding setting {unknown[0]!r}", expected="ignore_eos")


def _too_long(length: int, context: int, decoding: Decoding) -> InvalidInputError:
    return InvalidInputError(
        "a prompt is too long for the context",
        expected=f"at most {context - decoding.max_tokens} tokens, {decoding.max_tokens} of {context} being the answer's",
        found=f"{length} tokens",
        hint=f"--backend-option context={length + decoding.max_tokens}, or a smaller max_prompt_tokens in the recipe",
    )


def _refused(error: Mapping[str, Any], context: int, decoding: Decoding) -> AssayError:
    text = str(error.get("message", "no reason given"))[:300]
    if error.get("type") == "exceed_context_size_error":
        return _too_long(int(error.get("n_prompt_tokens", 0)), context, decoding)
    if error.get("code") == 400:
        return InvalidInputError(f"llama.cpp refuses a prompt: {text}")
    return RunFailedError(f"llama.cpp gives no answer: {text}")


BACKEND = LlamaCppBackend()

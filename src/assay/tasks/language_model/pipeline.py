"""From prompts to answers, with the moments that matter to somebody who waits for a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter_ns
from typing import cast

import numpy as np
from numpy.typing import NDArray

from assay.base.generation import Decoding, Generate, Generated, Prompt
from assay.base.tensors import Array
from assay.errors import RunFailedError
from assay.models.tokenizer import TextTokenizer
from assay.tasks.protocol import Counted, Ragged, Responses, Samples, TellToken

_PERCENTILES = (50, 90, 99)


class GeneratingPipeline:
    """Makes text for each sample.

    Args:
        generate: of the engine's stream.
        decoding: how text is made.
        tokenizer: makes ids of answers that come as text only; None to leave them so.
    """

    def __init__(self, generate: Generate, decoding: Decoding, tokenizer: TextTokenizer | None = None) -> None:
        self._generate = generate
        self._decoding = decoding
        self._tokenizer = tokenizer
        self.reset()

    def __call__(self, samples: Samples) -> Responses:
        """Answers, one array for each sample: see :func:`response_of`.

        Raises:
            RunFailedError: when the engine gives another number of answers than it got prompts.
        """
        return self._counted(self._answers(samples, self._decoding), {})

    def answer(self, samples: Samples, tell: TellToken) -> Responses:
        """The same, and the first token of each as it comes: its id, or the letters where no ids can be had.

        Raises:
            RunFailedError: when the engine gives another number of answers than it got prompts.
        """
        begun: dict[int, str] = {}

        def told(place: int, token: int | None, text: str) -> None:
            if place in begun:
                return
            begun[place] = text if token is None else ""
            tell(place, np.array([token], np.int64) if token is not None else self._start_of(text))

        return self._counted(self._answers(samples, replace(self._decoding, tell_first=told)), begun)

    def _start_of(self, text: str) -> Array:
        """What a response holds of the first letters: one id, or the letters themselves."""
        if self._tokenizer is None:
            return _letters(text)
        return np.ascontiguousarray(self._tokenizer.encode(text)[:1], np.int64)

    def _answers(self, samples: Samples, decoding: Decoding) -> Sequence[Generated]:
        prompts = [prompt_of(*sample) for sample in cast("Ragged", samples)]
        answers = self._generate(prompts, decoding)
        if len(answers) != len(prompts):
            raise RunFailedError(
                "the engine gave another number of answers than it got prompts",
                expected=str(len(prompts)),
                found=str(len(answers)),
            )
        self._count(answers)
        return answers

    def _counted(self, answers: Sequence[Generated], begun: Mapping[int, str]) -> Counted:
        responses = [response_of(answer, self._tokenizer, begun.get(place, "")) for place, answer in enumerate(answers)]
        return Counted(responses, map(tokens_of, answers, responses))

    def figures(self) -> Mapping[str, float]:
        """Tokens read and made, tokens made per second, time to the first token and time for each further one."""
        lasted = self._last - self._start
        figures: dict[str, float] = {"prompt_tokens": self._read, "answer_tokens": self._made}
        if lasted > 0 and self._made:
            figures["answer_tokens_per_second"] = self._made * 1e9 / lasted
        for name, times in (("first_token", self._first), ("next_token", self._next)):
            if times:
                figures |= {f"{name}_p{p}_ns": float(np.percentile(times, p)) for p in _PERCENTILES}
        return figures

    def reset(self) -> None:
        """Forget what was measured."""
        self._start = self._last = perf_counter_ns()
        self._read = self._made = 0
        self._first: list[int] = []
        self._next: list[float] = []

    def _count(self, answers: Sequence[Generated]) -> None:
        self._last = perf_counter_ns()
        for answer in answers:
            made = len(answer.tokens) or answer.token_count or 0
            self._read += answer.prompt_tokens
            self._made += made
            if answer.first_token_ns is not None:
                self._first.append(answer.first_token_ns)
                if made > 1:
                    self._next.append((answer.total_ns - answer.first_token_ns) / (made - 1))


def prompt_of(tokens: Array, text: Array) -> Prompt:
    """The prompt of a sample: token ids where there are any, and the text."""
    ids = cast("NDArray[np.int32]", tokens)
    return Prompt(tokens=ids if len(ids) else None, text=text.tobytes().decode("utf-8"))


def response_of(answer: Generated, tokenizer: TextTokenizer | None = None, begun: str = "") -> Array:
    """Bytes for LoadGen: int64 ids of the new tokens, as the GPT-J reference gives; UTF-8 when no ids can be had.

    The two are told apart by the zero bytes that an id has and a text has not; see :func:`text_or_ids`.

    Args:
        answer: of the engine.
        tokenizer: makes ids of a text that comes without.
        begun: letters of the text that were told first: ids are made of them by themselves, so that the response begins
            with the id that was told.
    """
    if len(answer.tokens):
        return np.ascontiguousarray(answer.tokens, np.int64)
    if tokenizer is None:
        return _letters(answer.text)
    rest = answer.text.removeprefix(begun)
    parts = [tokenizer.encode(text) for text in ((begun, rest) if rest != answer.text else (rest,))]
    return np.ascontiguousarray(np.concatenate(parts), np.int64)


def tokens_of(answer: Generated, response: Array) -> int:
    """How many tokens an answer has: those that LoadGen is handed, or as many as the engine counted; 0 for nobody knows."""
    return len(response) if response.dtype == np.int64 else answer.token_count or 0


def _letters(text: str) -> Array:
    return np.frombuffer(text.replace("\0", "\ufffd").encode("utf-8", "replace"), np.uint8)


def text_or_ids(response: bytes) -> str | NDArray[np.int64] | None:
    """What a response holds: a text, token ids, or None when it is neither."""
    if b"\0" not in response:
        try:
            return response.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if len(response) % 8:
        return None
    ids = np.frombuffer(response, "<i8")
    return ids if ids.min() >= 0 and ids.max() < 1 << 31 else None

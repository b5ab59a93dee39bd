"""Language models of CTranslate2 (GPT-J, GPT-2, Llama and the like): tokens from tokens.

The library takes prompts as words of its vocabulary and not as ids, so that ids are looked up there. Nothing is drawn by
chance: a search follows the best token, or so many best texts as it has beams. With beams it ends when as many texts
have come to their end, which is what ``early_stopping`` means elsewhere; ``patience`` makes it go on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import psutil

from assay.backends.ctranslate2_facts import DecoderFacts
from assay.backends.ctranslate2_stream import TextStream, broken
from assay.backends.protocol import Decoding, Generated, Prompt
from assay.base.units import format_size
from assay.errors import InvalidInputError, MachineError, nearest

_EXTRA_DECODING = frozenset(
    {"early_stopping", "length_penalty", "no_repeat_ngram_size", "patience", "repetition_penalty"}
)


class DecoderStream(TextStream):
    """One worker's way into the shared model.

    Args:
        model: a ``Generator`` of the library.
        facts: of the model.
    """

    def __init__(self, model: Any, facts: DecoderFacts) -> None:
        self._model = model
        self._facts = facts

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Tokens after each prompt; the moment of the first one is known without beams only.

        Prompts whose lengths are far apart are answered one after the other, see :func:`groups_of`.

        Raises:
            InvalidInputError: when a prompt has no token ids, one that the model does not know, or no room for the
                answer; or for a decoding that the library has not.
            MachineError: when there is too little memory for so many prompts at once.
            RunFailedError: when the engine breaks.
        """
        options = _options(decoding)
        starts = [self._start(prompt, decoding) for prompt in prompts]
        began = time.perf_counter_ns()
        answers: dict[int, Generated] = {}
        for group in groups_of([len(start) for start in starts], decoding.max_tokens):
            chosen = [starts[place] for place in group]
            self._check_memory(chosen, decoding)
            clock = _Clock(group, decoding)
            answers.update(zip(group, self._answers(chosen, options, began, clock), strict=True))
        return [answers[place] for place in range(len(prompts))]

    def _answers(
        self, starts: list[list[str]], options: Mapping[str, Any], began: int, clock: _Clock
    ) -> list[Generated]:
        told = {"callback": clock} if options["beam_size"] == 1 else {}
        try:
            results = self._model.generate_batch(starts, include_prompt_in_result=False, **options, **told)
        except (RuntimeError, ValueError, TypeError) as error:
            raise broken(error) from error
        ended = time.perf_counter_ns()
        return [
            Generated(
                tokens=np.array(result.sequences_ids[0], np.int32),
                text="",
                first_token_ns=None if first is None else first - began,
                total_ns=(last or ended) - began,
                prompt_tokens=len(start),
            )
            for result, start, first, last in zip(results, starts, clock.first, clock.last, strict=True)
        ]

    def _start(self, prompt: Prompt, decoding: Decoding) -> list[str]:
        words, context = self._facts.words, self._facts.context
        ids = prompt.tokens
        if ids is None or not len(ids):
            raise InvalidInputError(
                "a language model of CTranslate2 is asked by token ids",
                expected="a prompt with tokens",
                found="a text alone" if prompt.text else "an empty prompt",
                hint="tell where its tokenizer is: --recipe tokenizer=FOLDER",
            )
        if len(ids) + decoding.max_tokens > context:
            shorter = "a smaller max_prompt_tokens or max_new_tokens in the recipe"
            more = f"--backend-option context={len(ids) + decoding.max_tokens} if the model was made for it, or "
            raise InvalidInputError(
                "a prompt is too long for the model",
                expected=f"at most {context - decoding.max_tokens} tokens, "
                f"{decoding.max_tokens} of {context} being the answer's",
                found=f"{len(ids)} tokens",
                hint=shorter if self._facts.own_context else more + shorter,
            )
        if int(ids.min()) < 0 or int(ids.max()) >= len(words):
            raise InvalidInputError(
                "a token of a prompt is not in the model's vocabulary",
                expected=f"ids from 0 to {len(words) - 1}",
                found=str(int(ids.min() if ids.min() < 0 else ids.max())),
                hint="the tokenizer is that of another model",
            )
        return [words[token] for token in ids.tolist()]

    def _check_memory(self, starts: Sequence[Sequence[str]], decoding: Decoding) -> None:
        """Keys and values of a long prompt take more than many a model; the system would end the process without a word."""
        tokens = (max(map(len, starts)) + decoding.max_tokens) * len(starts) * decoding.beams
        needed, left = tokens * self._facts.bytes_per_token, int(psutil.virtual_memory().available)
        if needed > left:
            raise MachineError(
                "too little memory for the keys and values of a batch",
                expected=f"about {format_size(needed)} for {len(starts)} texts of {decoding.beams} beams",
                found=f"{format_size(left)} available",
                hint="take a smaller --batch-size, or fewer beams",
            )


class _Clock:
    """Notes when each text's first and last token came, and tells the first; called in the library's thread.

    Args:
        places: of the texts in the call.
        decoding: says whom to tell.
    """

    def __init__(self, places: Sequence[int], decoding: Decoding) -> None:
        self.first: list[int | None] = [None] * len(places)
        self.last: list[int | None] = [None] * len(places)
        self._places, self._tell = places, decoding.tell_first

    def __call__(self, step: Any) -> bool:
        """Take one token; False lets the text go on."""
        now = time.perf_counter_ns()
        self.last[step.batch_id] = now
        if self.first[step.batch_id] is None:
            self.first[step.batch_id] = now
            if self._tell is not None:
                self._tell(self._places[step.batch_id], int(step.token_id), "")
        return False


def groups_of(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Places of prompts that are answered together, the longest first.

    A batch reads as much of all prompts at once as the shortest has, and the rest token by token, like an answer. Where the
    next shorter prompt is shorter by more than an answer is long (``most``), a batch of its own takes fewer steps. A prompt
    of one token is apart because beside it the library gives longer prompts back as parts of their answers.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    groups = [order[:1]] if order else []
    for before, place in pairwise(order):
        longer, shorter = lengths[before], lengths[place]
        if longer - shorter > most or shorter == 1 < longer:
            groups.append([])
        groups[-1].append(place)
    return groups


def _options(decoding: Decoding) -> dict[str, Any]:
    """The library's arguments; it counts the new tokens alone."""
    if not 0 <= decoding.min_tokens <= decoding.max_tokens or decoding.max_tokens < 1:
        raise InvalidInputError(
            "an answer cannot have such a length",
            expected="at least 1 token, and the shortest no longer than the longest",
            found=f"{decoding.min_tokens} to {decoding.max_tokens} tokens",
        )
    for key in decoding.extra:
        if key not in _EXTRA_DECODING:
            close = nearest(key, _EXTRA_DECODING)
            raise InvalidInputError(
                f"CTranslate2's language models have no setting {key!r}",
                expected=" or ".join(close or sorted(_EXTRA_DECODING)),
            )
    further = {key: value for key, value in decoding.extra.items() if key != "early_stopping"}
    return {
        "beam_size": decoding.beams,
        "max_length": decoding.max_tokens,
        "min_length": decoding.min_tokens,
        **further,
    }

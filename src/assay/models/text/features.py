"""Questions with their paragraphs as tokens: the windows that the model sees, as the reference makes them.

A window is ``[CLS] question [SEP] part of the paragraph [SEP]``. A paragraph that does not fit is cut into windows that
overlap, and each of its tokens may begin an answer in the one window where it has most text around it.

Source of the rules: mlcommons/inference v3.1, language/bert/create_squad_data.py, convert_examples_to_features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.models.text.squad import Question, Squad
from assay.models.text.vocabulary import CLS, SEP
from assay.models.text.wordpiece import Tokeniser

_AROUND = 3
"""``[CLS]`` and two ``[SEP]``."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class WindowForm:
    """How windows are cut; the defaults are MLPerf's.

    Attributes:
        max_length: tokens of a window, at most.
        max_query: tokens of a question, at most; the rest is cut off.
        stride: one window of a paragraph begins so many tokens after the other.
    """

    max_length: int = 384
    max_query: int = 64
    stride: int = 128


@dataclass(frozen=True, slots=True)
class Features:
    """All windows of a dataset in flat arrays; window ``i`` has the tokens ``offsets[i]`` to ``offsets[i + 1]``.

    Attributes:
        tokens: ids, ``(sum of lengths,)``.
        words: word of the paragraph that each token is part of; -1 for those that are no part of it.
        central: whether an answer may begin at the token.
        offsets: where each window begins, ``(count + 1,)``.
        texts: where the paragraph begins in each window: tokens before it are of segment 0.
        questions: question of each window, ascending.
    """

    tokens: Numbers
    words: Numbers
    central: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    texts: Numbers
    questions: Numbers

    @property
    def count(self) -> int:
        """Windows there are."""
        return len(self.texts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window."""
        return np.diff(self.offsets)

    def first(self, count: int) -> Features:
        """The first windows."""
        end = self.offsets[min(count, self.count)]
        return Features(
            self.tokens[:end],
            self.words[:end],
            self.central[:end],
            self.offsets[: count + 1],
            self.texts[:count],
            self.questions[:count],
        )


@dataclass(frozen=True, slots=True)
class TokenisedParagraph:
    """A paragraph's tokens.

    Attributes:
        tokens: ids.
        words: the word that each is part of.
        starts: first token of each word.
    """

    tokens: Numbers
    words: Numbers
    starts: list[int]


def tokenise_paragraph(words: list[str], tokeniser: Tokeniser) -> TokenisedParagraph:
    """Word pieces of a paragraph, word by word."""
    tokens: list[int] = []
    of: list[int] = []
    starts: list[int] = []
    for number, word in enumerate(words):
        pieces = tokeniser.ids(word)
        starts.append(len(tokens))
        tokens += pieces
        of += [number] * len(pieces)
    return TokenisedParagraph(np.array(tokens, np.int32), np.array(of, np.int32), starts)


def spans(tokens: int, room: int, stride: int) -> list[tuple[int, int]]:
    """Start and length of each part of a text of ``tokens`` that has to fit into ``room``; none for no text."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < tokens:
        length = min(tokens - start, room)
        found.append((start, length))
        if start + length == tokens:
            break
        start += min(length, stride)
    return found


def owners(parts: list[tuple[int, int]], tokens: int) -> NDArray[np.intp]:
    """The part where each token has most text on its poorer side; of equal ones the first."""
    best, owner = np.full(tokens, -np.inf), np.zeros(tokens, np.intp)
    for number, (start, length) in enumerate(parts):
        place = np.arange(length)
        score = np.minimum(place, length - 1 - place) + 0.01 * length
        better = score > best[start : start + length]
        best[start : start + length][better] = score[better]
        owner[start : start + length][better] = number
    return owner


def query_ids(question: Question, tokeniser: Tokeniser, form: WindowForm) -> list[int]:
    """Tokens of a question, cut off where it is too long."""
    return tokeniser.ids(question.text)[: form.max_query]


def make_features(squad: Squad, tokeniser: Tokeniser, form: WindowForm, progress: Progress) -> Features:
    """All windows of some questions, in their order. A question about an empty paragraph has none."""
    collected: list[tuple[Numbers, Numbers, NDArray[np.bool_], int, int]] = []
    known: dict[int, TokenisedParagraph] = {}
    step = progress.start("tokenise questions", total=len(squad.questions))
    try:
        for number, question in enumerate(squad.questions):
            paragraph = known.get(question.paragraph)
            if paragraph is None:
                # Questions about a paragraph follow each other, so one is kept.
                known = {question.paragraph: tokenise_paragraph(squad.words(question.paragraph), tokeniser)}
                paragraph = known[question.paragraph]
            query = query_ids(question, tokeniser, form)
            collected += [(*window, number) for window in _windows(query, paragraph, tokeniser, form)]
            step.advance(1)
    finally:
        step.finish()
    return _flat(collected)


def _windows(
    query: list[int], paragraph: TokenisedParagraph, tokeniser: Tokeniser, form: WindowForm
) -> Iterator[tuple[Numbers, Numbers, NDArray[np.bool_], int]]:
    cls, sep = tokeniser.vocabulary.ids[CLS], tokeniser.vocabulary.ids[SEP]
    parts = spans(len(paragraph.tokens), form.max_length - len(query) - _AROUND, form.stride)
    best = owners(parts, len(paragraph.tokens)) if parts else np.empty(0, np.intp)
    head = len(query) + 2
    for number, (start, length) in enumerate(parts):
        size = head + length + 1
        tokens = np.empty(size, np.int32)
        tokens[0], tokens[1 : head - 1], tokens[head - 1], tokens[-1] = cls, query, sep, sep
        tokens[head:-1] = paragraph.tokens[start : start + length]
        words = np.full(size, -1, np.int32)
        words[head:-1] = paragraph.words[start : start + length]
        central = np.zeros(size, np.bool_)
        central[head:-1] = best[start : start + length] == number
        yield tokens, words, central, head


def _flat(windows: list[tuple[Numbers, Numbers, NDArray[np.bool_], int, int]]) -> Features:
    offsets = np.zeros(len(windows) + 1, np.int64)
    np.cumsum([len(window[0]) for window in windows], out=offsets[1:])
    empty = np.empty(0, np.int32)
    return Features(
        tokens=np.concatenate([empty, *(window[0] for window in windows)]),
        words=np.concatenate([empty, *(window[1] for window in windows)]),
        central=np.concatenate([np.empty(0, np.bool_), *(window[2] for window in windows)]),
        offsets=offsets,
        texts=np.array([window[3] for window in windows], np.int32),
        questions=np.array([window[4] for window in windows], np.int32),
    )

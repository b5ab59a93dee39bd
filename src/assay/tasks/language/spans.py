"""From logits to the text of an answer.

Source of the rules: mlcommons/inference v3.1, language/bert/accuracy-squad.py, write_predictions and get_final_text.
Of the list of best answers that it makes only the first is ever scored, so only that is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.models.text.features import Features
from assay.models.text.wordpiece import basic_words
from assay.tasks.language.questions import QuestionDataset
from assay.tasks.language.recipe import Recipe

NO_ANSWER = "empty"
"""What the official tool predicts for a question without any valid span."""

PADDING_LOGIT = -10_000.0
"""What it takes for tokens that a response does not cover."""

Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """An answer's place: window, first and last token of it, and the sum of their logits."""

    window: int
    first: int
    last: int
    score: float


def best_span(features: Features, window: int, logits: Logits, recipe: Recipe) -> Span | None:
    """The best span of a window; of equal ones that whose start, then whose end, has the larger logit.

    Args:
        features: of the dataset.
        window: which.
        logits: of start and end, ``(max_length, 2)``.
        recipe: how many starts and ends are combined, and how long an answer may be.
    """
    begin, end = (int(place) for place in features.offsets[window : window + 2])
    size = end - begin
    starts, ends = (_best(logits[:, column], recipe.n_best) for column in (0, 1))
    starts, ends = starts[starts < size], ends[ends < size]
    starts = starts[(features.words[begin + starts] >= 0) & features.central[begin + starts]]
    ends = ends[features.words[begin + ends] >= 0]
    length = ends[None, :] - starts[:, None] + 1
    valid = (length >= 1) & (length <= recipe.max_answer)
    if not valid.any():
        return None
    score = np.where(valid, logits[starts, 0][:, None] + logits[ends, 1][None, :], -np.inf)
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    return Span(window, int(starts[row]), int(ends[column]), float(score[row, column]))


def predict(dataset: QuestionDataset, results: Mapping[int, Logits], recipe: Recipe) -> list[str]:
    """The answer to every question of a dataset, by the windows there are results for.

    Args:
        dataset: the questions.
        results: window to logits of start and end, ``(max_length, 2)``; windows may be missing.
        recipe: how spans are chosen.
    """
    answers: list[str] = []
    window = 0
    for number, question in enumerate(dataset.squad.questions):
        best: Span | None = None
        while window < dataset.count and dataset.features.questions[window] == number:
            logits = results.get(window)
            span = None if logits is None else best_span(dataset.features, window, logits, recipe)
            if span is not None and (best is None or span.score > best.score):
                best = span
            window += 1
        answers.append(NO_ANSWER if best is None else _text(dataset, question.paragraph, best, recipe))
    return answers


def _text(dataset: QuestionDataset, paragraph: int, span: Span, recipe: Recipe) -> str:
    features = dataset.features
    begin = int(features.offsets[span.window])
    first, last = begin + span.first, begin + span.last
    pieces = " ".join(dataset.vocabulary.pieces[token] for token in features.tokens[first : last + 1])
    plain = " ".join(pieces.replace(" ##", "").replace("##", "").split())
    words = dataset.squad.words(paragraph)[features.words[first] : features.words[last] + 1]
    return realign(plain, " ".join(words), lower_case=recipe.lower_case)


def realign(plain: str, original: str, *, lower_case: bool = True) -> str:
    """The part of the original text that a predicted text is: with its case and accents, without what is around it.

    The whole original text when the two cannot be laid side by side.

    Args:
        plain: the predicted text, put together from word pieces.
        original: words of the paragraph that it lies in.
        lower_case: how the paragraph was tokenised.
    """
    normal = " ".join(basic_words(original, lower_case=lower_case, all_controls=False))
    start = normal.find(plain)
    if start == -1:
        return original
    last = start + len(plain) - 1
    places, normal_places = ([i for i, letter in enumerate(text) if letter != " "] for text in (original, normal))
    if len(places) != len(normal_places):
        return original
    order = {place: number for number, place in enumerate(normal_places)}
    if start not in order or last not in order:
        return original
    return original[places[order[start]] : places[order[last]] + 1]


def _best(logits: Logits, count: int) -> NDArray[np.intp]:
    """Indices of the largest values, best first; of equal ones the first."""
    return np.argsort(-logits, kind="stable")[:count]

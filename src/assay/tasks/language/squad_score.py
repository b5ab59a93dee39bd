"""Exact match and F1 of answers, and an accuracy log scored with them, in the official form.

Sources: mlcommons/inference v3.1, language/bert/evaluate_v1.1.py (SQuAD's own script) and accuracy-squad.py (a later
response to a sample replaces an earlier one; one that is shorter than the longest sample is padded).
"""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.errors import InvalidInputError
from assay.loadgen.logs import AccuracyLog, read_accuracy
from assay.tasks.language.questions import QuestionDataset
from assay.tasks.language.recipe import Recipe
from assay.tasks.language.spans import PADDING_LOGIT, Logits, predict
from assay.tasks.protocol import Accuracy

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(answer: str) -> str:
    """An answer as it is compared: lower case, without ASCII punctuation, articles and surplus blanks."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def f1(prediction: str, truth: str) -> float:
    """Harmonic mean of the shares of words that two answers have in common, 0 to 1."""
    words, true_words = normalised(prediction).split(), normalised(truth).split()
    same = sum((Counter(words) & Counter(true_words)).values())
    if not same:
        return 0
    precision, recall = 1.0 * same / len(words), 1.0 * same / len(true_words)
    return (2 * precision * recall) / (precision + recall)


def evaluate(predictions: Sequence[str], truths: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Exact match and F1 in percent, each question by the answer of people that it fits best."""
    exact = 0
    total = 0.0
    for prediction, answers in zip(predictions, truths, strict=True):
        exact += max(normalised(prediction) == normalised(answer) for answer in answers)
        total += max(f1(prediction, answer) for answer in answers)
    return 100.0 * exact / len(truths), 100.0 * total / len(truths)


def score_answers(log: Path, dataset: QuestionDataset, recipe: Recipe, *, part: bool = False) -> Accuracy:
    """F1 and exact match from ``mlperf_log_accuracy.json``.

    A response is float32 ``(tokens, 2)``: start and end logit of every token, interleaved. With ``part`` the log may hold
    some samples only; as in the official tool, questions of the others count as answered wrongly.

    Raises:
        InvalidInputError: when a sample has no response, an unknown index or a response that is no logits.
    """
    read = read_accuracy(log)
    known = set(map(int, read.qsl_idx))
    every = set(range(dataset.count))
    if not known or not (known <= every if part else known == every):
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{dataset.count} samples",
            found=f"{len(known)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    answers = predict(dataset, read_logits(read, recipe.max_length), recipe)
    exact, mean = evaluate(answers, [[each.text for each in question.answers] for question in dataset.squad.questions])
    return Accuracy(
        metrics={"F1": mean},
        units={"F1": "percent"},
        samples=len(known),
        text=json.dumps({"exact_match": exact, "f1": mean}),
        details={"exact_match": exact, "questions": len(answers)},
    )


def read_logits(log: AccuracyLog, max_length: int) -> dict[int, Logits]:
    """Logits of each sample in a log, padded to ``(max_length, 2)``.

    Raises:
        InvalidInputError: for a response that is no list of pairs, too long, or no numbers.
    """
    found: dict[int, Logits] = {}
    for index, data in zip(log.qsl_idx, log.data, strict=True):
        if not data or len(data) % 8 or len(data) > 8 * max_length:
            raise InvalidInputError(
                f"the response to sample {index} has {len(data)} bytes",
                where=log.path,
                expected=f"8 for each of up to {max_length} tokens: start and end logit as float32",
                hint="a run that failed or was interrupted answers with nothing; run it again",
            )
        pairs = np.frombuffer(data, "<f4").reshape(-1, 2)
        if not np.isfinite(pairs).all():
            raise InvalidInputError(f"the response to sample {index} holds logits that are no numbers", where=log.path)
        logits = np.full((max_length, 2), PADDING_LOGIT)
        logits[: len(pairs)] = pairs
        found[int(index)] = logits
    return found

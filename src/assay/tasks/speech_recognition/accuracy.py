"""Word error rate from LoadGen's accuracy log, in the official form.

Source: mlcommons/inference v3.1, speech_recognition/rnnt/accuracy_eval.py with pytorch/metrics.py: the sum of word edit
distances over the sum of the references' words, every entry of the log counted, also one that comes twice. The checker
reads the accuracy, which is 100 less the rate, and calls it ``WER``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.errors import InvalidInputError
from assay.loadgen.logs import read_accuracy
from assay.tasks.protocol import Accuracy

_ITEM = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Words that have to be put in, taken out or changed, of how many.

    Attributes:
        errors: sum of the edit distances.
        words: words of the references.
    """

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """Errors for each word; infinite when there are no words."""
        return self.errors / self.words if self.words else float("inf")

    @property
    def official(self) -> str:
        """What ``accuracy_eval.py`` prints."""
        return f"Word Error Rate: {self.rate * 100}%, accuracy={(1 - self.rate) * 100}%"


def count_errors(pairs: Iterable[tuple[str, str]]) -> WordErrors:
    """Errors of pairs of answer and reference; words are what white space parts."""
    errors = words = 0
    for answer, reference in pairs:
        said = reference.split()
        errors += _distance(answer.split(), said)
        words += len(said)
    return WordErrors(errors, words)


@dataclass(frozen=True, slots=True)
class Answers:
    """Responses of a log as numbers.

    Attributes:
        indices: sample of each.
        values: int64 numbers of each.
    """

    indices: list[int]
    values: list[list[int]]


def read_answers(log: Path, samples: int, *, part: bool = False) -> Answers:
    """Responses of ``mlperf_log_accuracy.json``, every entry in its order; with ``part`` of some samples only.

    Raises:
        InvalidInputError: when a sample has no response, an index is none, or a response is no list of 64-bit numbers.
    """
    read = read_accuracy(log)
    found = np.unique(read.qsl_idx)
    enough = len(found) > 0 if part else len(found) == samples
    if not enough or (len(found) and (found[0] < 0 or found[-1] >= samples)):
        raise InvalidInputError(
            "the log does not hold a response for each sample",
            where=log,
            expected=f"{samples} samples",
            found=f"{len(found)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    for number, data in enumerate(read.data):
        if len(data) % _ITEM.itemsize:
            raise InvalidInputError(
                f"response {number} is no list of 64-bit numbers", where=log, found=f"{len(data)} bytes"
            )
    return Answers(read.qsl_idx.tolist(), [np.frombuffer(data, _ITEM).tolist() for data in read.data])


def score(
    log: Path,
    references: Sequence[str],
    read: Callable[[list[int]], str],
    kinder: Callable[[str], str] | None = None,
    *,
    part: bool = False,
) -> Accuracy:
    """Score ``mlperf_log_accuracy.json`` against the transcripts of the samples.

    Args:
        log: the accuracy log.
        references: transcript of each sample, in the form in which it is compared.
        read: text of a response, in the same form.
        kinder: a second form, whose rate is a detail beside the first.
        part: the log may hold some samples only.

    Raises:
        InvalidInputError: when a sample has no response, or a response that is none.
    """
    answers = read_answers(log, len(references), part=part)
    pairs = [(read(values), references[index]) for index, values in zip(answers.indices, answers.values, strict=True)]
    counted = count_errors(pairs)
    details = {"word_error_rate": 100 * counted.rate}
    if kinder is not None:
        details["word_error_rate_spelled_out"] = 100 * count_errors((kinder(a), kinder(b)) for a, b in pairs).rate
    return Accuracy(
        metrics={"WER": (1 - counted.rate) * 100},
        units={"WER": "percent"},
        samples=len(set(answers.indices)),
        text=counted.official,
        details=details,
    )


def _distance(some: Sequence[str], others: Sequence[str]) -> int:
    """Edit distance with insertions, deletions and changes of one each (Levenshtein)."""
    if some == others:
        return 0
    row = list(range(len(others) + 1))
    for number, word in enumerate(some, 1):
        before, row[0] = row[0], number
        for column, other in enumerate(others, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (word != other))
    return row[-1]

"""ROUGE and generation length from LoadGen's accuracy log, in the official form.

Source: language/gpt-j/evaluation.py of mlcommons/inference v3.1: the first response of a sample holds, means of the
F-measures times 100 are rounded to four decimals, ``gen_len`` is the sum of the characters of all answers. The official
script prints a Python dict; under numpy 2 its numbers come out as ``np.float64(...)``, which the official checker does not
read, so plain numbers are written here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.loadgen.logs import AccuracyLog, read_accuracy
from assay.tasks.language_model.dataset import TextDataset
from assay.tasks.language_model.pipeline import text_or_ids
from assay.tasks.language_model.recipe import Recipe
from assay.tasks.language_model.rouge import NAMES, RougeScorer
from assay.tasks.language_model.sentences import sentence_splitter
from assay.tasks.protocol import Accuracy

_JUDGED = {"rouge1": "ROUGE1", "rouge2": "ROUGE2", "rougeL": "ROUGEL"}
# Source: transformers 4, PreTrainedTokenizerBase.clean_up_tokenization, in this order.
_CLEANED = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def score_log(log: Path, dataset: TextDataset, recipe: Recipe, *, part: bool = False) -> Accuracy:
    """Score ``mlperf_log_accuracy.json`` against the right answers; with ``part`` it may hold some samples only.

    Raises:
        InvalidInputError: when a sample has no response, an unknown index, or a response that is neither ids nor text;
            or when the dataset has no right answers.
        MissingDependencyError: when nltk is not installed.
    """
    if dataset.unscored:
        raise InvalidInputError(
            f"{dataset.unscored} of {dataset.count} texts have no right answer, so there is nothing to score",
            expected="output beside instruction and input",
        )
    read = read_accuracy(log)
    indices, first = np.unique(read.qsl_idx, return_index=True)
    enough = len(indices) > 0 if part else len(indices) == dataset.count
    if not enough or (len(indices) and (indices[0] < 0 or indices[-1] >= dataset.count)):
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{dataset.count} samples",
            found=f"{len(indices)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    if not any(read.data[row] for row in first):
        raise InvalidInputError(
            "every response is empty", where=log, hint="a run that failed answers with nothing; run it again"
        )
    answers = _answers(read, first, dataset, clean_up=recipe.clean_up)
    return score_texts([(dataset.targets.text(int(index)), answers[int(index)]) for index in indices])


def score_texts(pairs: list[tuple[str, str]]) -> Accuracy:
    """Score answers against right answers, as pairs of right answer and answer.

    Raises:
        MissingDependencyError: when nltk is not installed.
    """
    split, _ = sentence_splitter()
    scorer = RougeScorer()
    lines = [(_lines(right, split), _lines(made, split)) for right, made in pairs]
    rows = [scorer.score(right, made) for right, made in lines]
    values = {
        name: round(float(np.mean([getattr(row, name.lower()) for row in rows])) * 100, 4) if rows else 0.0
        for name in NAMES
    }
    length = sum(len(made) for _, made in lines)
    printed: dict[str, float | int] = {**values, "gen_len": length, "gen_num": len(pairs)}
    return Accuracy(
        metrics={official: values[name] for name, official in _JUDGED.items()} | {"GEN_LEN": float(length)},
        units={**dict.fromkeys(_JUDGED.values(), "percent"), "GEN_LEN": "characters"},
        samples=len(pairs),
        text=str(printed),
        details={"ROUGELSUM": values["rougeLsum"]},
    )


def cleaned_up(text: str) -> str:
    """A text without the spaces that tokenizers put before punctuation."""
    for before, after in _CLEANED:
        text = text.replace(before, after)
    return text


def _lines(text: str, split: Callable[[str], list[str]]) -> str:
    return "\n".join(split(text.strip()))


def _answers(read: AccuracyLog, first: NDArray[np.intp], dataset: TextDataset, *, clean_up: bool) -> dict[int, str]:
    """The text of each sample's first response."""
    answers: dict[int, str] = {}
    for row in first:
        index = int(read.qsl_idx[row])
        text = _text(read.data[row], index, dataset, read.path)
        answers[index] = cleaned_up(text) if clean_up else text
    return answers


def _text(response: bytes, index: int, dataset: TextDataset, log: Path) -> str:
    found = text_or_ids(response)
    if found is None:
        raise InvalidInputError(
            f"the response to sample {index} is neither token ids (int64) nor text",
            where=log,
            found=f"{len(response)} bytes",
        )
    if isinstance(found, str):
        return found
    if dataset.tokenizer is None:
        raise InvalidInputError(
            "the responses are token ids, and there is no tokenizer to read them with",
            where=log,
            hint="--recipe tokenizer=FILE",
        )
    return dataset.tokenizer.decode(found)

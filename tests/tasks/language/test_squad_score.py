from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.loadgen.logs import read_accuracy
from assay.tasks.language.questions import QuestionDataset, open_questions
from assay.tasks.language.recipe import Recipe, read_recipe
from assay.tasks.language.spans import predict
from assay.tasks.language.squad_score import evaluate, f1, normalised, read_logits, score_answers
from assay.testing import write_accuracy_log

from ...models.text.made import logits, write_squad, write_vocabulary

RECIPE = read_recipe({})
Responses = list[tuple[int, bytes]]


def opened(folder: Path, *, limit: int | None = None, recipe: Recipe = RECIPE) -> QuestionDataset:
    write_vocabulary(folder)
    return open_questions(
        write_squad(folder),
        recipe,
        cache=folder / "cache",
        limit=limit,
        skip_bad=False,
        model=folder,
        progress=SILENT,
    )


def responses(data: QuestionDataset, *, step: float = 0.25, shift: int = 0) -> Responses:
    sizes = data.sizes
    return [(i, logits(i + shift, int(sizes[i]), step=step).tobytes()) for i in range(data.count)]


# What accuracy-squad.py of mlcommons/inference v3.1 prints for these logs.
OFFICIAL: dict[str, tuple[Callable[[QuestionDataset], Responses], str]] = {
    "plain": (responses, '{"exact_match": 15.384615384615385, "f1": 24.475524475524477}'),
    "ties": (
        lambda data: responses(data, step=5)[::-1],
        '{"exact_match": 15.384615384615385, "f1": 30.287490287490286}',
    ),
    "all equal": (
        lambda data: responses(data, step=1000),
        '{"exact_match": 15.384615384615385, "f1": 15.384615384615385}',
    ),
    "padded to 384": (
        lambda data: [(i, logits(i, 384).tobytes()) for i in range(data.count)],
        '{"exact_match": 15.384615384615385, "f1": 23.076923076923077}',
    ),
    "half as long": (
        lambda data: [(i, logits(i, int(size) // 2).tobytes()) for i, size in enumerate(data.sizes)],
        '{"exact_match": 15.384615384615385, "f1": 30.036630036630036}',
    ),
    "twice, the last holds": (
        lambda data: responses(data, shift=5) + responses(data),
        '{"exact_match": 15.384615384615385, "f1": 24.475524475524477}',
    ),
    "every second missing": (
        lambda data: responses(data)[::2],
        '{"exact_match": 15.384615384615385, "f1": 23.9010989010989}',
    ),
    "below what is padded with": (
        lambda data: [(i, (logits(i, int(size)) - np.float32(20_000)).tobytes()) for i, size in enumerate(data.sizes)],
        '{"exact_match": 15.384615384615385, "f1": 20.87912087912088}',
    ),
    "empty": (lambda _: [], '{"exact_match": 15.384615384615385, "f1": 15.384615384615385}'),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_figures_are_those_of_the_official_tool_to_the_last_digit(tmp_path: Path, name: str) -> None:
    make, expected = OFFICIAL[name]
    data = opened(tmp_path)
    log = write_accuracy_log(tmp_path / "log.json", make(data))
    answers = predict(data, read_logits(read_accuracy(log), 384), RECIPE)
    exact, mean = evaluate(answers, [[each.text for each in q.answers] for q in data.squad.questions])
    assert json.dumps({"exact_match": exact, "f1": mean}) == expected


def test_the_whole_log_is_scored_in_the_official_form(tmp_path: Path) -> None:
    data = opened(tmp_path)
    found = score_answers(write_accuracy_log(tmp_path / "log.json", responses(data)), data, RECIPE)
    assert found.text == OFFICIAL["plain"][1]
    assert found.metrics == {"F1": 24.475524475524477}
    assert found.units == {"F1": "percent"}
    assert found.details == {"exact_match": 15.384615384615385, "questions": 13}
    assert found.samples == 14


def test_a_part_is_scored_as_the_official_tool_does(tmp_path: Path) -> None:
    make, expected = OFFICIAL["every second missing"]
    data = opened(tmp_path)
    found = score_answers(write_accuracy_log(tmp_path / "log.json", make(data)), data, RECIPE, part=True)
    assert (found.text, found.samples) == (expected, 7)
    for wrong in ([], [(99, make(data)[0][1])]):
        log = write_accuracy_log(tmp_path / "wrong.json", wrong)
        with pytest.raises(InvalidInputError, match="one response for each sample"):
            score_answers(log, data, RECIPE, part=True)


def test_the_first_samples_are_scored_by_their_own_questions(tmp_path: Path) -> None:
    data = opened(tmp_path, limit=3)
    found = score_answers(write_accuracy_log(tmp_path / "log.json", responses(data)), data, RECIPE)
    assert (found.samples, found.details["questions"]) == (3, 3)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found[1:], "one response for each sample"),
        (lambda found: [*found, (99, found[0][1])], "one response for each sample"),
        (lambda found: [*found[1:], (0, b"")], "has 0 bytes"),
        (lambda found: [*found[1:], (0, b"1234")], "has 4 bytes"),
        (lambda found: [*found[1:], (0, bytes(8 * 385))], "has 3080 bytes"),
        (lambda found: [*found[1:], (0, np.full(4, np.nan, np.float32).tobytes())], "no numbers"),
    ],
    ids=["missing", "unknown", "nothing", "half a pair", "too long", "no numbers"],
)
def test_a_log_that_is_wrong_is_refused(tmp_path: Path, change: Callable[[Responses], Responses], told: str) -> None:
    data = opened(tmp_path)
    log = write_accuracy_log(tmp_path / "log.json", change(responses(data)))
    with pytest.raises(InvalidInputError, match=told) as caught:
        score_answers(log, data, RECIPE)
    assert str(log) in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The  King of an A, a!", "king of"),
        ("it's $1,000.", "its 1000"),
        ("theatre; anno", "theatre anno"),
        ("—", "—"),
        ("the", ""),
    ],
    ids=["articles", "punctuation", "words that begin so", "another dash", "nothing left"],
)
def test_answers_are_compared_without_what_does_not_matter(answer: str, expected: str) -> None:
    assert normalised(answer) == expected


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        ("the tall tower", "tall tower", 1.0),
        ("tower tower", "tower", 2 / 3),
        ("king", "queen", 0),
        ("", "king", 0),
        ("the", "the", 0),
    ],
    ids=["same", "a word twice", "nothing", "empty", "articles only"],
)
def test_f1_is_by_words(prediction: str, truth: str, expected: float) -> None:
    assert f1(prediction, truth) == expected


def test_the_answer_that_fits_best_counts() -> None:
    assert evaluate(["Otto II", "x"], [["King Otto II", "Otto II"], ["y"]]) == (50.0, 50.0)
    assert evaluate(["the"], [["a"]]) == (100.0, 0.0)

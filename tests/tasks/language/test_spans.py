from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.tasks.language.questions import QuestionDataset
from assay.tasks.language.recipe import read_recipe
from assay.tasks.language.spans import NO_ANSWER, PADDING_LOGIT, best_span, predict, realign

from .test_squad_score import RECIPE, opened


def marked(data: QuestionDataset, window: int, start: int, end: int, height: float = 9.0) -> np.ndarray:
    """Logits that point at a first and a last token."""
    logits = np.full((384, 2), PADDING_LOGIT)
    logits[: data.sizes[window]] = 0
    logits[start, 0] = logits[end, 1] = height
    return logits


def test_the_span_that_is_pointed_at_is_the_answer(tmp_path: Path) -> None:
    data = opened(tmp_path)
    text = int(data.features.texts[0])
    found = best_span(data.features, 0, marked(data, 0, text, text + 1), RECIPE)
    assert found is not None
    assert (found.first, found.last, found.score) == (text, text + 1, 18.0)
    assert predict(data, {0: marked(data, 0, text, text + 1)}, RECIPE)[0] == "The Tower"


def test_spans_outside_of_the_text_turned_or_too_long_are_none(tmp_path: Path) -> None:
    data = opened(tmp_path)
    text, size = int(data.features.texts[3]), int(data.sizes[3])
    for start, end in ((0, text), (1, 2), (text + 3, text + 1), (text, size - 1)):
        span = best_span(data.features, 3, marked(data, 3, start, end), RECIPE)
        assert span is None or span.score <= 9.0, "one of the two ends at most"
    alone = read_recipe({"n_best": 1})
    assert best_span(data.features, 3, marked(data, 3, text, text + 30), alone) is None
    assert best_span(data.features, 3, marked(data, 3, text, text + 29), alone) is not None


def test_an_answer_begins_only_where_a_window_has_most_text_around(tmp_path: Path) -> None:
    data = opened(tmp_path)
    alone = read_recipe({"n_best": 1})
    central = data.features.central[data.features.offsets[6] : data.features.offsets[7]]
    other = int(data.features.texts[6])
    assert not central[other]
    assert best_span(data.features, 6, marked(data, 6, other, other), alone) is None
    inside = int(np.flatnonzero(central)[0])
    assert best_span(data.features, 6, marked(data, 6, inside, inside), alone) is not None


def test_the_best_of_all_windows_is_taken_and_of_equal_ones_the_first(tmp_path: Path) -> None:
    data = opened(tmp_path)
    windows = np.flatnonzero(data.features.questions == 5)
    places = [
        int(np.flatnonzero(data.features.central[data.features.offsets[w] : data.features.offsets[w + 1]])[3])
        for w in windows
    ]
    equal = {int(w): marked(data, w, place, place) for w, place in zip(windows, places, strict=True)}
    first = predict(data, {int(windows[0]): equal[int(windows[0])]}, RECIPE)[5]
    last = predict(data, {int(windows[-1]): equal[int(windows[-1])]}, RECIPE)[5]
    assert first != last
    assert predict(data, equal, RECIPE)[5] == first
    equal[int(windows[-1])] = marked(data, int(windows[-1]), places[-1], places[-1], 10.0)
    assert predict(data, equal, RECIPE)[5] == last


def test_without_results_there_is_no_answer(tmp_path: Path) -> None:
    data = opened(tmp_path)
    assert predict(data, {}, RECIPE) == [NO_ANSWER] * 13


@pytest.mark.parametrize(
    ("plain", "original", "expected"),
    [
        ("steve smith", "Steve Smith's", "Steve Smith"),
        ("beyonce", "Beyoncé's", "Beyoncé"),
        ("1901 – 1943", "(1901–1943)", "1901–1943"),
        ("smith", "Jones", "Jones"),
        ("fi", "ﬁne fi", "fi"),
        ("", "Steve", "Steve"),
        ("[UNK]", "日本語", "日本語"),
        ("a b", "a\u200bb c", "a\u200bb c"),
        ("x", "", ""),
    ],
    ids=["case", "accents", "marks", "not in it", "ligature", "nothing", "unknown", "invisible", "no text"],
)
def test_the_original_text_is_found_again(plain: str, original: str, expected: str) -> None:
    assert realign(plain, original) == expected

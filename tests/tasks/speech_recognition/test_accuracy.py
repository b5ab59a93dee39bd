from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.speech_recognition.accuracy import count_errors, read_answers, score
from assay.tasks.speech_recognition.text import LABELS, kind_text, labels_to_text
from assay.testing import write_accuracy_log

TEXTS = (
    "he was not an ill disposed young man",
    "he might even have been made amiable himself",
    "it's",
    "a b c d e f g",
)


def labels(text: str) -> bytes:
    return np.array([LABELS.index(letter) for letter in text], np.int64).tobytes()


def log(folder: Path, answers: Iterable[tuple[int, str]]) -> Path:
    return write_accuracy_log(folder / "log.json", [(index, labels(text)) for index, text in answers])


def read(values: list[int]) -> str:
    return labels_to_text(values, "log")


# What accuracy_eval.py of mlcommons/inference v3.1 prints for the same logs over the same four transcripts.
@pytest.mark.parametrize(
    ("answers", "official"),
    [
        ([(0, TEXTS[0]), (1, TEXTS[1]), (2, TEXTS[2]), (3, TEXTS[3])], "Word Error Rate: 0.0%, accuracy=100.0%"),
        (
            [(3, "a b d e e f g"), (0, "he was an ill young man"), (2, "it is"), (1, TEXTS[1])],
            "Word Error Rate: 25.0%, accuracy=75.0%",
        ),
        ([(0, ""), (1, TEXTS[1]), (2, ""), (3, TEXTS[3])], "Word Error Rate: 37.5%, accuracy=62.5%"),
        ([(0, ""), (1, ""), (2, ""), (3, "")], "Word Error Rate: 100.0%, accuracy=0.0%"),
        (
            [(0, TEXTS[0]), (1, TEXTS[1]), (2, TEXTS[2]), (3, TEXTS[3]), (2, "its"), (0, "")],
            "Word Error Rate: 27.27272727272727%, accuracy=72.72727272727273%",
        ),
        (
            [(0, TEXTS[0] * 3), (1, "x " * 40), (2, "  it's "), (3, " a  b  c d e f g ")],
            "Word Error Rate: 225.0%, accuracy=-125.0%",
        ),
    ],
    ids=["right", "changed", "some empty", "all empty", "twice", "longer"],
)
def test_the_line_is_the_official_scripts(tmp_path: Path, answers: list[tuple[int, str]], official: str) -> None:
    accuracy = score(log(tmp_path, answers), TEXTS, read)
    assert accuracy.text == official
    assert accuracy.samples == 4
    assert accuracy.metrics.keys() == accuracy.units.keys() == {"WER"}
    assert f"accuracy={accuracy.metrics['WER']}%" in accuracy.text
    assert f"Rate: {accuracy.details['word_error_rate']}%" in accuracy.text


def test_a_part_is_scored_as_the_official_script_scores_its_log(tmp_path: Path) -> None:
    # What accuracy_eval.py prints for a log of these two entries alone.
    part = log(tmp_path, [(3, "a b d e e f g"), (0, "he was an ill young man")])
    accuracy = score(part, TEXTS, read, part=True)
    assert accuracy.text == "Word Error Rate: 26.666666666666668%, accuracy=73.33333333333334%"
    assert accuracy.samples == 2
    with pytest.raises(InvalidInputError, match="a response for each sample"):
        score(part, TEXTS, read)
    for wrong in ([], [(4, "")]):
        with pytest.raises(InvalidInputError, match="a response for each sample"):
            score(log(tmp_path, wrong), TEXTS, read, part=True)


def test_the_official_script_prints_infinity_for_no_words() -> None:
    assert count_errors([]).official == "Word Error Rate: inf%, accuracy=-inf%"
    assert count_errors([("a b", "")]).official == "Word Error Rate: inf%, accuracy=-inf%"


@pytest.mark.parametrize(
    ("answer", "reference", "errors"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("", "a b", 2),
        ("a b c", "a c", 1),
        ("b c a", "a b c", 2),
        ("x y z", "a b c", 3),
        ("kitten sitting on", "sitting kitten on mat", 3),
    ],
)
def test_errors_are_edits_of_words(answer: str, reference: str, errors: int) -> None:
    counted = count_errors([(answer, reference)])
    assert (counted.errors, counted.words) == (errors, len(reference.split()))


def test_the_kinder_rate_is_a_detail_beside_the_other(tmp_path: Path) -> None:
    texts = ["mister smith is twenty one"]
    path = write_accuracy_log(tmp_path / "log.json", [(0, b"")])
    accuracy = score(path, texts, lambda _: "mr smith is 21", kind_text)
    assert accuracy.metrics["WER"] == pytest.approx(40)
    assert accuracy.details["word_error_rate"] == pytest.approx(60)
    assert accuracy.details["word_error_rate_spelled_out"] == 0
    assert "60" in accuracy.text


def test_a_log_that_does_not_fit_the_dataset_is_refused(tmp_path: Path) -> None:
    for answers in ([(0, "a")], [(0, "a"), (1, "a"), (2, "a"), (4, "a")], []):
        with pytest.raises(InvalidInputError, match="response for each sample"):
            score(log(tmp_path, answers), TEXTS, read)


def test_a_response_that_is_no_list_of_numbers_is_refused(tmp_path: Path) -> None:
    path = write_accuracy_log(tmp_path / "log.json", [(0, labels("a")), (1, b"\1\0\0\0")])
    with pytest.raises(InvalidInputError, match="response 1 is no list"):
        read_answers(path, 2)
    path = write_accuracy_log(tmp_path / "log.json", [(0, np.array([28], np.int64).tobytes())])
    with pytest.raises(InvalidInputError, match="no character"):
        score(path, ["a"], read)

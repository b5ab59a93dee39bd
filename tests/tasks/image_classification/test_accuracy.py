from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.image_classification.accuracy import score_log
from assay.testing import write_accuracy_log

LABELS = np.array([3, 1, 4], np.int64)


def answer(*labels: float) -> bytes:
    return np.array(labels, np.float32).tobytes()


def log(folder: Path, *responses: tuple[int, bytes]) -> Path:
    return write_accuracy_log(folder / "mlperf_log_accuracy.json", responses)


def test_top_1_in_the_words_of_the_official_tool(tmp_path: Path) -> None:
    accuracy = score_log(log(tmp_path, (2, answer(4)), (0, answer(3)), (1, answer(0))), LABELS)
    assert accuracy.text == "accuracy=66.667%, good=2, total=3"
    assert accuracy.metrics == {"acc": pytest.approx(200 / 3)}
    assert (accuracy.units, accuracy.samples, dict(accuracy.details)) == ({"acc": "percent"}, 3, {})


def test_top_5_beside_it(tmp_path: Path) -> None:
    rows = [(0, answer(3, 9, 8, 7, 6)), (1, answer(0, 1, 2, 5, 6)), (2, answer(0, 1, 2, 5, 6))]
    accuracy = score_log(log(tmp_path, *rows), LABELS)
    assert accuracy.text == "accuracy=33.333%, good=1, total=3"
    assert accuracy.details == {"top5": pytest.approx(200 / 3)}


def test_a_part_is_scored_over_its_samples_when_asked_for(tmp_path: Path) -> None:
    path = log(tmp_path, (2, answer(4)), (0, answer(9)), (2, answer(4)))
    assert score_log(path, LABELS, part=True).text == "accuracy=50.000%, good=1, total=2"
    for rows in ([], [(3, answer(4))]):
        with pytest.raises(InvalidInputError, match="one response for each"):
            score_log(log(tmp_path, *rows), LABELS, part=True)


def test_the_first_response_of_a_sample_holds(tmp_path: Path) -> None:
    rows = [(0, answer(3)), (1, answer(1)), (2, answer(4)), (0, answer(0)), (2, answer(0))]
    assert score_log(log(tmp_path, *rows), LABELS).text == "accuracy=100.000%, good=3, total=3"


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(0, answer(3)), (1, answer(1))], "one response for each"),
        ([(0, answer(3)), (1, answer(1)), (3, answer(4))], "one response for each"),
        ([(0, answer(3)), (1, answer(1)), (2, answer(4)), (3, answer(4))], "one response for each"),
        ([(0, answer(3)), (1, answer(1)), (2, b"")], "0 bytes"),
        ([(0, answer(3)), (1, answer(1)), (2, b"abc")], "3 bytes"),
        ([(0, answer(3)), (1, answer(1)), (2, answer(float("nan")))], "no number"),
        ([], "one response for each"),
    ],
)
def test_logs_that_cannot_be_scored(tmp_path: Path, rows: list[tuple[int, bytes]], what: str) -> None:
    path = log(tmp_path, *rows)
    with pytest.raises(InvalidInputError) as caught:
        score_log(path, LABELS)
    assert what in caught.value.what
    assert caught.value.where == str(path)

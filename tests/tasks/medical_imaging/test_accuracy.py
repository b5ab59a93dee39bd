"""Texts and figures are those that accuracy_kits.py (mlcommons/inference v3.1, pandas 1.5) printed for the same logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.tasks.medical_imaging.accuracy import dice_of, score_log
from assay.testing import write_accuracy_log

from .conftest import SMALL, labels_of

CLASSES = ("kidney", "tumor")
Labels = NDArray[np.uint8]
ANSWERS: dict[str, tuple[Callable[[Labels], Labels], str, float]] = {
    "rolled": (
        lambda labels: np.roll(labels, 1, 2),
        "Accuracy: mean = 0.26686, kidney = 0.2837, tumor = 0.2500",
        0.2668552908662243,
    ),
    "rolled in depth": (
        lambda labels: np.roll(labels, 2, 0),
        "Accuracy: mean = 0.59988, kidney = 0.6566, tumor = 0.5432",
        0.5998826500101536,
    ),
    "nothing found": (
        np.zeros_like,
        "Accuracy: mean = 0.12500, kidney = 0.0000, tumor = 0.2500",
        0.12500000511795523,
    ),
    "all kidney": (
        np.ones_like,
        "Accuracy: mean = 0.38074, kidney = 0.5115, tumor = 0.2500",
        0.3807426804102104,
    ),
}
PART = "Accuracy: mean = 0.68873, kidney = 0.6876, tumor = 0.6899"


@pytest.fixture
def truth(cases: Path, opened: Callable[..., Any]) -> Any:
    return opened(cases, SMALL)


@pytest.mark.parametrize("name", ANSWERS)
def test_it_agrees_with_the_official_script(tmp_path: Path, truth: Any, name: str) -> None:
    answer, text, mean = ANSWERS[name]
    log = write_accuracy_log(tmp_path / "log.json", [(n, answer(labels_of(n)).tobytes()) for n in (3, 1, 0, 2)])
    accuracy = score_log(log, truth, CLASSES)
    assert accuracy.text == text
    assert accuracy.metrics["DICE"] == pytest.approx(mean, abs=1e-12)
    assert accuracy.units == {"DICE": "fraction"}
    assert accuracy.samples == 4
    assert set(accuracy.details) == set(CLASSES)


def responses() -> list[tuple[int, bytes]]:
    return [(number, labels_of(number).tobytes()) for number in range(4)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda rows: rows[:3], "1 without a response"),
        (lambda rows: [], "4 without a response"),
        (lambda rows: [*rows, rows[1]], "volume 1 twice"),
        (lambda rows: [*rows[:3], (4, rows[3][1])], "volume 4"),
        (lambda rows: [*rows[:3], (3, b"")], "0 bytes"),
        (lambda rows: [*rows[:3], (3, rows[3][1] + b"\0")], "769 bytes"),
        (lambda rows: [*rows[:3], (3, b"\3" + rows[3][1][1:])], "3"),
    ],
    ids=["missing", "none", "twice", "unknown", "empty", "long", "label"],
)
def test_a_log_that_the_official_script_stops_at_is_refused(
    tmp_path: Path, truth: Any, change: Callable[[list[Any]], list[Any]], found: str
) -> None:
    log = write_accuracy_log(tmp_path / "log.json", change(responses()))
    with pytest.raises(InvalidInputError) as caught:
        score_log(log, truth, CLASSES)
    assert caught.value.found == found


def test_a_part_is_the_mean_of_its_volumes(tmp_path: Path, truth: Any) -> None:
    # What accuracy_kits.py prints when its list of cases is cut down to these two.
    log = write_accuracy_log(tmp_path / "log.json", [(n, np.roll(labels_of(n), 2, 0).tobytes()) for n in (3, 1)])
    part = score_log(log, truth, CLASSES, part=True)
    assert part.text == PART
    assert part.samples == 2
    with pytest.raises(InvalidInputError, match="one response for each volume"):
        score_log(log, truth, CLASSES)
    with pytest.raises(InvalidInputError, match="one response for each volume"):
        score_log(write_accuracy_log(tmp_path / "log.json", []), truth, CLASSES, part=True)


def test_a_class_that_is_nowhere_counts_as_found() -> None:
    nothing, some = np.zeros(9, np.uint8), np.ones(9, np.uint8)
    assert dice_of(nothing, nothing, 1) == 1.0
    assert dice_of(some, nothing, 1) == pytest.approx(1e-6 / 9.000001)
    assert dice_of(some, some, 1) == 1.0

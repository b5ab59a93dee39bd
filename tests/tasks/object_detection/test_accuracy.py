"""Figures of the official scripts (accuracy-openimages.py v3.1, accuracy-coco.py v2.0) on the same logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.object_detection.accuracy import average_precision, read_found, score_log
from assay.tasks.object_detection.annotations import Truth, find_truth
from assay.testing import write_accuracy_log

OFFICIAL = {
    "plain": ("mAP=47.099%", 70.6703, 64.8059),
    "shuffled": ("mAP=47.099%", 70.6703, 64.8059),
    "duplicates": ("mAP=47.099%", 70.6703, 64.8059),
    "empty": ("mAP=28.558%", 42.0757, 38.5875),
    "ties": ("mAP=46.073%", 69.5208, 63.7012),
    "unknown": ("mAP=29.413%", 44.7356, 40.4181),
    "one picture": ("mAP=0.000%", 0.0, 0.0),
}
"""What both scripts print, under NumPy 1.26 and 2.4 alike; AP50 and AP75 as the evaluation behind them says."""


@pytest.fixture
def truth(coco_folder: Path) -> Truth:
    return find_truth(coco_folder)


@pytest.mark.parametrize("positions", [False, True], ids=["ids", "positions"])
@pytest.mark.parametrize("name", OFFICIAL)
def test_the_figure_is_the_official_one_to_the_last_digit(
    truth: Truth, case_log: Callable[..., Path], name: str, positions: bool
) -> None:
    accuracy = score_log(case_log(name, positions=positions), truth, positions=positions)
    text, ap50, ap75 = OFFICIAL[name]
    assert accuracy.text == text
    assert f"mAP={accuracy.metrics['mAP']:.3f}%" == text
    assert accuracy.details == {"AP50": pytest.approx(ap50, abs=1e-4), "AP75": pytest.approx(ap75, abs=1e-4)}
    assert accuracy.samples == 24


def test_pictures_that_are_not_in_the_log_do_not_count_officially_and_are_refused_here(
    truth: Truth, case_log: Callable[..., Path]
) -> None:
    log = case_log("missing")
    precision = average_precision(read_found(log), truth, positions=False, where=log)
    assert f"mAP={100 * precision.ap:.3f}%" == "mAP=47.626%"
    with pytest.raises(InvalidInputError, match="one response for each sample") as caught:
        score_log(log, truth, positions=False)
    assert (caught.value.expected, caught.value.found) == ("24 samples", "15 sample indices")
    part = score_log(log, truth, positions=False, part=True)
    assert (part.text, part.samples) == ("mAP=47.626%", 15)


def test_scoring_prints_nothing(
    truth: Truth, case_log: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    score_log(case_log("plain"), truth, positions=False)
    assert capsys.readouterr() == ("", "")


def test_the_annotations_are_left_as_they_are(truth: Truth, case_log: Callable[..., Path]) -> None:
    before = [dict(entry) for entry in truth.objects]
    score_log(case_log("plain"), truth, positions=False)
    assert truth.objects == before


def test_nothing_found_anywhere_is_0(truth: Truth, tmp_path: Path) -> None:
    log = write_accuracy_log(tmp_path / "log.json", [(number, b"") for number in range(24)])
    assert score_log(log, truth, positions=False).text == "mAP=0.000%"


def test_pictures_without_objects_cannot_be_scored(truth: Truth, tmp_path: Path) -> None:
    log = write_accuracy_log(tmp_path / "log.json", [(0, b""), (1, b"")])
    with pytest.raises(InvalidInputError, match="no object"):
        score_log(log, truth.of([22, 23]), positions=False)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"123", "has 3 bytes"),
        (np.ones(8, np.float32).tobytes(), "has 32 bytes"),
        (np.array([0, 0, 0, 1, 1, np.nan, 1], np.float32).tobytes(), "no numbers"),
        (np.array([0, 0, 0, 1, 1, 0.5, 7], np.float32).tobytes(), "names class 7"),
        (np.array([0, 0, 0, 1, 1, 0.5, -1], np.float32).tobytes(), "names class -1"),
    ],
    ids=["no floats", "no rows", "not a number", "beyond", "below"],
)
def test_a_response_that_is_no_list_of_detections_is_told(truth: Truth, tmp_path: Path, data: bytes, said: str) -> None:
    log = write_accuracy_log(tmp_path / "log.json", [(0, data), *((number, b"") for number in range(1, 24))])
    with pytest.raises(InvalidInputError, match=said):
        score_log(log, truth, positions=True)


def test_without_boxes_the_share_of_objects_is_told(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("a.png", "b.png"):
        Image.new("RGB", (20, 20)).save(tmp_path / name)
    (tmp_path / "objects.txt").write_text("a.png: person, cup\nb.png: cat\n")
    truth = find_truth(tmp_path)
    cup, cat, person, dog = 47, 17, 1, 18
    rows = {0: [(cup, 0.9), (person, 0.29), (dog, 0.9)], 1: [(cat, 0.3)]}
    entries = [
        (index, np.array([[index, 0, 0, 1, 1, score, label] for label, score in each], np.float32).tobytes())
        for index, each in rows.items()
    ]
    log = write_accuracy_log(tmp_path / "log.json", entries)
    accuracy = score_log(log, truth, positions=False)
    assert accuracy.text == "found=66.667%, good=2, total=3"
    assert accuracy.metrics == {"found": pytest.approx(200 / 3)}
    assert "mAP" not in accuracy.metrics


def test_a_part_holds_pictures_of_the_dataset(truth: Truth, tmp_path: Path) -> None:
    for rows in ([], [(24, b"")]):
        log = write_accuracy_log(tmp_path / "log.json", rows)
        with pytest.raises(InvalidInputError, match="one response for each sample"):
            score_log(log, truth, positions=False, part=True)

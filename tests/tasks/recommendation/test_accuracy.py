from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.tasks.recommendation.accuracy import score_log
from assay.tasks.recommendation.dataset import PairDataset, open_pairs
from assay.tasks.recommendation.recipe import read_recipe
from assay.testing import write_accuracy_log

from .made import criteo_binary


@pytest.fixture
def dataset(tmp_path: Path) -> PairDataset:
    """Five samples of 200 pairs."""
    folder = criteo_binary(tmp_path, 1000)
    return open_pairs(folder, read_recipe({}), cache=tmp_path / "cache", limit=None, progress=SILENT)


def scores_of(kind: str, targets: Any) -> Any:
    """Predictions of several kinds for a thousand targets, the same wherever they are made."""
    random = np.random.default_rng(20_231_128)
    noise = random.random(len(targets))
    smooth = np.clip(0.3 * targets + 0.7 * noise, 0, 1)
    kinds = {
        "smooth": smooth,
        "ties": np.round(smooth, 1),
        "two values": np.where(smooth > 0.5, 0.75, 0.25),
        "halves": np.full(len(targets), 0.5),
        "all halves up": np.where(targets > 0, 0.5, np.nextafter(np.float32(0.5), np.float32(1))),
        "inverted": 1 - targets,
        "tiny differences": 0.5 + smooth * 1e-7,
        "beyond": 3 * smooth - 1,
    }
    return kinds[kind].astype(np.float32)


def responses(dataset: PairDataset, scores: Any) -> list[tuple[int, bytes]]:
    pairs = np.stack([scores, dataset.targets()], axis=1).astype(np.float32)
    parts = np.split(pairs, dataset.offsets[1:-1])
    return [(index, part.tobytes()) for index, part in enumerate(parts)]


def scored(folder: Path, dataset: PairDataset, rows: list[tuple[int, bytes]]) -> str:
    return score_log(write_accuracy_log(folder / "log.json", rows), dataset).text


OFFICIAL = {
    "smooth": "AUC=83.610%, accuracy=70.700%, good=707, total=1000, queries=5",
    "ties": "AUC=82.803%, accuracy=71.300%, good=713, total=1000, queries=5",
    "two values": "AUC=70.672%, accuracy=70.700%, good=707, total=1000, queries=5",
    "halves": "AUC=50.000%, accuracy=49.200%, good=492, total=1000, queries=5",
    "all halves up": "AUC=0.000%, accuracy=0.000%, good=0, total=1000, queries=5",
    "inverted": "AUC=0.000%, accuracy=0.000%, good=0, total=1000, queries=5",
    "tiny differences": "AUC=74.749%, accuracy=70.300%, good=703, total=1000, queries=5",
    "beyond": "AUC=83.610%, accuracy=48.400%, good=484, total=1000, queries=5",
}
"""What accuracy-dlrm.py of v3.1 prints for the same logs."""
PART = "AUC=84.363%, accuracy=71.500%, good=286, total=400, queries=2"
"""The same of the second and the fifth sample of the first."""


@pytest.mark.parametrize("kind", sorted(OFFICIAL))
def test_it_prints_what_the_official_tool_prints(tmp_path: Path, dataset: PairDataset, kind: str) -> None:
    rows = responses(dataset, scores_of(kind, dataset.targets()))
    assert scored(tmp_path, dataset, rows) == OFFICIAL[kind]


def test_order_plays_no_part_and_the_first_response_holds(tmp_path: Path, dataset: PairDataset) -> None:
    rows = responses(dataset, scores_of("smooth", dataset.targets()))
    wrong = responses(dataset, scores_of("inverted", dataset.targets()))
    assert scored(tmp_path, dataset, [*reversed(rows), *wrong]) == OFFICIAL["smooth"]


def test_a_part_is_scored_as_the_official_tool_scores_its_log(tmp_path: Path, dataset: PairDataset) -> None:
    rows = responses(dataset, scores_of("smooth", dataset.targets()))
    log = write_accuracy_log(tmp_path / "part.json", [rows[4], rows[1], rows[4]])
    part = score_log(log, dataset, part=True)
    assert part.text == PART
    assert part.samples == 2
    with pytest.raises(InvalidInputError, match="one response for each sample"):
        score_log(log, dataset)
    wrong = np.frombuffer(rows[1][1], np.float32).copy()
    wrong[7] = 1 - wrong[7]
    log = write_accuracy_log(tmp_path / "part.json", [rows[4], (1, wrong.tobytes())])
    with pytest.raises(InvalidInputError, match="not those of the dataset") as caught:
        score_log(log, dataset, part=True)
    assert str(caught.value.where).endswith("sample 1")
    for few in ([], [(5, b"")]):
        with pytest.raises(InvalidInputError, match="one response for each sample"):
            score_log(write_accuracy_log(tmp_path / "part.json", few), dataset, part=True)


def test_metrics_are_in_percent(tmp_path: Path, dataset: PairDataset) -> None:
    rows = responses(dataset, dataset.targets())
    accuracy = score_log(write_accuracy_log(tmp_path / "log.json", rows), dataset)
    assert (accuracy.metrics, accuracy.units, accuracy.samples) == ({"AUC": 100.0}, {"AUC": "percent"}, 5)
    assert accuracy.details == {"accuracy": 100.0}


def nan(data: bytes) -> bytes:
    return np.full(2, np.nan, np.float32).tobytes() + data[8:]


def other_target(data: bytes) -> bytes:
    pairs = np.frombuffer(data, np.float32).copy()
    pairs[1] = 1 - pairs[1]
    return pairs.tobytes()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda rows: rows[1:], "one response for each sample"),
        (lambda rows: [*rows, (5, rows[0][1])], "one response for each sample"),
        (lambda rows: [], "one response for each sample"),
        (lambda rows: [(0, b""), *rows[1:]], "has 0 bytes"),
        (lambda rows: [(0, rows[0][1][:-8]), *rows[1:]], "has 1,592 bytes"),
        (lambda rows: [(0, rows[0][1] + bytes(8)), *rows[1:]], "has 1,608 bytes"),
        (lambda rows: [(0, nan(rows[0][1])), *rows[1:]], "no number"),
        (lambda rows: [(0, other_target(rows[0][1])), *rows[1:]], "not those of the dataset"),
        (lambda rows: [(0, rows[1][1]), (1, rows[0][1]), *rows[2:]], "not those of the dataset"),
    ],
    ids=["missing", "unknown", "empty log", "empty", "short", "long", "nan", "target", "swapped"],
)
def test_logs_that_cannot_be_scored(tmp_path: Path, dataset: PairDataset, change: Any, what: str) -> None:
    rows = change(responses(dataset, scores_of("smooth", dataset.targets())))
    with pytest.raises(InvalidInputError) as caught:
        scored(tmp_path, dataset, rows)
    assert what in caught.value.what
    assert str(caught.value.where).startswith(str(tmp_path / "log.json"))


def test_one_class_only_is_told(tmp_path: Path) -> None:
    """The official tool prints ``AUC=nan%`` then, or stops, by the version of scikit-learn."""
    folder = criteo_binary(tmp_path, 300)
    path = folder / "terabyte_processed_test.bin"
    rows = np.frombuffer(path.read_bytes(), np.int32).reshape(-1, 40).copy()
    rows[:, 0] = 1
    path.write_bytes(rows.tobytes())
    dataset = open_pairs(folder, read_recipe({}), cache=tmp_path / "cache", limit=None, progress=SILENT)
    with pytest.raises(InvalidInputError, match="all targets are the same"):
        scored(tmp_path, dataset, responses(dataset, np.linspace(0, 1, 300)))

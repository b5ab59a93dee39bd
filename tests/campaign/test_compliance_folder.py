from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.files import sha256_file
from assay.base.progress import SILENT
from assay.campaign.compliance_folder import PartScores, score_kept, write_folder
from assay.errors import InvalidInputError
from assay.harness.spec import RunSpec
from assay.loadgen.compliance import Verified
from assay.loadgen.compliance_answers import compare_answers
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.loadgen.walk import walk_accuracy
from assay.rules.model import Mode, Scenario
from assay.tasks.protocol import Accuracy

SPEED, ANSWERS = Verified((), "speed\n"), Verified((), "answers\n")
RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 1}}


def label(value: int) -> str:
    return np.array([value], "<f4").tobytes().hex().upper()


def write(folder: Path, labels: list[tuple[int, int]]) -> Path:
    folder.mkdir(exist_ok=True)
    entries = (f'{{ "seq_id" : 0, "qsl_idx" : {index}, "data" : "{label(value)}" }}' for index, value in labels)
    (folder / ACCURACY).write_text("[\n" + ",\n".join(entries) + "\n]\n")
    (folder / SUMMARY).write_text("summary")
    (folder / DETAIL).write_text("detail")
    return folder


@pytest.fixture
def spec(tmp_path: Path, classifier: Path, pictures: Path) -> RunSpec:
    """Six pictures of the classes 0, 1, 2, 0, 1, 2."""
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="image-classification", recipe=RECIPE, model=classifier,
        backend="null", options=BackendOptions(), dataset=pictures, cache=tmp_path / "cache", batch_size=4,
        conf_model="resnet50", user_conf="", attributes={},
    )  # fmt: skip


def scored(tmp_path: Path, spec: RunSpec, kept: list[tuple[int, int]]) -> PartScores | None:
    reference = write(tmp_path / "reference", [(index, index % 3) for index in range(6)])
    run = write(tmp_path / "run", kept)
    found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
    return score_kept(run, reference, found, spec, SILENT)


def test_the_samples_that_were_kept_are_scored_with_both_runs_answers(tmp_path: Path, spec: RunSpec) -> None:
    both = scored(tmp_path, spec, [(0, 0), (1, 1), (4, 2), (1, 1)])
    assert both is not None
    assert (both.baseline.samples, both.scores.baseline) == (3, {"acc": 100.0})
    assert both.compliance.text == "accuracy=66.667%, good=2, total=3"
    assert not list((tmp_path / "run").glob(".scored-*"))


def test_a_sample_that_was_answered_in_two_ways_counts_by_the_other_answer(tmp_path: Path, spec: RunSpec) -> None:
    both = scored(tmp_path, spec, [(0, 0), (0, 2), (0, 0), *((index, index % 3) for index in range(1, 6))])
    assert both is not None and both.compliance.metrics["acc"] == pytest.approx(100 * 5 / 6)


def test_what_cannot_be_scored_has_no_scores(tmp_path: Path, spec: RunSpec) -> None:
    assert scored(tmp_path, spec, [(9, 0)]) is None


def test_the_folder_is_that_of_a_submission(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    folder = write_folder(run, "TEST04", SPEED)
    assert folder == run / "compliance" / "TEST04"
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "verify_performance.txt": "speed\n",
        f"performance/run_1/{SUMMARY}": "summary",
        f"performance/run_1/{DETAIL}": "detail",
    }
    assert not (write_folder(run, "TEST04-B", None) / "verify_performance.txt").exists()


def test_answers_that_differ_bring_both_accuracies(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    both = PartScores(*(Accuracy({"acc": value}, {}, 1, f"accuracy={value}%") for value in (50.0, 49.0)))
    folder = write_folder(run, "TEST01", SPEED, ANSWERS, both, exact=False) / "accuracy"
    assert (folder / "baseline_accuracy.txt").read_text() == "accuracy=50.0%\n"
    assert (folder / "compliance_accuracy.txt").read_text() == "accuracy=49.0%\n"
    assert (folder / "accuracy.txt").read_text() == f"accuracy=49.0%\nhash={sha256_file(run / ACCURACY)}\n"
    # Written again, the folder holds nothing of before.
    folder = write_folder(run, "TEST01", SPEED, ANSWERS, None) / "accuracy"
    assert sorted(path.name for path in folder.iterdir()) == ["accuracy.txt", ACCURACY]
    assert (folder / "accuracy.txt").read_text().startswith("hash=")


def test_a_log_that_is_missing_is_named(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    (run / DETAIL).unlink()
    with pytest.raises(InvalidInputError, match=DETAIL):
        write_folder(run, "TEST05", SPEED)

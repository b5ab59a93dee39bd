"""Accuracies of the samples that TEST01 kept; what each task makes of a part is tested beside the task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.progress import SILENT
from assay.campaign.compliance_scores import PartScores, Unscored, _baseline, _kept, score_kept
from assay.harness.spec import RunSpec
from assay.loadgen.compliance_answers import compare_answers
from assay.loadgen.names import ACCURACY
from assay.loadgen.walk import walk_accuracy
from assay.rules.model import Mode, Scenario

RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 1}}


def label(value: int) -> str:
    return np.array([value], "<f4").tobytes().hex().upper()


def write(folder: Path, labels: list[tuple[int, int]]) -> Path:
    folder.mkdir(exist_ok=True)
    entries = (f'{{ "seq_id" : 0, "qsl_idx" : {index}, "data" : "{label(value)}" }}' for index, value in labels)
    (folder / ACCURACY).write_text("[\n" + ",\n".join(entries) + "\n]\n")
    return folder


@pytest.fixture
def spec(tmp_path: Path, classifier: Path, pictures: Path) -> RunSpec:
    """Six pictures of the classes 0, 1, 2, 0, 1, 2."""
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="image-classification", recipe=RECIPE, model=classifier,
        backend="null", options=BackendOptions(), dataset=pictures, cache=tmp_path / "cache", batch_size=4,
        conf_model="resnet50", user_conf="", attributes={},
    )  # fmt: skip


def scored(tmp_path: Path, spec: RunSpec, kept: list[tuple[int, int]]) -> PartScores | Unscored:
    reference = write(tmp_path / "reference", [(index, index % 3) for index in range(6)])
    run = write(tmp_path / "run", kept)
    found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
    return score_kept(run, reference, found, spec, SILENT)


def test_the_samples_that_were_kept_are_scored_with_both_runs_answers(tmp_path: Path, spec: RunSpec) -> None:
    both = scored(tmp_path, spec, [(0, 0), (1, 1), (4, 2), (1, 1)])
    assert isinstance(both, PartScores)
    assert (both.baseline.samples, both.scores.baseline) == (3, {"acc": 100.0})
    assert both.compliance.text == "accuracy=66.667%, good=2, total=3"
    assert not list((tmp_path / "run").glob(".scored-*"))


def test_a_sample_that_was_answered_in_two_ways_counts_by_the_other_answer(tmp_path: Path, spec: RunSpec) -> None:
    both = scored(tmp_path, spec, [(0, 0), (0, 2), (0, 0), *((index, index % 3) for index in range(1, 6))])
    assert isinstance(both, PartScores) and both.compliance.metrics["acc"] == pytest.approx(100 * 5 / 6)


def test_what_cannot_be_scored_says_why(tmp_path: Path, spec: RunSpec) -> None:
    assert scored(tmp_path, spec, [(9, 0)]) == Unscored("they are not those of the accuracy run's samples")
    assert scored(tmp_path, spec, []) == Unscored("they are not those of the accuracy run's samples")
    found = scored(tmp_path, replace(spec, dataset=None), [(0, 0)])
    assert found == Unscored("there is no dataset to score them with")


def test_answers_that_are_none_of_the_tasks_are_told_and_end_nothing(tmp_path: Path, spec: RunSpec) -> None:
    reference = write(tmp_path / "reference", [(index, index % 3) for index in range(6)])
    run = write(tmp_path / "run", [(0, 0)])
    (run / ACCURACY).write_text((run / ACCURACY).read_text().replace(label(0), "C0"))
    found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
    why = score_kept(run, reference, found, spec, SILENT)
    assert isinstance(why, Unscored)
    assert why.why.startswith("the answers that were kept cannot be scored: ")
    assert not list(run.glob(".scored-*"))


def test_what_a_killed_process_left_is_cleared(tmp_path: Path, spec: RunSpec) -> None:
    left = tmp_path / "run" / ".scored-x"
    left.mkdir(parents=True)
    assert isinstance(scored(tmp_path, spec, [(0, 0)]), PartScores)
    assert not left.exists()


def test_the_baseline_is_that_of_the_official_script(tmp_path: Path, spec: RunSpec) -> None:
    # create_accuracy_baseline.sh keeps the entries of the accuracy run in their order.
    reference = write(tmp_path / "reference", [(index, index % 3) for index in (5, 1, 3, 0, 2, 4)])
    run = write(tmp_path / "run", [(0, 0), (5, 2), (1, 1), (5, 2)])
    found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
    assert [index for index, _ in _baseline(reference, found)] == [5, 1, 0]
    assert list(_kept(run, reference)) == [(index, bytes.fromhex(label(index % 3))) for index in (0, 5, 1)]

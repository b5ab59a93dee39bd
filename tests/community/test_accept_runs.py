from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.community.accept_runs import examine_runs
from assay.community.candidate import Examined
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Artefact, Figures, Label, MeasuredPower, RunStatus
from assay.loadgen.runs import RunFolder

from .conftest import MakeRun


def examine(settings: Settings, *folders: Path) -> Examined:
    return examine_runs(folders[0].parent, folders, settings, organisation="Acme")


def test_a_run_is_a_row_of_what_its_log_says(settings: Settings, make_run: MakeRun) -> None:
    found = examine(settings, make_run())
    (candidate,) = found.candidates
    row = candidate.row
    assert (row.value, row.unit, row.samples_per_second) == (1234.5, "Samples/s", 1234.5)
    assert (row.model, row.backend, row.organisation, row.category) == (
        "mobilenet-v2",
        "onnxruntime",
        "Acme",
        ("edge",),
    )
    assert (row.division, row.official, row.strict) == ("open", None, False)
    assert row.labels == ("stand-in-model", "small-dataset", "short-run", "no-accuracy")
    assert row.created == "2026-11-28T03:28:00Z"
    assert {each.name for each in candidate.evidence} == {
        "performance/run.json",
        "performance/mlperf_log_detail.txt",
        "performance/mlperf_log_summary.txt",
    }


def test_the_accuracy_run_of_the_same_command_belongs_to_it(settings: Settings, make_run: MakeRun) -> None:
    found = examine(settings, make_run(mode="accuracy", number=1), make_run(number=2))
    (candidate,) = found.candidates
    assert (candidate.row.accuracy, candidate.row.value) == (90.0, 1234.5)
    assert "no-accuracy" not in candidate.row.labels
    assert {each.name.partition("/")[0] for each in candidate.evidence} == {"performance", "accuracy"}


def test_runs_of_two_commands_are_two_results(settings: Settings, make_run: MakeRun) -> None:
    found = examine(settings, make_run(number=1), make_run(number=2, group="0" * 16))
    assert len(found.candidates) == 2


def test_an_accuracy_run_alone_is_no_result(settings: Settings, make_run: MakeRun) -> None:
    found = examine(settings, make_run(mode="accuracy"))
    assert found.candidates == ()
    assert "no performance run" in found.refused[0].reason


def test_an_invalid_run_is_refused_with_its_reason(settings: Settings, make_run: MakeRun) -> None:
    log = {"result_validity": "INVALID", "result_min_duration_met": False, "result_max_latency_ns": 1_000_000_000}
    found = examine(settings, make_run(log=log))
    assert found.candidates == ()
    assert found.refused[0].reason.startswith("the run is INVALID: minimum duration: 1.00 s, 5.00 s asked")
    assert found.refused[0].codes == ("minimum duration",)
    first = found.findings[0]
    assert (first.code, first.strict, first.found, first.expected) == ("minimum duration", "reject", "1.00 s", "5.00 s")
    assert first.file.endswith(DETAIL)


def test_an_accuracy_run_is_told_that_its_performance_run_was_refused(
    settings: Settings, make_run: MakeRun, tmp_path: Path
) -> None:
    log = {"result_validity": "INVALID", "result_min_duration_met": False, "result_max_latency_ns": 1_000_000_000}
    folders = [
        make_run(log=log, parent=tmp_path / "both"),
        make_run(mode="accuracy", number=2, parent=tmp_path / "both"),
    ]
    found = examine_runs(tmp_path, folders, settings)
    assert found.candidates == ()
    reasons = {each.path.rpartition("-")[2]: each.reason for each in found.refused}
    assert reasons["0001"].startswith("the run is INVALID")
    assert reasons["0002"].startswith("its performance run was refused: ")


def test_labels_that_somebody_took_away_come_back(settings: Settings, make_run: MakeRun) -> None:
    (candidate,) = examine(settings, make_run(labels=())).candidates
    assert set(candidate.row.labels) == {"stand-in-model", "small-dataset", "short-run", "no-accuracy"}
    custom = make_run(number=2, labels=(), model=Artefact("my-net.onnx", "ab" * 32), dataset=Artefact("pets", None))
    (candidate,) = examine(settings, custom).candidates
    assert {"custom-model", "custom-dataset"} <= set(candidate.row.labels)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": RunStatus.FAILED}, "the run is failed"),
        ({"round": "v9.9"}, "unknown round"),
        ({"benchmark": "nonsense"}, "nonsense"),
        ({"scenario": "Sideways"}, "no scenario"),
        ({"category": "moon"}, "no category"),
        ({"division": "own"}, "no division"),
        ({"logs": {DETAIL: "0" * 64}}, "SHA-256 differs"),
        ({"logs": {}}, "names no SHA-256"),
        ({"figures": Figures(value=9999.0)}, "not that of its log"),
        ({"figures": Figures(value=float("nan"))}, "no number"),
        ({"model": Artefact("x" * 1000, None)}, "model"),
        ({"model": Artefact("a\x1b[31m", None)}, "model"),
        ({"division": "closed"}, "does not take the run"),
        ({"scenario": "SingleStream"}, "of another run"),
        ({"mode": "accuracy"}, "of another run"),
        ({"compliance": "TEST04"}, "whose figure is no result"),
    ],
)
def test_what_is_refused(settings: Settings, make_run: MakeRun, changes: dict[str, Any], reason: str) -> None:
    folder = make_run()
    RunFolder(folder).write(replace(RunFolder(folder).read(), **changes))
    found = examine(settings, folder)
    assert found.candidates == ()
    assert reason in found.refused[0].reason


def test_what_is_no_record_or_no_log_is_refused(settings: Settings, make_run: MakeRun, tmp_path: Path) -> None:
    one, two, three = make_run(number=1), make_run(number=2), make_run(number=3)
    (one / "run.json").write_text("{")
    (two / "run.json").write_text(json.dumps({"format": 99}))
    (three / DETAIL).unlink()
    (three / DETAIL).symlink_to("/etc/hostname")
    found = examine(settings, one, two, three)
    assert found.candidates == ()
    assert len(found.refused) == 3
    # Where it lies on the server is nobody's business.
    assert str(tmp_path) not in repr(found)


def test_a_forged_figure_is_not_believed(settings: Settings, make_run: MakeRun) -> None:
    folder = make_run(figures=Figures(samples_per_second=1e9, latency_ns={"p90": 1.0}))
    (candidate,) = examine(settings, folder).candidates
    assert candidate.row.samples_per_second == 1234.5
    assert candidate.row.latency_p90 is None
    assert Label.STAND_IN_MODEL.value in candidate.row.labels


def test_power_is_not_taken_by_somebodys_word(settings: Settings, make_run: MakeRun) -> None:
    power = MeasuredPower("an analyzer", 1.0, 5.0, 5, 5.0, 0.001, 1000.0, 1.0, "Watts")
    (candidate,) = examine(settings, make_run(power=power)).candidates
    row = candidate.row
    assert (row.power, row.watts, row.joules_per_query, row.joules_per_sample) == (False, None, None, None)
    assert (row.power_value, row.power_unit) == (None, None)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.settings import Settings, load_settings
from assay.campaign import demo
from assay.campaign.demo import STAND_INS, every_task
from assay.cli.demo_all import row
from assay.cli.main import run
from assay.loadgen.record import Artefact, Figures, RunRecord, RunStatus
from assay.loadgen.verdict import Verdict
from assay.rules.load import load_round
from assay.rules.model import Scenario

RUN = RunRecord(
    id="r", group="g", created="2026-11-23T20:15:00+00:00", status=RunStatus.FINISHED, round="v3.1", benchmark="rnnt",
    task="speech-recognition", scenario="Offline", mode="performance", category="edge", division="open",
    model=Artefact("ears", None), dataset=Artefact("words", None), backend_name="null", precision="int8", batch_size=1,
    streams=1, threads=0, command="assay run", figures=Figures(value=5.5, unit="Samples/s", samples_per_second=5.5),
    verdict=Verdict(True, False, (), (), ()),
)  # fmt: skip


def test_there_is_a_model_of_every_task_of_the_round(tmp_path: Path) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    parts = every_task(catalogue, 3)
    round_ = load_round("v3.1")
    assert {catalogue.get(name).task for name in STAND_INS} == {
        each.task for each in round_.benchmarks.values() if not each.placeholder
    }
    assert [part.request.mode for part in parts] == ["accuracy", "performance"] * 7
    scenarios = {part.request.name: part.request.scenarios for part in parts if part.request.mode == "performance"}
    assert scenarios["movielens-dlrm"] == (Scenario.SERVER, Scenario.OFFLINE)  # it has no streams
    assert scenarios["whisper-tiny"] == (Scenario.SINGLE_STREAM, Scenario.OFFLINE)


def test_the_runs_of_a_model_are_one_row() -> None:
    accuracy = replace(
        RUN,
        mode="accuracy",
        figures=Figures(accuracy={"WER": 94.4}, accuracy_units={"WER": "percent"}, samples_scored=5),
    )
    stream = replace(RUN, scenario="SingleStream", figures=Figures(value=12.0, unit="Latency (ms)"))
    told = dict(zip(("task", "model", "data", "samples", "accuracy", "single", "all", "engine", "verdict"),
                    row([accuracy, stream, RUN]), strict=True))  # fmt: skip
    assert (told["samples"], told["accuracy"], told["engine"]) == ("5", "word accuracy (100 - WER) 94.4%", "null int8")
    assert told["single"].endswith("SingleStream")
    assert told["all"].startswith("5.5")
    assert told["verdict"] == "VALID"


def test_what_was_not_measured_is_left_empty() -> None:
    assert row([replace(RUN, figures=Figures())])[3:6] == ["", "", ""]


def test_a_task_that_cannot_be_run_does_not_stop_the_others(
    stand_in_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "STAND_INS", ("resnet50", "mobilenet-v2"))  # the first wants ImageNet
    report = tmp_path / "report.html"
    assert run(["demo", "--all", "--seconds", "1", "--report", str(report), "--json"]) == 1
    told = capsys.readouterr()
    records = json.loads(told.out)
    assert [(r["model"]["name"], r["mode"]) for r in records] == [
        ("mobilenet-v2", "accuracy"), ("mobilenet-v2", "performance"), ("mobilenet-v2", "performance"),
    ]  # fmt: skip
    assert "resnet50 could not be run" in told.err
    assert "imagenet2012" in told.err
    assert report.is_file()
    assert load_settings().home == stand_in_home


def test_each_model_has_its_own_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--all", "--backend", "null"]) == 2
    assert "--all" in capsys.readouterr().err

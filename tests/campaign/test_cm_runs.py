from __future__ import annotations

import pytest

from assay.campaign.cm_runs import Translation, note_once, translate_open_models, translate_power_client, translate_run
from assay.campaign.cm_words import parse
from assay.errors import NotFoundError


def runs(text: str) -> Translation:
    made = Translation()
    translate_run(parse(text), made)
    return made


def test_a_rate_that_is_given_is_not_searched() -> None:
    text = "cmr run-mlperf,inference,_find-performance --model=bert-99 --scenario=Server --category=datacenter"
    assert runs(text).commands == ["assay find-rate bert-99 --category datacenter"]
    assert runs(f"{text} --server_target_qps=20").commands == [
        "assay run bert-99 --scenario Server --mode performance --category datacenter --target-qps 20"
    ]


def test_compliance_follows_a_closed_submission_unless_it_is_refused() -> None:
    text = "cmr run-mlperf,inference,_submission --model=resnet50 --scenario=SingleStream --division=closed"
    assert runs(text).commands[1] == "assay compliance run resnet50 --scenario SingleStream --division closed"
    assert len(runs(f"{text} --compliance=no").commands) == 1


def test_accuracy_is_not_measured_for_power() -> None:
    text = "cmr run-mlperf,inference,_accuracy-only --model=resnet50 --scenario=Offline --power=yes"
    assert runs(text).commands == ["assay run resnet50 --scenario Offline --mode accuracy"]


def test_the_clock_of_the_power_client_is_kept() -> None:
    made = Translation()
    translate_power_client(
        parse("cmr run,mlperf,power,client --power_server=lab --port=4951 --ntp_server=pool.ntp.org"), made
    )
    assert made.commands[0].startswith("assay power measure --director lab:4951 --ntp pool.ntp.org ")


def test_models_of_the_open_division_and_models_that_are_not_there() -> None:
    made = Translation()
    translate_open_models(parse("cmr run,mobilenet-models,_tflite,_accuracy-only"), made)
    assert [line.split()[2] for line in made.commands] == ["mobilenet-v2", "efficientnet-lite0"]
    assert all("--mode accuracy" in line for line in made.commands)
    assert len(made.notes) == 2
    with pytest.raises(NotFoundError, match="unknown benchmark"):
        runs("cmr run-mlperf,inference --model=yolo")


def test_a_note_is_made_once() -> None:
    made = Translation()
    note_once(made, "x")
    note_once(made, "x")
    assert made.notes == ["x"]

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.main import run


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("mobilenet-v3",), 3, "mobilenet-v2"),
        (("mobilenet-v2", "--scenario", "offlin"), 2, "Offline"),
        (
            ("mobilenet-v2", "--scenario", "Server", "--category", "edge"),
            2,
            "category edge of round v3.1 has no Server",
        ),
        (("mobilenet-v2", "--duration", "10"), 2, "a number with a unit"),
        (("mobilenet-v2", "--quick", "--duration", "10s"), 2, "--quick and --duration contradict"),
        (("mobilenet-v2", "--scenario", "SingleStream", "--target-qps", "5"), 2, "--target-latency"),
        (("mobilenet-v2", "--backend", "onnx"), 3, "onnxruntime"),
        (("mobilenet-v2", "--precision", "bf16"), 2, "has no bf16 on this machine"),
        (("mobilenet-v2", "--round", "v1.0"), 3, "unknown round"),
        (("mobilenet-v2", "--dataset", "nothing"), 3, "unknown asset"),
        (("mobilenet-v2", "--model", "/none.onnx"), 3, "--model"),
        (("mobilenet-v2", "--backend-option", "x"), 2, "KEY=VALUE"),
        (("image-classification",), 2, "--model my.onnx"),
        (("mobilenet-v2", "--recipe", "crop=32"), 2, "for a model of your own"),
        (("mobilenet-v2", "--recipe", "crop"), 2, "neither a YAML file nor key=value"),
        (("mobilenet-v2", "--backend-option", "spining=on", "--dry-run"), 2, "spinning"),
        (("mobilenet-v2", "--scenario", "SingleStream", "--batch-size", "4"), 2, "--batch-size means nothing"),
        (("mobilenet-v2", "--mode", "accuracy", "--target-qps", "5"), 2, "--mode both"),
        (("mobilenet-v2", "--scenaro", "Offline"), 2, "--scenario"),
        (("mobilenet-v2", "--power", "wall", "--dry-run"), 3, "unknown source of power"),
        (("mobilenet-v2", "--power", "replay:none.txt", "--dry-run"), 3, "no log of power samples"),
        (("mobilenet-v2", "--power-ntp", "pool.ntp.org"), 2, "means nothing without --power"),
        (("resnet50-synthetic", "--mode", "accuracy"), 2, "no trained weights"),
        (("resnet50", "--mode", "accuracy"), 3, "assay assets add imagenet2012"),
    ],
)
def test_mistakes_are_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    found, out, err = call("run", *arguments, capsys=capsys)
    assert found == code, err
    assert words in err
    assert out == ""
    assert "Traceback" not in err


def test_an_error_is_a_document_when_json_is_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("run", "mobilenet-v3", "--json", capsys=capsys)
    assert code == 3
    assert json.loads(out)["exit_code"] == 3


def test_a_dry_run_says_what_measures_the_power(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("run", "mobilenet-v2", "--mode", "both", "--quick", "--power", "simulate", "--dry-run")
    code, out, _ = call(*arguments, capsys=capsys)
    assert code == 0
    assert "power: simulated, nothing is measured; performance runs are done twice, ranging then testing" in out
    _, out, _ = call(*arguments, "--json", capsys=capsys)
    assert json.loads(out)["power"]["label"] == "simulated-power"


def test_a_dry_run_is_a_document_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(
        "run",
        "mobilenet-v2",
        "-s",
        "single-stream",
        "-s",
        "OFFLINE",
        "--dry-run",
        "--json",
        "--duration",
        "1m30s",
        capsys=capsys,
    )
    plan = json.loads(out)
    assert code == 0
    assert [(r["scenario"], r["min_duration_s"]) for r in plan["runs"]] == [("SingleStream", 90), ("Offline", 90)]
    assert not home.exists()


def test_options_come_from_the_environment_too(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_RUN_BATCH_SIZE", "3")
    _, out, _ = call("run", "mobilenet-v2", "--dry-run", "--json", capsys=capsys)
    assert json.loads(out)["runs"][0]["batch_size"] == 3


def test_a_settings_file_gives_what_the_command_does_not(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "best.yaml"
    path.write_text("format: 1\nbackend: openvino\nthreads: 1\nstreams: 2\nbatch_size: 16\nbatch_wait: 2ms\n")
    arguments = ("run", "mobilenet-v2", "--setting", str(path), "--dry-run", "--json")

    def planned(*more: str) -> tuple[str, int, int]:
        code, out, err = call(*arguments, *more, capsys=capsys)
        assert code == 0, err
        plan = json.loads(out)
        return plan["backend"], plan["runs"][0]["batch_size"], plan["runs"][0]["streams"]

    assert planned() == ("openvino", 16, 2)
    assert planned("-s", "SingleStream") == ("openvino", 1, 1)
    assert planned("--batch-size", "4", "--backend", "onnxruntime") == ("onnxruntime", 4, 2)
    monkeypatch.setenv("ASSAY_RUN_STREAMS", "1")
    assert planned() == ("openvino", 16, 1)
    path.write_text("format: 1\nbatch: 16\n")
    code, _, err = call(*arguments[:-1], capsys=capsys)
    assert code == 4 and "best.yaml:2: batch" in err and "batch_size" in err
    assert not home.exists()

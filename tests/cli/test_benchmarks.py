from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.base.plugins import Registry
from assay.cli.main import run
from assay.rules.load import load_round


def out_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert run(arguments) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def row_of(text: str, first: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [first])


def rows_of(text: str) -> list[str]:
    """Names in the first column, which continued lines leave empty."""
    return [line.split()[0] for line in text.splitlines()[2:] if not line.startswith(" ")]


@pytest.mark.parametrize("arguments", [("benchmarks",), ("benchmarks", "list")])
def test_the_list_has_every_benchmark_with_its_figures(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    text, remarks = out_of(capsys, *arguments)
    assert "Benchmarks of round v3.1" in text
    assert rows_of(text) == [
        f"{each.name}*" if each.placeholder else each.name for each in load_round("v3.1").benchmarks.values()
    ]
    row = row_of(text, "resnet")
    for fact in ("image-classification", "ResNet50-v1.5", "ImageNet 2012 validation", "50,000", "acc 75.6954 %"):
        assert fact in row
    assert "Server, Offline" in row
    assert "SingleStream, MultiStream," in row
    assert "no reference behind it" in remarks
    assert "resnet" in remarks


@pytest.mark.parametrize("arguments", [("--category", "Edge"), ("list", "--category", "EDGE")])
def test_a_category_leaves_the_others_out(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    text, _ = out_of(capsys, "benchmarks", *arguments)
    assert rows_of(text) == [
        "resnet", "rnnt", "bert-99", "3d-unet-99", "3d-unet-99.9", "retinanet", "gptj-99", "gptj-99.9",
    ]  # fmt: skip
    assert "Datacenter" not in text


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(out_of(capsys, "benchmarks", "--category", "datacenter", "--json")[0])
    assert len(document) == 13
    resnet = document[0]
    assert (resnet["round"], resnet["name"], resnet["dataset_size"]) == ("v3.1", "resnet", 50000)
    assert resnet["quality"][0]["target"] == 75.69539999999999
    assert resnet["categories"] == ["edge", "datacenter"]
    assert resnet["limits"]["Server"]["target_latency_ns"] == 15_000_000
    assert resnet["source"].startswith("mlcommons/inference v3.1")


def test_task_installed_says_what_the_plugins_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "names", lambda self: ["language"])
    text, _ = out_of(capsys, "benchmarks", "show", "bert", "--json")
    assert json.loads(text)["task_installed"] is True
    text, _ = out_of(capsys, "benchmarks", "show", "resnet")
    assert "image-classification (no task of this name installed)" in text
    _, remarks = out_of(capsys, "benchmarks")
    assert "bert-99, bert-99.9" in remarks


def test_show_says_everything_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = out_of(capsys, "benchmarks", "show", "BERT")
    facts = dict(line.split("  ", 1) for line in text.split("\n\n")[0].splitlines())
    facts = {name: value.strip() for name, value in facts.items()}
    assert facts["Benchmark"] == "bert-99, round v3.1"
    assert facts["Also called"] == "bert"
    assert facts["Edge"] == "SingleStream, Offline required"
    assert facts["Datacenter"] == "Server, Offline required"
    assert facts["Loaded samples"] == "at least 10,833 in a performance run"
    assert facts["Compliance tests"] == "TEST01, TEST05"
    assert "148687905518835231" in facts["Seeds"]
    assert "793197339507417767" in facts["Seeds in TEST05"]
    assert "ce189bda" in facts["Source"]
    assert "mlperf.conf" in facts["LoadGen's defaults"]
    assert "10m 00s" in row_of(text, "SingleStream")
    assert "at least 64 queries" in row_of(text, "SingleStream")
    server = row_of(text, "Server")
    for fact in ("Queries/s", "datacenter", "at least 459 queries", "99 % of queries within 130 ms"):
        assert fact in server
    assert "1 of at least 24,576 samples" in row_of(text, "Offline")
    assert "MultiStream" not in text
    assert row_of(text, "F1").split() == ["F1", "percent", "90.874", "%", "99", "%", "89.96526", "%", "-"]


def test_show_says_where_the_edge_is_left_out_and_queries_are_larger(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "not in this category" in out_of(capsys, "benchmarks", "show", "bert-99.9")[0]
    text, _ = out_of(capsys, "benchmarks", "show", "resnet")
    assert "at least 662 of 8 samples" in row_of(text, "MultiStream")
    text, _ = out_of(capsys, "benchmarks", "show", "3d-unet")
    assert "in SingleStream, Offline every sample is issued equally often" in text
    assert "0.853083" in row_of(text, "DICE")
    text, _ = out_of(capsys, "benchmarks", "show", "gpt3-99")
    assert "no reference behind it" in text


def test_optional_scenarios_and_upper_limits_of_a_file_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "extends: v3.1\nname: v9.1\nsource: mine\nbenchmarks:\n  resnet:\n"
        "    required: {edge: [SingleStream], datacenter: []}\n    optional: {edge: [Offline]}\n"
        "    quality: [{metric: acc, reference: 80, ratio: 0.5, target: 40, upper_limit: 90}]\n"
    )
    text, _ = out_of(capsys, "benchmarks", "show", "resnet", "--round", str(path))
    assert "SingleStream required; Offline optional" in text
    assert "not in this category" in text
    assert row_of(text, "acc").split()[-4:] == ["40", "%", "90", "%"]


def test_options_before_the_verb_hold_for_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: v3.1\nname: v9.1\nsource: mine\n")
    document = json.loads(out_of(capsys, "benchmarks", "--json", "--round", str(path), "show", "resnet50")[0])
    assert (document["round"], document["name"]) == ("v9.1", "resnet")
    listed = json.loads(out_of(capsys, "benchmarks", "--category", "edge", "--json", "list")[0])
    assert len(listed) == 8


def test_quiet_keeps_the_remarks_back(capsys: pytest.CaptureFixture[str]) -> None:
    text, remarks = out_of(capsys, "benchmarks", "-q")
    assert "resnet" in text
    assert remarks == ""


def test_an_unknown_name_gets_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    text, error = out_of(capsys, "benchmarks", "show", "retinnet", code=3)
    assert text == ""
    assert "unknown benchmark 'retinnet'; expected retinanet" in error
    assert "assay benchmarks" in error
    _, error = out_of(capsys, "benchmarks", "--round", "v3.2", code=3)
    assert "expected v3.1" in error
    text, _ = out_of(capsys, "benchmarks", "show", "retinnet", "--json", code=3)
    assert json.loads(text)["exit_code"] == 3


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    _, error = out_of(capsys, "benchmarks", "resnet50", code=2)
    assert "Did you mean assay benchmarks show resnet50?" in error
    _, error = out_of(capsys, "benchmarks", "--category", "egde", code=2)
    assert "edge" in error
    out_of(capsys, "benchmarks", "show", code=2)


def test_a_malformed_round_is_invalid_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: v3.1\nname: v9.1\nsource: mine\nbenchmark: {}\n")
    _, error = out_of(capsys, "benchmarks", "--round", str(path), code=4)
    assert f"{path}:4: benchmark" in error
    assert "benchmarks" in error

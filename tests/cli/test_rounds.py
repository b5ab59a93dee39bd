from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.main import run
from assay.rules.document import round_document
from assay.rules.load import load_round, round_names, round_schema

MINE = "extends: v3.1\nname: v9.1\nsource: mine\nbenchmarks:\n  resnet: {server_latency: 20ms}\n  rnnt: null\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return path


def out_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert run(arguments) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def row_of(text: str, first: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [first])


@pytest.mark.parametrize("arguments", [("rounds",), ("rounds", "list")])
def test_the_list_has_every_round(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    text, _ = out_of(capsys, *arguments)
    assert [line.split()[0] for line in text.splitlines()[1:]] == round_names()
    assert row_of(text, "v3.1").split()[1:4] == ["13", "8", "13"]
    assert "ce189bda" in text


@pytest.mark.parametrize("arguments", [("--json",), ("list", "--json"), ("--json", "list")])
def test_the_list_as_json(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    document = json.loads(out_of(capsys, "rounds", *arguments)[0])
    assert [each["name"] for each in document] == round_names()
    newest = document[-1]
    assert "bert-99.9" in newest["datacenter"]
    assert "bert-99.9" not in newest["edge"]
    assert len(newest["benchmarks"]) == 14


@pytest.mark.parametrize("name", ["v3.1", "V3.1", "3.1"])
def test_show_says_sources_seeds_scenarios_and_benchmarks(capsys: pytest.CaptureFixture[str], name: str) -> None:
    text, remarks = out_of(capsys, "rounds", "show", name)
    assert "QSL 148687905518835231, sample index 520418551913322573, schedule 811580660758947900" in text
    assert "mlperf.conf" in text
    for fact in ("Latency (ms)", "early_stopping_latency_ms", "lower", "99 %", " 8 ", "yes"):
        assert fact in row_of(text, "MultiStream")
    assert "15.0 ms" in row_of(text, "resnet")
    assert "acc 75.6954 %" in row_of(text, "resnet")
    assert row_of(text, "3d-unet-99").split()[1:5] == ["SingleStream,", "Offline", "Offline", "-"]
    assert "gpt3-99*" in text
    assert "no reference" in remarks


def test_show_as_json_is_the_whole_round(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = out_of(capsys, "rounds", "show", "v3.1", "--json")
    assert json.loads(text) == round_document(load_round("v3.1"))


def test_show_takes_a_file(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    text, _ = out_of(capsys, "rounds", "show", str(mine))
    assert "v9.1" in text
    assert "20.0 ms" in row_of(text, "resnet")
    assert "rnnt" not in text


def test_diff_says_what_changed(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    text, remarks = out_of(capsys, "rounds", "show", str(mine), "--diff", "v3.1")
    key = "benchmarks.resnet.limits.Server.target_latency_ns"
    assert row_of(text, key).split()[1:] == ["15000000", "20000000"]
    assert row_of(text, "benchmarks.rnnt").split()[1:] == ["rnnt", "-"]
    assert "3 facts differ" in remarks
    document = json.loads(out_of(capsys, "rounds", "show", str(mine), "--diff", "v3.1", "--json")[0])
    assert (document["old"], document["new"]) == ("v3.1", "v9.1")
    assert {"key": key, "old": 15_000_000, "new": 20_000_000} in document["changes"]


def test_diff_of_equal_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    text, remarks = out_of(capsys, "rounds", "show", "v3.1", "--diff", "3.1")
    assert text == ""
    assert "state the same facts" in remarks


def test_validate_says_that_a_file_is_valid(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    text, _ = out_of(capsys, "rounds", "validate", str(mine))
    assert text == f"{mine}: round v9.1 with 12 benchmarks is valid\n"
    document = json.loads(out_of(capsys, "rounds", "validate", str(mine), "--json")[0])
    assert (document["valid"], document["name"], len(document["benchmarks"])) == (True, "v9.1", 12)


def test_validate_sends_to_the_line(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.write_text(MINE.replace("20ms", "-20ms"))
    text, error = out_of(capsys, "rounds", "validate", str(mine), code=4)
    assert text == ""
    assert f"{mine}:5: benchmarks.resnet.server_latency" in error
    assert "found '-20ms'" in error
    text, _ = out_of(capsys, "rounds", "validate", str(mine), "--json", code=4)
    assert json.loads(text)["where"] == f"{mine}:5: benchmarks.resnet.server_latency"


def test_what_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out_of(capsys, "rounds", "validate", str(tmp_path / "absent.yaml"), code=3)
    out_of(capsys, "rounds", "validate", str(tmp_path), code=4)
    _, error = out_of(capsys, "rounds", "show", "v3.11", code=3)
    assert "expected v3.1" in error
    out_of(capsys, "rounds", "show", "v3.1", "--diff", "v0.1", code=3)


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    _, error = out_of(capsys, "rounds", "v3.1", code=2)
    assert "Did you mean assay rounds show v3.1?" in error
    out_of(capsys, "rounds", "validate", code=2)


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(out_of(capsys, "rounds", "schema")[0]) == round_schema()

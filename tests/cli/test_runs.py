from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.cli.main import run
from assay.loadgen.record import Artefact, Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.loadgen.verdict import Constraint, Verdict

Make = Callable[..., str]
Capture = pytest.CaptureFixture[str]

LATE = Constraint(
    "p99 latency",
    False,
    "at most 15.0 ms",
    "19.6 ms",
    "resnet50.Server.target_latency",
    "lower the rate: --target-qps 88",
)
INVALID = Verdict(
    False, False, (LATE,), ("p99 latency: 19.6 ms, at most 15.0 ms asked",), ("lower the rate: --target-qps 88",)
)
VALID = Verdict(True, True, (replace(LATE, met=True, measured="9.6 ms", fix=""),), (), ())
BASE = RunRecord(
    id="",
    group="a" * 16,
    created="2026-11-23T20:15:00+00:00",
    status=RunStatus.FINISHED,
    round="v3.1",
    benchmark="resnet",
    task="image-classification",
    scenario="Server",
    mode="performance",
    category="edge",
    division="open",
    model=Artefact("mobilenet-v2", "ab" * 32),
    dataset=Artefact("imagenet-foolbox-20", "cd" * 32, 20),
    backend_name="onnxruntime",
    precision="fp32",
    batch_size=8,
    streams=1,
    threads=0,
    command="assay run mobilenet-v2 --scenario Server",
    labels=(Label.STAND_IN_MODEL,),
    versions={"loadgen": "5.1.2"},
    host={"cpu": "AMD EPYC"},
    settings={"server_target_qps": 111.0},
    figures=Figures(
        value=111.1, unit="Queries/s", samples_per_second=111.2, latency_ns={"max": 2e7, "p50": 4.8e6, "p99": 1.96e7}
    ),
    verdict=INVALID,
)


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home" / "runs"


@pytest.fixture
def make(runs_dir: Path) -> Make:
    def make_one(tail: str, **changes: object) -> str:
        name = f"20261123-20150{tail[0]}-mobilenet-v2-server-{tail}"
        folder = RunFolder(runs_dir / name)
        folder.path.mkdir(parents=True)
        folder.write(replace(BASE, id=name, **changes))  # type: ignore[arg-type]
        return name

    return make_one


def lines(capsys: Capture) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("words", [["runs"], ["runs", "list"], ["runs", "list", "--scenario", "server"]])
def test_an_empty_catalogue_says_how_to_begin(runs_dir: Path, capsys: Capture, words: list[str]) -> None:
    assert run(words) == 0
    assert lines(capsys) == ["There are no runs yet. Begin with: assay demo"]
    assert run(["runs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert not runs_dir.exists()


def test_the_list_is_newest_first_with_short_ids(make: Make, capsys: Capture) -> None:
    (
        make("1aaa"),
        make("2bbb", verdict=VALID, scenario="Offline"),
        make("3ccc", status=RunStatus.FAILED, verdict=None, figures=Figures()),
    )
    assert run(["runs"]) == 0
    head, *rows = lines(capsys)
    assert head.split()[:2] == ["id", "when"]
    assert [row.split()[0] for row in rows] == ["3ccc", "2bbb", "1aaa"]
    assert "111.1 queries/s" in rows[1] and "VALID" in rows[1] and "stand-in-model" in rows[1]
    assert "INVALID" in rows[2] and "2026-11-23 20:15" in rows[2] and "onnxruntime fp32" in rows[2]
    assert "failed" in rows[0]


def test_ids_grow_until_they_are_unique(make: Make, capsys: Capture) -> None:
    make("1aaaa"), make("2aaaa"), make("3bbbb")
    assert run(["runs"]) == 0
    assert [row.split()[0] for row in lines(capsys)[1:]] == ["3bbbb", "2aaaa", "1aaaa"]
    for name in ("bbbb", "2aaaa"):
        assert run(["runs", "show", name, "--quiet"]) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--scenario", "offline"], ["2bbb"]),
        (["--status", "invalid"], ["1aaa"]),
        (["--status", "valid"], ["2bbb"]),
        (["--status", "failed"], ["3ccc"]),
        (["--benchmark", "RESNET", "--limit", "1"], ["3ccc"]),
        (["--benchmark", "mobilenet-v2", "--limit", "0"], ["3ccc", "2bbb", "1aaa"]),
        (["--benchmark", "bert"], []),
    ],
)
def test_filters(make: Make, capsys: Capture, options: list[str], expected: list[str]) -> None:
    make("1aaa"), make("2bbb", verdict=VALID, scenario="Offline"), make("3ccc", status=RunStatus.FAILED, verdict=None)
    assert run(["runs", "list", *options, "--json"]) == 0
    assert [record["id"][-4:] for record in json.loads(capsys.readouterr().out)] == expected
    assert run(["runs", "list", *options]) == 0
    shown = capsys.readouterr()
    assert [row.split()[0] for row in shown.out.splitlines()[1:]] == expected
    assert ("None of the 3 runs" in shown.out) == (not expected)
    assert ("2 older ones" in shown.err) == ("1" in options)


def test_a_folder_without_a_record_is_told_and_hides_nothing(make: Make, runs_dir: Path, capsys: Capture) -> None:
    make("1aaa")
    (runs_dir / "zzz").mkdir()
    assert run(["runs"]) == 0
    shown = capsys.readouterr()
    assert "1aaa" in shown.out and "no readable record: zzz" in shown.err


def test_show_says_everything(make: Make, runs_dir: Path, capsys: Capture) -> None:
    name = make("1aaa")
    (runs_dir / name / "mlperf_log_summary.txt").write_text("MLPerf Results Summary\nResult is : INVALID\x1b[2J\n")
    assert run(["runs", "show", "last", "--logs"]) == 0
    said = capsys.readouterr().out
    for expected in (
        "mobilenet-v2, Server performance: INVALID",
        "111.1 queries/s, higher is better",
        "round v3.1 would not take it",
        "another model than the benchmark's",
        "19.6 ms",
        "resnet50.Server.target_latency",
        "1. lower the rate: --target-qps 88",
        "ab" * 32,
        "5.1.2",
        "server_target_qps",
        "assay run mobilenet-v2 --scenario Server",
        "Result is : INVALID",
    ):
        assert expected in said, expected
    assert "\x1b[2J" not in said
    assert said.index("p50") < said.index("p99 ") < said.index("max ")


def test_show_as_json(make: Make, runs_dir: Path, capsys: Capture) -> None:
    name = make("1aaa")
    assert run(["runs", "show", "1aaa", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["id"] == name and shown["folder"] == str(runs_dir / name) and shown["verdict"]["valid"] is False


def test_an_unknown_run_is_not_found(make: Make, capsys: Capture) -> None:
    make("1aaa")
    assert run(["runs", "show", "1aab"]) == 3
    assert "assay runs list" in capsys.readouterr().err


def test_compare_puts_the_first_in_relation(make: Make, capsys: Capture) -> None:
    make("1aaa")
    better = replace(BASE.figures, value=222.2, samples_per_second=222.4, latency_ns={"p50": 9.6e6, "p99": 9.8e6})
    make("2bbb", figures=better, verdict=VALID, batch_size=16)
    assert run(["runs", "compare", "1aaa", "2bbb"]) == 0
    shown = capsys.readouterr()
    rows = {line.split("  ")[0]: line for line in shown.out.splitlines()}
    assert "x2.000, better" in rows["result (queries/s)"]
    assert "x2.000, worse" in rows["p50 (ms)"] and "x0.500, better" in rows["p99 (ms)"]
    assert rows["batch size"].split()[-2:] == ["8", "16"]
    assert "engine" not in rows and "is INVALID: its figures do not hold" in shown.err
    assert run(["runs", "compare", "1aaa", "2bbb", "--all"]) == 0
    assert "precision" in capsys.readouterr().out
    assert run(["runs", "compare", "1aaa", "2bbb", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure for figure in document["figures"]}
    assert figures["p99"]["changes"] == ["same", "better"] and figures["result"]["ratios"][1] == pytest.approx(2)


def test_compare_needs_two(make: Make, capsys: Capture) -> None:
    make("1aaa")
    assert run(["runs", "compare", "1aaa"]) == 2
    assert "two runs" in capsys.readouterr().err


def test_report_writes_a_page(make: Make, tmp_path: Path, capsys: Capture) -> None:
    make("1aaa"), make("2bbb", scenario="Offline"), make("3ccc", group="b" * 16)
    assert run(["runs", "report", "1aaa", "--group", "--out", "r.html", "--title", "Before & after", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [name[-4:] for name in document["runs"]] == ["1aaa", "2bbb"]
    text = (tmp_path / "r.html").read_text()
    assert len(text.encode()) == document["bytes"] and "<h1>Before &amp; after</h1>" in text
    assert run(["runs", "report", "last", "1aaa"]) == 0
    assert capsys.readouterr().out.startswith("assay-report.html: 2 runs, ")


def test_remove_asks_somebody(make: Make, runs_dir: Path, capsys: Capture) -> None:
    name = make("1aaa")
    assert run(["runs", "remove", "1aaa"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert run(["runs", "remove", "1aaa", "--dry-run"]) == 0
    assert f"would remove {name}" in capsys.readouterr().out
    assert (runs_dir / name).is_dir()


def test_remove_removes(make: Make, runs_dir: Path, capsys: Capture) -> None:
    one, two = make("1aaa"), make("2bbb")
    assert run(["runs", "remove", "1aaa", "--yes", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["removed"] == [one] and document["bytes"] > 500
    assert [path.name for path in runs_dir.iterdir()] == [two]


def test_one_unknown_name_removes_nothing(make: Make, runs_dir: Path) -> None:
    name = make("1aaa")
    assert run(["runs", "remove", "1aaa", "nothing", "--yes"]) == 3
    assert (runs_dir / name).is_dir()

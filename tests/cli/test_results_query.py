from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from assay.results.fields import FIELDS

from .conftest import Call, document

Rows = list[dict[str, object]]


def rows(call: Call, *arguments: object) -> Rows:
    found = document(call("results", "query", "--json", "-q", *arguments))["rows"]
    assert isinstance(found, list)
    return found


def systems(call: Call, *arguments: object) -> list[str]:
    return [str(each["system"]) for each in rows(call, "-c", "system", "--sort", "system", *arguments)]


# ---- query


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "box0 box1 box2 box3 box4 box8"),
        (("watts < 100",), "box2 box3 box8"),
        (("watts < 100 W and organisation == 'Krai'",), "box2 box3"),
        (("watts", "<", "100"), "box2 box3 box8"),
        (("accelerator like 'h100%'",), "box0"),
        (("accelerator is null",), "box3 box4 box8"),
        (("category == 'edge'", "--round", "v2.1"), "box8"),
        (("--round", "3.0", "-s", "offline", "--division", "CLOSED"), "box0 box1 box2 box3"),
        (("-n", "resnet50", "--submitter", "nvidia"), "box0 box1"),
        (("-n", "BERT-99"), "box8"),
        (("--task", "nlp"), "box8"),
        (("--organisation", "Krai", "--organisation", "Acme"), "box2 box3 box4 box8"),
        (("--inferred",), "box0 box1 box2 box3 box4 box5 box8"),
        (("--refused",), "box0 box1 box2 box3 box4 box6 box8"),
        (("--local",), "box0 box1 box2 box3 box4 box7 box8"),
        (("method == 'inferred'",), "box5"),
        (("findings == 'seed-wrong'", "--refused"), "box6"),
        (("samples_per_joule > 4 or division == 'open'",), "box2 box3 box4 box8"),
        (("rank(samples_per_second) == 1", "-s", "Offline"), "box0"),
    ],
)
def test_filters(call: Call, asked_home: Path, arguments: tuple[str, ...], found: str) -> None:
    assert systems(call, *arguments) == found.split()


def test_columns_sort_limit_offset(call: Call, asked_home: Path) -> None:
    columns = "system,share=watts / 1 kW,samples_per_joule"
    found = rows(call, "-n", "resnet", "-c", columns, "--sort=-watts", "--limit", 2)
    assert found == [
        {"system": "box0", "share": 0.4, "samples_per_joule": 2.5},
        {"system": "box1", "share": 0.25, "samples_per_joule": 2},
    ]
    more = rows(call, "-n", "resnet", "-c", columns, "--sort", "-watts", "--limit", 2, "--offset", 2)
    assert [each["system"] for each in more] == ["box3", "box2"]
    # A comma inside of a call or a text parts nothing.
    (first, *_) = rows(call, "-c", "a=coalesce(watts, 1 W),b=system in ('x,y', 'box0')", "--sort", "system")
    assert first == {"a": 400, "b": True}


def test_groups(call: Call, asked_home: Path) -> None:
    found = rows(call, "--group", "organisation,division", "-a", "count()", "-a", "most=largest(watts)", "--sort=-most")
    assert found == [
        {"organisation": "NVIDIA", "division": "closed", "count()": 2, "most": 400},
        {"organisation": "Krai", "division": "closed", "count()": 2, "most": 30},
        {"organisation": "Acme", "division": "closed", "count()": 1, "most": 9},
        {"organisation": "Acme", "division": "open", "count()": 1, "most": None},
    ]
    assert rows(call, "--group", "round")[0] == {"round": "v2.1", "count()": 1}
    assert rows(call, "-a", "mean(watts)") == [{"mean(watts)": pytest.approx((400 + 250 + 20 + 30 + 9) / 5)}]


def test_a_table_says_once_what_is_always_the_same(call: Call, asked_home: Path) -> None:
    call("index")
    code, out, err = call("results", "query", "-n", "resnet", "-s", "Offline")
    assert code == 0
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "round v3.0, benchmark resnet, scenario Offline, division closed, category edge, unit Samples/s"
    assert lines[1].split() == ["organisation", "system", "accelerator", "value", "watts", "[W]"]
    assert lines[2].split() == ["NVIDIA", "box0", "H100-PCIe-80GB", "100", "400"]
    assert err == "4 rows, published, measured, taken by the official checker\n"
    # What was asked for by name is shown, and so is the only row.
    out = call("results", "query", "-n", "resnet", "-s", "Offline", "-c", "round,system")[1]
    assert out.splitlines()[0].split() == ["round", "system"]
    out = call("results", "query", "-n", "bert-99")[1]
    assert out.splitlines()[0].split()[:2] == ["round", "organisation"]
    _, out, err = call("results", "query", "--limit", 1)
    assert err == "1 row, published, measured, taken by the official checker; there are more: --limit 0 shows all\n"
    assert call("results", "query", "-q")[2] == ""


def test_each_form(call: Call, asked_home: Path, tmp_path: Path) -> None:
    question = ("results", "query", "-n", "resnet", "-s", "Offline", "-c", "system,watts", "--sort", "system")
    code, out, _ = call(*question, "--format", "csv")
    assert (code, out) == (0, "system,watts\nbox0,400\nbox1,250\nbox2,20\nbox3,30\n")
    assert json.loads(call(*question, "--format", "ndjson")[1].splitlines()[0]) == {
        "system": "box0",
        "watts": 400,
    }
    assert call(*question, "--format", "markdown")[1].splitlines()[:2] == ["| system | watts \\[W] |", "|---|---:|"]
    assert call(*question, "--format", "latex")[1].startswith("\\begin{tabular}{lr}")
    assert json.loads(call(*question, "--format", "json", "-q")[1])["columns"][1] == {
        "name": "watts",
        "kind": "number",
        "unit": "W",
    }
    for name in ("a.csv", "a.json", "a.ndjson", "a.jsonl", "a.md", "a.tex", "a.parquet", "quo'te.parquet"):
        code, out, err = call(*question, "--out", tmp_path / name)
        assert (code, out) == (0, "")
        assert err == f"{tmp_path / name}: 4 rows (published, measured, taken by the official checker)\n"
    assert (tmp_path / "a.csv").read_text() == call(*question, "--format", "csv")[1]
    connection = duckdb.connect()
    assert connection.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "quo'te.parquet")]).fetchone() == (
        "box0",
        400,
    )
    # The limit is for eyes: a file holds all.
    call(*question, "--limit", 1, "--out", tmp_path / "b.csv")
    assert len(list(csv.reader(io.StringIO((tmp_path / "b.csv").read_text())))) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("wats < 5",), 4, "unknown name 'wats'; expected watts or task\n  wats < 5\n  ^^^^"),
        (("watts < 5 ms",), 4, "W and ms cannot be compared\n  watts < 5 ms\n        ^"),
        (("watts <",), 4, "something is missing at the end"),
        (("watts",), 4, "\n  watts\n  ^^^^^"),
        (("accelerator == H100",), 4, "try: a text is written in quotes"),
        (("true) or (true", "-s", "Offline"), 4, "true) or (true\n      ^"),
        (("-c", "system,wats"), 4, "unknown name 'wats'"),
        (("--sort=-wats",), 4, "names: assay results fields, assay metrics"),
        (("-c", "speedup"), 4, "try: --baseline 'system == "),
        (("--group", "organisations"), 3, "unknown field 'organisations'; expected organisation"),
        (
            ("--group", "division", "-a", "watts"),
            4,
            "try: say which is meant, as in mean(watts) or largest(watts), or group by it",
        ),
        (("--group", "division", "-c", "watts"), 2, "--aggregate 'mean(watts)' in place of --columns"),
        (("--round", "v9"), 3, "unknown round 'v9'; expected v2.0, v2.1, v3.0, v3.1"),
        (("--benchmark", "resnet51"), 3, "unknown benchmark 'resnet51'; expected resnet"),
        (("--organisation", "nvida"), 3, "unknown organisation 'nvida'; expected NVIDIA"),
        (("--task", "nlpp"), 3, "unknown task 'nlpp'; expected nlp"),
        (("--scenario", "Offlin"), 2, "unknown scenario 'Offlin'; expected Offline"),
        (("--division", "close"), 2, "unknown division 'close'; expected closed"),
        (("--category", "egde"), 2, "unknown category 'egde'; expected edge"),
        (("--out", "x.xyz"), 2, "x.xyz asks for no form that is known; expected a name that ends in .csv, .json"),
        (("--out", "no/x.csv"), 5, "no"),
        (("--set", "price=3"), 4, "--set price: this is in no unit; expected something in USD/h"),
        (("--set", "prise=3 USD/h"), 3, "unknown parameter 'prise'; expected price"),
        (("--baseline", "system =="), 4, "something is missing at the end"),
        (("--limit", "many"), 2, "'many' is not a valid integer"),
        (("--format", "xml"), 2, "'xml' is not one of"),
    ],
)
def test_mistakes(
    call: Call,
    asked_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no").write_text("no folder")
    found, out, err = call("results", "query", *arguments)
    assert (found, out) == (code, "")
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (('organisation == "nvidia"',), 'no result has organisation "nvidia"; closest: NVIDIA'),
        (('benchmark == "resnet50"',), 'no result has benchmark "resnet50"; closest: resnet'),
        (
            ('accelerator in ("H100", "A100-PCIe-80GB") and watts > 1 MW',),
            'no result has accelerator "H100"; closest: ',
        ),
        (('category == "egde"',), 'no result has category "egde"; closest: edge'),
        (("--round", "v3.1"), 'no result has round "v3.1"; closest: '),
        (("system == 'box5'",), "1 result left out that would fit: --inferred"),
        (("organisation == 'Mine'",), "1 result left out that would fit: --local"),
    ],
)
def test_why_there_may_be_no_answer(call: Call, asked_home: Path, arguments: tuple[str, ...], told: str) -> None:
    code, out, err = call("results", "query", *arguments)
    assert code == 0
    assert len(out.splitlines()) == 1
    assert told in err
    assert call("results", "query", *arguments, "-q")[2] == ""
    assert document(call("results", "query", *arguments, "--json", "-q"))["rows"] == []


def test_what_a_metric_needs_is_told(call: Call, asked_home: Path) -> None:
    question = (
        "results",
        "query",
        "-c",
        "system,cost_per_million_samples",
        "-n",
        "resnet",
        "--sort",
        "system",
        "--limit",
        1,
    )
    assert "price has no value, so what needs it is empty: --set price='...'" in call(*question)[2]
    _, out, err = call(*question, "--set", "price=3.6 USD/h", "--format", "csv")
    assert out.splitlines()[1] == "box0,1" and "price" not in err
    _, out, _ = call(
        "results", "query", "-c", "system,speedup", "--baseline", 'system == "box1"', "-s", "Offline", "--format", "csv"
    )
    assert out.splitlines()[1:3] == ["box0,2", "box1,1"]


def test_labels_go_wherever_the_figure_goes(call: Call, asked_home: Path) -> None:
    question = ("-n", "resnet", "-s", "Offline", "--local")
    for arguments in (
        ("query", *question),
        ("best", *question, "--by", "watts", "--lowest"),
        ("pareto", *question, "--most", "samples_per_second", "--least", "watts"),
    ):
        assert "short-run" in call("results", *arguments)[1]
        assert "short-run" in call("results", *arguments, "--json")[1]
        assert "labels" not in call("results", *(each for each in arguments if each != "--local"))[1]
    assert "short-run" in call("results", "query", *question, "--format", "csv")[1]


# ---- best and pareto


def test_best(call: Call, asked_home: Path) -> None:
    found = document(call("results", "best", "--round", "v3.0", "--json"))
    assert [(each["group"]["scenario"], each["system"], each["results"]) for each in found] == [
        ("Offline", "box0", 4),
        ("SingleStream", "box4", 1),
    ]
    assert (found[0]["figure"], found[0]["second"], found[0]["margin"]) == (1000, 500, 1)
    assert found[1]["margin"] is None
    _, out, err = call("results", "best", "--by", "joules=watts", "-n", "resnet")
    assert out == "" and "^" in err
    _, out, err = call("results", "best", "--by", "watts", "--lowest", "--group", "benchmark,division", "-n", "resnet")
    assert "benchmark resnet" not in out  # one group: nothing is the same in several
    assert "Krai" in out and "+50.0%" in out and err == "1 group, published, measured, taken by the official checker\n"
    code, _, err = call("results", "best", "--by", "system")
    assert code == 2 and "'system' is no number" in err
    assert "left out that would fit: --local" in call("results", "best", 'organisation == "Mine"')[2]


def test_pareto(call: Call, asked_home: Path) -> None:
    question = ("results", "pareto", "--most", "samples_per_second", "--least", "watts", "-n", "resnet")
    _, out, err = call(*question, "--format", "csv", "-c", "system")
    assert out == "system,samples_per_second,watts\nbox0,1000,400\nbox1,500,250\nbox2,250,20\n"
    first, second, *_ = call(*question)[1].splitlines()
    assert first == "round v3.0" and second.split()[-2:] == ["watts", "[W]"]
    code, _, err = call("results", "pareto", "--most", "watts")
    assert code == 2 and "a front needs two figures" in err
    code, _, err = call("results", "pareto", "--most", "watts", "--least", "system")
    assert code == 2 and "'system' is no number" in err


# ---- export and fields


def test_export_and_import_in_another_home(
    call: Call, asked_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = ("--inferred", "--refused", "--local")
    file = tmp_path / "it's all.parquet"
    code, out, _ = call("results", "export", file, *everything)
    assert (code, out) == (0, f"{file}: 9 results (published and local, measured and inferred, refused ones too)\n")
    names = ",".join(field.name for field in FIELDS if field.kind is not None)
    before = rows(call, *everything, "-c", names, "--sort", "uid")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "other"))
    assert rows(call, *everything) == []
    code, out, _ = call("results", "import", file)
    assert code == 0 and "v2.1: 1, v3.0: 8 results" in out
    after = rows(call, *everything, "-c", names, "--sort", "uid")
    assert after == before
    assert document(call("results", "import", file, "--json"))["changed"] == 0


def test_export_some(call: Call, asked_home: Path, tmp_path: Path) -> None:
    found = document(call("results", "export", tmp_path / "x.parquet", "watts < 100", "-n", "resnet", "--json"))
    assert found == {"file": str(tmp_path / "x.parquet"), "results": 2}
    code, out, err = call("results", "export", tmp_path / "none.parquet", 'organisation == "Mine"')
    assert (code, out.endswith("0 results (published, measured, taken by the official checker)\n")) == (0, True)
    assert "--local" in err
    code, _, err = call("results", "export", tmp_path / "x.csv")
    assert code == 2 and "assay results query --out FILE" in err
    code, _, err = call("results", "export", tmp_path / "x.parquet" / "x.parquet")
    assert code == 5 and "x.parquet" in err


def test_fields(call: Call, results_home: Path) -> None:
    code, out, err = call("results", "fields")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line[:1] != " "][:3] == ["Field", "uid", "round"]
    found = document(call("results", "fields", "--json"))
    assert len(found) == len(FIELDS)
    assert {"name": "watts", "kind": "number", "unit": "W", "description": "Average power while LoadGen ran."} in found
    assert not results_home.exists()

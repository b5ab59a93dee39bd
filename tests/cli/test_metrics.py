from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.main import run
from assay.cm.registry import Registry
from assay.cm.repository import create_repository

GOOD = (
    "name: mine\ntitle: Mine\nexpression: watts * overhead / nodes\nunit: kW/node\nbetter: lower\n"
    "description: What it is.\nparameters:\n  overhead: {unit: ratio, description: PUE, default: 2}\n"
    "examples:\n  - {given: {watts: 500, nodes: 1}, expect: 1 kW/node}\n"
)


@pytest.fixture(autouse=True)
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CM_REPOS", raising=False)
    return home


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(GOOD)
    return path


def out_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert run(("metrics", *arguments)) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def row_of(text: str, first: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [first])


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_the_list(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    text, remarks = out_of(capsys, *arguments)
    assert row_of(text, "samples_per_joule")[1:5] == ["samples/J", "higher", "assay", "-"]
    assert row_of(text, "cost_per_million_samples")[4] == "price"
    assert row_of(text, "rank")[1] == "-"
    assert remarks == ""


@pytest.mark.parametrize("arguments", [("--json",), ("list", "--json"), ("--json", "list")])
def test_the_list_as_json(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    document = json.loads(out_of(capsys, *arguments)[0])
    assert document["broken"] == document["replaced"] == []
    (found,) = [each for each in document["metrics"] if each["name"] == "carbon_per_million_samples"]
    assert (found["unit"], found["better"], found["from"]) == ("gCO2/Msample", "lower", "assay")
    assert (found["fields"], found["parameters"]) == (["joules_per_sample"], ["grid_factor"])


def test_the_list_says_what_goes_before_what_and_what_is_broken(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path
) -> None:
    repository = create_repository(tmp_path / "theirs", "me@theirs")
    Registry(Settings(home)).add(repository.path)
    for folder in (home / "metrics", repository.path / "metrics"):
        folder.mkdir()
        (folder / "rank.yaml").write_text("name: rank\ntitle: r\nexpression: rank(watts)\n")
    (repository.path / "metrics" / "bad.yaml").write_text("name: bad\ntitle: b\nexpression: watts < 5 ms\n")
    (home / "parameters.yaml").write_text("prize: 5 USD/h\n")
    text, remarks = out_of(capsys, "list")
    assert row_of(text, "rank")[3] == "yours"
    assert "rank: your file goes before assay's" in remarks
    assert "rank: your file goes before the one of me@theirs" in remarks
    assert "bad.yaml:3: bad: W and ms cannot be compared\n  watts < 5 ms\n        ^" in remarks
    assert "parameters.yaml: no metric asks for 'prize'" in remarks
    document = json.loads(out_of(capsys, "list", "--json")[0])
    assert [each["by"] for each in document["replaced"]] == ["yours", "yours"]
    assert document["broken"][0]["error"]["position"] == 6
    _, error = out_of(capsys, "explain", "bad", code=4)
    assert "W and ms cannot be compared" in error


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = out_of(capsys, "explain", "samples_per_second_per_core")
    for part in (
        "samples_per_second / host_cores",
        "cores * processors_per_node * nodes / 1 node",
        "samples/s/core",
        "higher",
        "Null when one of the counts is missing.",
        "Host processors of one node.",
        "samples_per_second 22,400 samples/s, cores 56 cores, processors_per_node 2, nodes 1 nodes  ->  200 samples/s/core",
        "->  null",
    ):
        assert part in text
    text, _ = out_of(capsys, "explain", "speedup")
    assert "same round, benchmark, scenario, division and category" in text
    assert 'baseline: system == "a"' in text
    assert "system b, scenario Server, samples_per_second 250 samples/s  ->  2.5\n" in text


def test_explain_says_what_a_parameter_is(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    text, remarks = out_of(capsys, "explain", "cost_per_million_samples")
    assert row_of(text, "price")[:3] == ["price", "USD/h", "none"]
    assert "is null until price has a value: --set price='1 USD/h'" in remarks
    text, remarks = out_of(capsys, "explain", "cost_per_million_samples", "--set", "price=7.2 USD/h")
    assert "The first one with your values:  2 USD/Msample" in text
    assert remarks == ""
    home.mkdir()
    (home / "parameters.yaml").write_text("price: 10.8 USD/h\n")
    document = json.loads(out_of(capsys, "explain", "cost_per_million_samples", "--json")[0])
    assert document["with_your_values"] == [pytest.approx(3)]
    (parameter,) = document["parameters"]
    assert (parameter["value"], parameter["unit"]) == (10.8, "USD/h")
    assert parameter["where"].endswith("parameters.yaml:1: price")
    assert document["examples"][0]["passed"] is True


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ("price=3 EUR/h", 4, "--set price: this is in EUR/h; expected something in USD/h\n  3 EUR/h\n  ^^^^^^^"),
        ("price=3", 4, "--set price: this is in no unit; expected something in USD/h"),
        ("prize=3 USD/h", 3, "unknown parameter 'prize'; expected price"),
        ("price", 2, "--set 'price' is not KEY=VALUE"),
    ],
)
def test_values_are_checked(capsys: pytest.CaptureFixture[str], given: str, code: int, told: str) -> None:
    _, error = out_of(capsys, "explain", "cost_per_million_samples", "--set", given, code=code)
    assert told in error


def test_what_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, error = out_of(capsys, "explain", "samples_per_jule", code=3)
    assert "expected samples_per_joule" in error
    _, error = out_of(capsys, "rank", code=2)
    assert "Did you mean assay metrics explain rank?" in error
    out_of(capsys, "add", str(tmp_path / "none.yaml"), code=3)
    out_of(capsys, "test", str(tmp_path / "none.yaml"), code=1)


def test_add_and_see_it_at_once(capsys: pytest.CaptureFixture[str], home: Path, file: Path) -> None:
    text, _ = out_of(capsys, "add", str(file), "--dry-run")
    assert text == f"mine would be added: {home}/metrics/mine.yaml\n"
    assert not home.exists()
    assert out_of(capsys, "add", str(file))[0] == f"mine added: {home}/metrics/mine.yaml\n"
    assert "is there already" in out_of(capsys, "add", str(file))[0]
    assert row_of(out_of(capsys, "list")[0], "mine")[1:5] == ["kW/node", "lower", "yours", "overhead"]
    text, remarks = out_of(capsys, "explain", "mine")
    assert "2 (default)" in text and remarks == ""
    file.write_text(GOOD.replace("What it is.", "Another."))
    _, error = out_of(capsys, "add", str(file), code=2)
    assert "you have a metric 'mine' already" in error and "--force" in error
    document = json.loads(out_of(capsys, "add", str(file), "--force", "--json")[0])
    assert document == {
        "name": "mine",
        "file": f"{home}/metrics/mine.yaml",
        "written": True,
        "replaces": "yours",
        "breaks": [],
    }


def test_a_mistake_points_at_the_character(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    for expression, told in [
        ("wats * overhead", "unknown name 'wats'; expected watts or task\n  wats * overhead\n  ^^^^"),
        (
            "watts * overhead + mine",
            "mine is made of itself: mine -> mine\n  watts * overhead + mine\n" + " " * 21 + "^^^^",
        ),
        ("watts * overhead / 1 ms", "the metric is said to be in kW/node, and comes out in"),
    ]:
        file.write_text(GOOD.replace("watts * overhead / nodes", expression))
        _, error = out_of(capsys, "add", str(file), code=4)
        assert f"{file}:3: mine: " in error and told in error
        text, _ = out_of(capsys, "test", str(file), code=1)
        assert row_of(text, "draft")[-1] == "FAILED" and told in text
    document = json.loads(out_of(capsys, "test", str(file), "--json", code=1)[0])
    assert document["passed"] is False
    assert document["metrics"][0]["error"]["where"] == f"{file}:3: mine"


def test_examples_are_tested(capsys: pytest.CaptureFixture[str], home: Path, file: Path) -> None:
    text, _ = out_of(capsys, "test")
    assert row_of(text, "samples_per_joule")[1:] == ["4", "ok"]
    assert row_of(out_of(capsys, "test", str(file))[0], "mine")[1:] == ["1", "ok"]
    file.write_text(GOOD.replace("expect: 1 kW/node", "expect: 3"))
    text, _ = out_of(capsys, "test", str(file), code=1)
    assert f"{file}:10: examples.0: expected 3; found 1\n  watts 500 W, nodes 1 nodes\n" in text
    _, error = out_of(capsys, "add", str(file), code=4)
    assert "the example does not come out" in error
    # What is told of a metric does not depend on its examples.
    (home / "metrics").mkdir(parents=True)
    (home / "metrics" / "mine.yaml").write_text(GOOD.replace("nodes: 1", "node: 1"))
    text, remarks = out_of(capsys, "explain", "mine")
    assert "watts * overhead / nodes" in text
    assert "the examples cannot be reckoned" in remarks and "unknown field 'node'" in remarks
    out_of(capsys, "test", code=1)


def test_a_group_and_other_kinds(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    folder = home / "metrics"
    folder.mkdir(parents=True)
    (folder / "typical.yaml").write_text(
        "name: typical\ntitle: t\nexpression: median(watts)\nexamples:\n  - {given: [{watts: 1}, {watts: 3}], expect: 2}\n"
    )
    (folder / "quick.yaml").write_text(
        'name: quick\ntitle: t\nexpression: latency_p99 < 5 ms and category == "edge"\n'
        "examples:\n  - {given: {latency_p99: 1 ms, category: [edge, datacenter]}, expect: true}\n"
    )
    text, _ = out_of(capsys, "explain", "typical")
    assert "all results of a group" in text and "  ->  2 W" in text
    text, _ = out_of(capsys, "explain", "quick")
    assert "latency_p99 1 ms, category edge, datacenter  ->  true" in text
    assert row_of(out_of(capsys, "list")[0], "quick")[1] == "boolean"

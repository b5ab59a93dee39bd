from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from assay.cli import system as module
from assay.cli.main import run
from assay.system.fields import field_list
from assay.system.probe import probe
from assay.system.reader import Reader

COMPLETE = [
    f"--set={pair}"
    for pair in (
        "system_name=Example Box", "status=available", "host_memory_configuration=2x 8 GiB DDR4-3200",
        "host_networking_topology=N/A", "cooling=air", "framework=OpenVINO 2025.1", "operating_system=Linux",
        "host_networking=Ethernet", "host_network_card_count=1",
        "host_storage_capacity=1 TB", "host_storage_type=SSD",
        "host_processor_model_name=X", "host_processors_per_node=1", "host_processor_core_count=2",
        "host_memory_capacity=16 GiB", "accelerators_per_node=0", "accelerator_model_name=N/A",
        "accelerator_memory_capacity=N/A", "accelerator_memory_configuration=N/A",
        "accelerator_host_interconnect=N/A", "accelerator_interconnect=N/A",
    )
]  # fmt: skip
WHO = ["--submitter", "Example", "--division", "open", "--category", "edge"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "systems"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that tells nothing but its name."""
    (tmp_path / "root" / "etc").mkdir(parents=True)
    (tmp_path / "root" / "etc" / "hostname").write_text("quiet box\n")
    monkeypatch.setattr(module, "probe", lambda: probe(Reader(tmp_path / "root", platform="linux")))


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_show_tells_every_fact_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "show", "--json"]) == 0
    facts = document(capsys)
    assert facts["software"]["python"]["source"] == "the running interpreter"
    assert run(["system", "show"]) == 0
    text = capsys.readouterr().out
    assert all(words in text for words in ("Processor", "Instruction sets", "Read from", "the running interpreter"))


def test_init_keeps_an_official_file_and_lists_what_is_missing(
    bare: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["system", "init", "--name", "lab", *WHO, "--set", "cooling=air", "--non-interactive"]) == 0
    captured = capsys.readouterr()
    content = json.loads((home / "lab.json").read_text())
    assert captured.out.splitlines()[-1] == str(home / "lab.json")
    assert (content["submitter"], content["system_type"], content["cooling"]) == ("Example", "edge", "air")
    assert "host_processor_model_name" in captured.out
    assert "assay system edit lab" in captured.err


def test_without_a_name_the_hosts_is_taken(bare: None, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "init", "--json"]) == 0
    result = document(capsys)
    assert result["name"] == "quiet_box"
    assert result["path"] == str(home / "quiet_box.json")
    assert "cooling" in result["missing"]
    assert {problem["field"] for problem in result["problems"]} >= {"cooling", "submitter"}
    assert result["fields"]["number_of_nodes"]["state"] == "probed"


def test_a_complete_description_is_valid(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "init", "--name", "lab", *WHO, *COMPLETE]) == 0
    assert "complete for round v3.1" in capsys.readouterr().err
    assert run(["system", "validate", "lab"]) == 0
    assert "lab: valid for round v3.1" in capsys.readouterr().err
    assert run(["system", "list", "--json"]) == 0
    assert [(row["name"], row["problems"]) for row in document(capsys)] == [("lab", 0)]


def test_init_again_keeps_what_you_gave_and_what_you_wrote_into_the_file(
    bare: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["system", "init", "--name", "lab", *WHO, "--set", "cooling=air"])
    path = home / "lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "number_of_nodes": "4", "rack": "7"}))
    capsys.readouterr()
    assert run(["system", "init", "--name", "lab", "--set", "status=rdi", "--json"]) == 0
    result = document(capsys)
    official = result["official"]
    assert (official["cooling"], official["number_of_nodes"], official["status"]) == ("air", "4", "rdi")
    assert (official["submitter"], official["rack"]) == ("Example", "7")
    assert result["fields"]["number_of_nodes"]["source"] == "written into lab.json"


def test_both_categories_make_the_official_value(bare: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "init", "--category", "edge", "--category", "Datacenter", "--json"]) == 0
    assert document(capsys)["official"]["system_type"] == "datacenter,edge"


def test_on_a_terminal_missing_values_are_asked_for_and_checked(
    bare: None, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"division": ["opne", "open"], "cooling": ["TBD", "water"], "host_networking_topology": [None]}
    asked: list[str] = []

    def prompt(text: str, *, default: str, **_: Any) -> str:
        name = text.partition(":")[0]
        asked.append(name)
        waiting = answers.get(name, [])
        answer = waiting.pop(0) if waiting else ""
        return default if answer is None else answer

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert run(["system", "init", "--name", "lab", "--submitter", "Example"]) == 0
    content = json.loads((home / "lab.json").read_text())
    assert (content["division"], content["cooling"]) == ("open", "water")
    assert content["host_networking_topology"] == "N/A", "the suggestion is taken by an empty line"
    assert asked.count("cooling") == 2
    assert "submitter" not in asked
    assert "host_processor_frequency" not in asked
    assert "expected closed or open or network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["init", "--name", "../evil"], 2, "cannot be the id"),
        (["init", "--set", "coling=air"], 2, "cooling"),
        (["init", "--set", "cooling"], 2, "KEY=VALUE"),
        (["init", "--division", "opne"], 2, "open"),
        (["init", "--round", "v9.9"], 3, "v9.9"),
        (["edit", "nobody", "--set", "cooling=air"], 3, "nobody"),
        (["show", "nobody"], 3, "assay system init"),
        (["validate", "nobody"], 3, "nobody"),
        (["validate", "./none.json"], 3, "none.json"),
        (["validate"], 2, "NAME|FILE"),
    ],
)
def test_wrong_input_has_its_exit_code_and_a_way_on(
    bare: None, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert run(["system", *arguments]) == code
    assert words in capsys.readouterr().err


def test_edit_by_options_validates_afterwards(bare: None, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["system", "init", "--name", "lab", *WHO])
    capsys.readouterr()
    assert run(["system", "edit", "lab", "--set", "cooling=TBD", "--set", "hw_notes=loud"]) == 0
    assert "TBD" in capsys.readouterr().out
    assert json.loads((home / "lab.json").read_text())["hw_notes"] == "loud"


def test_edit_in_an_editor_keeps_every_byte_of_work(
    bare: None, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["system", "init", "--name", "lab", *WHO])
    before = (home / "lab.json").read_text()
    shown: list[str] = []
    edits = ['{"cooling": "wat', '{"cooling": "water", "rack": "7"}', None]

    def edit(text: str, **_: Any) -> str | None:
        shown.append(text)
        return edits.pop(0)

    monkeypatch.setattr(click, "edit", edit)
    assert run(["system", "edit", "lab"]) == 4
    assert "kept" in capsys.readouterr().err
    assert (home / "lab.json").read_text() == before
    assert run(["system", "edit", "lab"]) == 0
    assert shown == [before, '{"cooling": "wat'], "the second edit begins with the draft"
    assert json.loads((home / "lab.json").read_text()) == {"cooling": "water", "rack": "7"}
    assert run(["system", "edit", "lab"]) == 0
    assert json.loads((home / "lab.json").read_text()) == {"cooling": "water", "rack": "7"}


def test_show_of_a_kept_description(bare: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(["system", "init", "--name", "lab", "--set", "cooling=air"])
    capsys.readouterr()
    assert run(["system", "show", "lab"]) == 0
    text = capsys.readouterr().out
    assert "given by you" in text
    assert "empty-allowed" in text
    assert run(["system", "show", "lab", "--json"]) == 0
    assert document(capsys)["fields"]["cooling"] == {
        "value": "air",
        "state": "asked",
        "source": "given by you",
    }


def test_validate_compares_with_the_directories_of_a_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["system", "init", "--name", "lab", *WHO, *COMPLETE])
    folder = tmp_path / "tree" / "closed" / "Other" / "systems"
    folder.mkdir(parents=True)
    kept = json.loads((tmp_path / "home" / "systems" / "lab.json").read_text())
    (folder / "lab.json").write_text(json.dumps({**kept, "surplus": 1}))
    capsys.readouterr()
    assert run(["system", "validate", str(folder / "lab.json"), "lab", "--json"]) == 1
    result = document(capsys)
    assert (result["round"], result["valid"]) == ("v3.1", False)
    found = {(each["field"], each["level"]) for each in result["files"][0]["problems"]}
    assert found == {("submitter", "error"), ("division", "error"), ("surplus", "warning")}
    assert result["files"][1]["problems"] == []


def test_warnings_alone_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["system", "init", "--name", "lab", *WHO, *COMPLETE])
    kept = tmp_path / "home" / "systems" / "lab.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "surplus": 1}))
    capsys.readouterr()
    assert run(["system", "validate", "lab"]) == 0
    captured = capsys.readouterr()
    assert "surplus" in captured.out
    assert "0 errors, 1 warnings" in captured.err


def test_an_empty_list_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["system", "list"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "assay system init" in captured.err


def test_the_list_and_the_fields(bare: None, capsys: pytest.CaptureFixture[str]) -> None:
    run(["system", "init", "--name", "lab", *WHO])
    capsys.readouterr()
    assert run(["system", "list"]) == 0
    assert "lab" in capsys.readouterr().out
    assert run(["system", "fields", "--json", "--round", "v3.0"]) == 0
    rows = {row["field"]: row for row in document(capsys)}
    assert "host_network_card_count" not in rows
    assert rows["cooling"]["may_be_empty"] is True
    assert rows["status"]["may_be_empty"] is False
    assert len(rows) < len(field_list().fields)
    assert run(["system", "fields"]) == 0
    assert "datacenter,edge" in capsys.readouterr().out


def test_a_home_that_cannot_be_written_is_told(bare: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").write_text("in the way")
    assert run(["system", "init", "--name", "lab"]) == 5
    assert "a file stands where a folder is needed" in capsys.readouterr().err

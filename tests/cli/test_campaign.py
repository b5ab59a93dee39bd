from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from assay.cli.campaign import run

from ..campaign.flow.lab import files_of, make_lab, write_form

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lab(home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    make_lab(folder, home)
    return folder


def test_plan_run_status_explain(call: Call, lab: Path, home: Path) -> None:
    file = write_form(lab, division="open")
    code, out, _ = call("campaign", "plan", file)
    assert code == 0 and "colours/SingleStream/performance" in out and "todo" in out
    code, out, _ = call("campaign", "run", file, "--dry-run")
    assert code == 0 and "build" in out and not (lab / "tree").exists()
    code, out, err = call("campaign", "run", file)
    assert code == 0, out + err
    assert out.strip() == str(lab / "tree") and "8 steps were done" in err and "official:" in err
    assert any(name.endswith("mlperf_log_summary.txt") for name in files_of(lab / "tree"))
    code, out, err = call("campaign", "resume", file)
    assert code == 0 and "0 steps were done, 8 were there already" in err
    code, out, err = call("campaign", "run", file, "--dry-run")
    assert code == 0 and "every step is done" in err
    code, out, err = call("campaign", "resume", file, "--again", "SingleStream/perf*,check", "--dry-run")
    assert code == 3 and "no step is 'SingleStream/perf*'" in err and "colours/SingleStream/performance" in err
    code, out, err = call("campaign", "resume", file, "--again", "*/perf*", "--dry-run")
    assert code == 0 and "again: colours/SingleStream/performance" in err
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["again", "stale", "stale", "stale"]
    code, out, err = call("campaign", "run", file, "--again", "failed")
    assert code == 0 and "no step, for none failed" in err and "0 steps were done" in err
    code, out, err = call("campaign", "status", file)
    assert code == 0 and "8 of 8 steps are done" in err
    document = json.loads(call("campaign", "status", file, "--json")[1])
    assert {each["state"] for each in document["steps"]} == {"done"} and document["under_way"] == ""
    assert [len(each["runs"]) for each in document["steps"]] == [0, 0, 0, 1, 1, 0, 0, 0]
    write_form(lab, {"samples": 90}, division="open")
    code, out, _ = call("campaign", "explain", file, "performance")
    assert code == 0 and "inputs have changed" in out and "assay run colours" in out and "check_performance_dir" in out
    code, out, _ = call("campaign", "explain", file, "check")
    assert code == 0 and "build comes first" in out


def test_json_of_a_plan_and_of_a_step(call: Call, lab: Path) -> None:
    file = write_form(lab)
    document = json.loads(call("campaign", "plan", file, "--json")[1])
    assert document["campaign"] == "lab" and document["rehearsal"]
    assert [each["name"] for each in document["steps"]][-3:] == ["build", "check", "report"]
    step = json.loads(call("campaign", "explain", file, "test01", "--json")[1])
    assert step["state"] == "todo" and step["rule"] and step["source"] and step["inputs"] is None


def test_steps_are_completed_by_the_shell(lab: Path) -> None:
    context = click.Context(run)
    (option,) = (each for each in run.params if each.name == "again")
    for which, typed, found in (
        (str(write_form(lab)), "colours/SingleStream/TEST0", "colours/SingleStream/TEST01"),
        (str(lab / "lab.yaml"), "build,chec", "build,check"),
        (str(lab / "none.yaml"), "f", "failed"),
        (None, "f", "failed"),
    ):
        context.params["which"] = which
        assert option.shell_complete(context, typed)[0].value == found


def test_what_is_wrong_with_the_file_is_told(call: Call, lab: Path) -> None:
    code, _, err = call("campaign", "plan", write_form(lab, rehearsal=False))
    assert code == 4 and "for rehearsals" in err
    assert call("campaign", "plan", lab / "none.yaml")[0] == 3
    code, _, err = call("campaign", "explain", write_form(lab), "lunch")
    assert code == 4 and "one of system/box, colours/fetch" in err


def test_a_campaign_from_options_is_kept_and_found_by_its_name(call: Call, lab: Path, home: Path) -> None:
    words = ("campaign", "plan", "--benchmark", "colours", "--category", "edge", "--division", "open", "--rehearsal",
             "-s", "Offline", "--dataset", f"{lab}/photos", "--model", f"{lab}/colours.onnx", "--threads", "1",
             "--field", "retraining=no", "--field", "weight_transformations=none", "--name", "mine")  # fmt: skip
    code, out, err = call(*words, "--duration", "200ms", "--dry-run")
    assert code == 0 and "colours/Offline/performance" in out and not (home / "campaigns" / "mine").exists(), err
    code, out, err = call(*words, "--duration", "200ms")
    assert code == 0 and "go on with: assay campaign run mine" in err
    code, out, err = call("campaign", "run", "mine")
    assert code == 0, err
    assert out.strip() == str(home / "campaigns" / "mine" / "tree")
    code, out, err = call("campaign", "status", "mine")
    assert code == 0 and "8 of 8 steps are done" in err and "made from this machine" in out
    assert "mine" in call("campaign", "list")[1]
    code, _, err = call(*words, "--duration", "300ms")
    assert code == 2 and "--force" in err
    code, _, err = call("campaign", "plan", "mine", "--rehearsal")
    assert code == 2 and "rehearsal" in err
    code, out, _ = call("campaign", "abort", "mine")
    assert code == 0 and "is not running" in out


def test_a_plan_may_be_looked_at_before_anybody_says_who_submits(call: Call, home: Path) -> None:
    words = ("campaign", "plan", "--round", "v3.1", "--benchmark", "bert-99", "--category", "datacenter")
    code, out, err = call(*words, "--division", "closed")
    assert code == 0 and "bert-99/Server/TEST05" in out and "--submitter" in err and "go on with" not in err
    assert not (home / "campaigns").exists()


def test_nothing_to_plan(call: Call, home: Path) -> None:
    code, _, err = call("campaign", "plan")
    assert code == 2 and "--benchmark" in err
    code, _, err = call("campaign", "status", "nowhere")
    assert code == 3 and "unknown campaign" in err

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.journal import Done
from assay.cli import campaign_view as module
from assay.cli.campaign_view import show_list, show_plan, show_status, show_step
from assay.cli.render import Output

from ..campaign.flow.lab import flow_of, make_lab

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lab(home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    make_lab(folder, home)
    return folder


def test_a_plan_tells_times_and_their_sum(lab: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(lab, home)
    show_plan(flow, flow.standings(), Output())
    out, err = capsys.readouterr()
    assert "Expected" in out and "All by then" in out and "system/box" in out
    assert "steps are left: ~" in err and "if it goes on now" in err and "guessed" in err
    show_plan(flow, {}, Output())
    assert "every step is done" in capsys.readouterr().err


def test_a_status_tells_why_it_stopped(lab: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(lab, home, division="open")
    flow.journal.begin("colours/fetch")
    show_status(flow, Output())
    assert "colours/fetch was begun and is not done: its process is gone" in capsys.readouterr().err
    flow.journal.stopped("colours/fetch", "aborted")
    show_status(flow, Output())
    assert "not done: aborted" in capsys.readouterr().err
    show_status(flow, Output(as_json=True))
    document = json.loads(capsys.readouterr().out)
    assert document["why_stopped"] == "aborted" and document["process"] is None and document["guessed"]


def test_a_step_tells_its_rule(lab: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(lab, home)
    step = flow.steps[0]
    flow.journal.done(Done(step.name, "other", "o"))
    show_step(flow, step, Output())
    out = capsys.readouterr().out
    assert "inputs have changed" in out and "check_system_desc_id" in out and "expected" in out


def test_every_outcome_of_a_step_is_told(lab: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(lab, home)
    step = flow.steps[0]
    flow.journal.done(Done(step.name, "other", "o", ("run-1",), note="one"))
    show_step(flow, step, Output())
    assert "history" not in capsys.readouterr().out
    flow.journal.again(step.name)
    show_step(flow, step, Output())
    out = capsys.readouterr().out
    assert "stale: it was asked for again, and not done since" in out and "one; run-1" in out
    flow.journal.done(Done(step.name, "other", "o", ("run-2",), note="two"))
    show_step(flow, step, Output(as_json=True))
    document = json.loads(capsys.readouterr().out)
    assert [each["runs"] for each in document["history"]] == [["run-1"], ["run-2"]] and not document["asked_again"]


def test_a_step_that_stopped_the_campaign_tells_why(lab: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(lab, home)
    step = next(each for each in flow.steps if each.test == "TEST04")
    flow.journal.begin(step.name)
    flow.journal.stopped(step.name, "TEST04 was not passed")
    show_step(flow, step, Output())
    out = capsys.readouterr().out
    assert "stopped      TEST04 was not passed" in out and "do it again  assay campaign run lab\n" in out
    show_step(flow, flow.steps[0], Output(as_json=True))
    assert json.loads(capsys.readouterr().out)["stopped"] == ""


def test_a_failure_is_told_with_what_does_it_again(
    lab: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(lab, home)
    step = next(each for each in flow.steps if each.test == "TEST04")
    monkeypatch.setattr(module, "failures", lambda flow, standings: {step.name: "TEST04 was not passed"})
    show_step(flow, step, Output())
    out = capsys.readouterr().out
    assert "TEST04 was not passed" in out and f"assay campaign run lab --again {step.name}" in out
    show_status(flow, Output())
    assert "to do it again: assay campaign run lab --again failed" in capsys.readouterr().err
    show_status(flow, Output(as_json=True))
    assert json.loads(capsys.readouterr().out)["failed"] == {step.name: "TEST04 was not passed"}


def test_the_list_of_campaigns(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "campaigns" / "bad"
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text("x: 1\n")
    show_list(Settings(home=home), Output(as_json=True))
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "bad" and "campaign.yaml" in row["file"]

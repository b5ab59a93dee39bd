from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.journal import Done
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


def test_the_list_of_campaigns(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "campaigns" / "bad"
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text("x: 1\n")
    show_list(Settings(home=home), Output(as_json=True))
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "bad" and "campaign.yaml" in row["file"]

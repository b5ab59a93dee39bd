"""Campaigns through the real LoadGen: whole, interrupted by a kill at any moment, changed, refused."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assay.base.progress import SILENT
from assay.campaign.flow.carry import carry_out_campaign
from assay.campaign.flow.journal import Journal
from assay.campaign.flow.survey import Flow
from assay.errors import AssayError, MachineError, UsageError
from assay.loadgen.runs import RunCatalogue

from .lab import files_of, flow_of, make_lab, states, write_form

OPEN = {"division": "open"}


def finished(flow: Flow) -> set[str]:
    return {name for name, state in states(flow).items() if state == "done"}


def runs_of(journal: Journal) -> dict[str, tuple[str, ...]]:
    return {name: done[-1].runs for name, done in journal.entries().items()}


def test_a_second_run_does_only_what_changed(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, **OPEN)
    assert carry_out_campaign(flow, SILENT) == [step.name for step in flow.steps]
    assert carry_out_campaign(flow, SILENT) == []
    listing, report = (lab / "tree.sha256").read_bytes(), home / "campaigns" / "lab" / "report.md"
    assert "not to be submitted" in report.read_text() and "colours/SingleStream/performance" in report.read_text()
    shutil.rmtree(lab / "tree")
    assert carry_out_campaign(flow, SILENT) == ["build"]
    assert (lab / "tree.sha256").read_bytes() == listing
    changed = flow_of(lab, home, {"samples": 70}, **OPEN)
    assert carry_out_campaign(changed, SILENT) == ["colours/SingleStream/performance", "build", "check", "report"]
    assert (lab / "tree.sha256").read_bytes() != listing
    # A run that somebody deleted is made again.
    accuracy = runs_of(flow.journal)["colours/SingleStream/accuracy"][0]
    shutil.rmtree(home / "runs" / accuracy)
    assert "colours/SingleStream/accuracy" not in finished(changed)


def test_a_tree_of_somebody_elses_stays(lab: Path, home: Path) -> None:
    (lab / "tree" / "open").mkdir(parents=True)
    (lab / "tree.sha256").write_text("")
    with pytest.raises(UsageError, match="there already"):
        carry_out_campaign(flow_of(lab, home, **OPEN), SILENT)
    assert not (home / "runs").exists()


def test_two_processes_do_not_carry_out_one_campaign(lab: Path, home: Path) -> None:
    from assay.base.files import locked

    flow = flow_of(lab, home, **OPEN)
    with locked(flow.journal.folder / "lock"), pytest.raises(MachineError, match="another process"):
        carry_out_campaign(flow, SILENT)


def test_what_may_not_be_submitted_stops_a_campaign_that_is_no_rehearsal(lab: Path, home: Path) -> None:
    # The open division takes a model of one's own, and no dataset of one's own: its label stays.
    flow = flow_of(lab, home, {"duration": None, "samples": None}, division="open", rehearsal=False)
    with pytest.raises(AssayError, match="cannot be submitted") as caught:
        carry_out_campaign(flow, SILENT)
    assert "custom-dataset" in caught.value.what and "assay runs show" in str(caught.value.hint)
    assert finished(flow) == {"colours/fetch"} and flow.journal.under_way() == "colours/SingleStream/accuracy"


def start(lab: Path, home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ASSAY_HOME": str(home), "ASSAY_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "assay", "campaign", "run", str(lab / "lab.yaml"), "-q"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_at(lab: Path, home: Path, seconds: float) -> bool:
    """Start the campaign and kill its process, and nothing else; whether it was still at work."""
    process = start(lab, home)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        # What it started ends of itself.
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive
        return True
    return False


def survive(lab: Path, home: Path, moments: list[float]) -> None:
    """Kill at each moment, resume to the end, and see that nothing finished was repeated."""
    journal = Journal(home / "campaigns" / "lab")
    for seconds in moments:
        before = journal.entries()
        kill_at(lab, home, seconds)
        after = journal.entries()
        assert {name: done for name, done in after.items() if name in before} == before, moments
    process = start(lab, home)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 0, (moments, error)
    assert {name: len(done) for name, done in journal.entries().items() if len(done) > 1} == {}, moments
    # Each kill loses one run at most.
    statuses = [record.status.value for record in RunCatalogue(home / "runs").records()]
    noted = [run for runs in runs_of(journal).values() for run in runs]
    assert len(statuses) <= len(noted) + len(moments), (moments, statuses)


def whole_tree(tmp_path: Path, **changes: str) -> list[str]:
    """The files of the tree of the same campaign that nobody disturbed."""
    lab, home = tmp_path / "undisturbed" / "lab", tmp_path / "undisturbed" / "home"
    make_lab(lab, home)
    carry_out_campaign(flow_of(lab, home, **changes), SILENT)
    return files_of(lab / "tree")


def test_a_killed_campaign_is_resumed(lab: Path, home: Path, tmp_path: Path) -> None:
    write_form(lab, **OPEN)
    began = time.monotonic()
    expected = whole_tree(tmp_path, **OPEN)
    length = time.monotonic() - began
    survive(lab, home, [random.uniform(0.3, length + 0.5)])
    assert files_of(lab / "tree") == expected


@pytest.mark.slow
def test_a_campaign_with_compliance_tests_is_killed_at_many_moments(lab: Path, home: Path, tmp_path: Path) -> None:
    write_form(lab)
    expected = whole_tree(tmp_path)
    survive(lab, home, [random.uniform(0.5, 5.0) for _ in range(6)])
    found = files_of(lab / "tree")
    assert found == expected
    assert {each.split("/")[-1] for each in found} >= {"verify_accuracy.txt", "verify_performance.txt"}

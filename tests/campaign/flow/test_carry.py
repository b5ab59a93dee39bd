"""Campaigns through the real LoadGen: whole, interrupted by a kill at any moment, changed, refused."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from assay.base.progress import SILENT
from assay.campaign.flow.again import failures, steps_again
from assay.campaign.flow.carry import carry_out_campaign
from assay.campaign.flow.journal import Journal
from assay.campaign.flow.running import interrupt, owner
from assay.campaign.flow.survey import Flow
from assay.errors import AssayError, MachineError, UsageError
from assay.loadgen.runs import RunCatalogue

from .lab import ENTRY, files_of, flow_of, make_lab, states, write_form

OPEN = {"division": "open"}
PROGRAM = Path(__file__).parents[2] / "programs" / "stand-in.yaml"


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
    assert (
        finished(flow) == {"system/box", "colours/fetch", "colours/prepare"}
        and flow.journal.under_way() == "colours/SingleStream/accuracy"
    )


def test_a_program_of_others_and_a_second_setting_stand_in_one_tree(lab: Path, home: Path) -> None:
    words = {"python": sys.executable}
    theirs = {**ENTRY, "label": "theirs", "system": "./box-2.json", "implementation": str(PROGRAM), "threads": 0,
              "implementation_options": words, "target_latency": {"SingleStream": "500us"}}  # fmt: skip
    (lab / "box-2.json").write_text((lab / "box.json").read_text())
    # What a program loads is not seen, and so told by whoever runs it.
    told = ("retraining", "weight_transformations", "input_data_types", "weight_data_types")
    flow = flow_of(lab, home, entries=[ENTRY, theirs], fields=dict.fromkeys(told, "no"), **OPEN)
    assert carry_out_campaign(flow, SILENT) == [step.name for step in flow.steps]
    found = files_of(lab / "tree")
    for system in ("box", "box-2"):
        assert f"open/Acme/results/{system}/resnet/SingleStream/accuracy/accuracy.txt" in found
        assert f"open/Acme/systems/{system}.json" in found
    report = (home / "campaigns" / "lab" / "report.md").read_text()
    assert "theirs/SingleStream/performance" in report and "./box-2.json" in report


def test_whoever_wants_to_know_is_told(lab: Path, home: Path) -> None:
    listen = "import pathlib, sys; pathlib.Path('told.jsonl').open('a').write(sys.stdin.read())"
    flow = flow_of(lab, home, notify=[sys.executable, "-c", listen], **OPEN)
    carry_out_campaign(flow, SILENT)
    events = [json.loads(line) for line in (lab / "told.jsonl").read_text().splitlines()]
    assert [each["event"] for each in events] == ["step"] * len(flow.steps) + ["end"]
    assert events[0]["step"] == "system/box" and events[-1]["steps_done"] == len(flow.steps)
    assert events[0]["seconds_left"] > 0 == events[-1]["seconds_left"]
    # A hook that fails changes nothing; one that is told of a failure gets the error.
    (lab / "told.jsonl").unlink()
    assert carry_out_campaign(flow_of(lab, home, notify=["./none"], **OPEN), SILENT) == []
    broken = flow_of(lab, home, {"samples": 61}, **OPEN)
    (lab / "colours.onnx").write_bytes(b"no model")
    with pytest.raises(AssayError):
        carry_out_campaign(broken, SILENT, notify=(sys.executable, "-c", listen))
    (event,) = [json.loads(line) for line in (lab / "told.jsonl").read_text().splitlines()]
    assert event["event"] == "failed" and event["error"]["what"] and event["step"] == broken.journal.under_way()
    assert broken.journal.why_stopped()


def test_a_campaign_is_aborted_from_elsewhere_and_resumed(lab: Path, home: Path) -> None:
    write_form(lab, {"duration": "60s"}, **OPEN)
    folder = home / "campaigns" / "lab"
    journal, runs = Journal(folder), RunCatalogue(home / "runs")
    process = start(lab, home)
    try:
        # The run itself, and not the probe before it.
        wait_for(lambda: any(each.status.value == "running" and each.mode == "performance" for each in runs.records()))
        journal.abort("the test")
        assert interrupt(folder, wait_s=30)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        process.communicate()
    assert journal.why_stopped() == "aborted" and owner(folder) is None
    (interrupted,) = [each for each in runs.records() if each.status.value != "finished"]
    assert interrupted.status.value == "interrupted"
    flow = flow_of(lab, home, **OPEN)
    left = carry_out_campaign(flow, SILENT)
    assert left == ["colours/SingleStream/performance", "build", "check", "report"]


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


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


@pytest.mark.slow
def test_a_tree_with_simulated_power(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, {"duration": "3s"}, power="simulate", **OPEN)
    carry_out_campaign(flow, SILENT)
    found = files_of(lab / "tree")
    place = "open/Acme/results/box/resnet/SingleStream/performance"
    assert {f"{place}/power/client.json", f"{place}/ranging/spl.txt", f"{place}/run_1/spl.txt"} <= set(found)


@pytest.mark.slow
def test_the_rate_of_a_program_of_others_is_searched(lab: Path, home: Path) -> None:
    theirs = {**ENTRY, "implementation": str(PROGRAM), "threads": 0, "implementation_options": {"python": sys.executable},
              "scenarios": ["Server"], "target_latency": {"Server": "50ms"}, "duration": "1s", "rate_tolerance": 0.5,
              "samples": None}  # fmt: skip
    told = ("retraining", "weight_transformations", "input_data_types", "weight_data_types")
    flow = flow_of(lab, home, entries=[theirs], fields=dict.fromkeys(told, "no"), category="datacenter", **OPEN)
    carry_out_campaign(flow, SILENT)
    place, runs = "colours/Server", runs_of(flow.journal)
    assert runs[f"{place}/find-rate"] == runs[f"{place}/performance"] != ()
    record = RunCatalogue(home / "runs").read(runs[f"{place}/performance"][0])
    assert record.backend_name == "stand-in" and record.verdict is not None and record.verdict.valid
    rate = flow.journal.entries()[f"{place}/find-rate"][0].output
    assert float(rate) == pytest.approx(float(record.settings["target_qps"]), rel=1e-4)
    assert "open/Acme/results/box/resnet/Server/performance/run_1/mlperf_log_summary.txt" in files_of(lab / "tree")


@pytest.mark.slow
def test_a_test_that_failed_in_a_rehearsal_is_done_again(lab: Path, home: Path) -> None:
    theirs = {**ENTRY, "implementation": str(PROGRAM), "threads": 0, "target_latency": {"SingleStream": "500us"},
              "implementation_options": {"python": sys.executable, "misbehave": "wrong"}}  # fmt: skip
    told = ("retraining", "weight_transformations", "input_data_types", "weight_data_types")
    flow = flow_of(lab, home, entries=[theirs], fields=dict.fromkeys(told, "no"))
    carry_out_campaign(flow, SILENT)
    test = "colours/SingleStream/TEST01"
    assert test in failures(flow, flow.standings())
    assert steps_again(flow, ("failed",)) == tuple(failures(flow, flow.standings()))
    again = carry_out_campaign(flow, SILENT, again=steps_again(flow, ("*TEST01",)))
    assert again[:2] == [test, "build"] and "colours/SingleStream/performance" not in again
    first, second = flow.journal.entries()[test]
    assert first.note == second.note == "TEST01 was not passed" and first.runs != second.runs
    # One that was passed, as it is where nothing else keeps the machine busy, is run once more, too.
    assert carry_out_campaign(flow, SILENT, again=("colours/SingleStream/TEST04",))[0] == "colours/SingleStream/TEST04"
    first, second = flow.journal.entries()["colours/SingleStream/TEST04"]
    assert first.runs != second.runs


@pytest.mark.slow
def test_a_program_of_others_passes_the_compliance_tests(lab: Path, home: Path) -> None:
    theirs = {**ENTRY, "implementation": str(PROGRAM), "threads": 0, "implementation_options": {"python": sys.executable},
              "target_latency": {"SingleStream": "500us"}}  # fmt: skip
    told = ("retraining", "weight_transformations", "input_data_types", "weight_data_types")
    flow = flow_of(lab, home, entries=[theirs], fields=dict.fromkeys(told, "no"))
    carry_out_campaign(flow, SILENT)
    found = files_of(lab / "tree")
    for test in ("TEST01", "TEST04", "TEST05"):
        assert f"closed/Acme/compliance/box/resnet/SingleStream/{test}/verify_performance.txt" in found

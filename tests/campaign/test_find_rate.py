"""The search for the Server rate through the real LoadGen, on an engine whose work is a sleep."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.base.progress import SILENT
from assay.base.settings import Settings, child_environment
from assay.campaign import find_rate, search_attempt, search_inputs
from assay.campaign.find_rate import Searched, carry_out_search, find_server_rate, what_is_kept
from assay.campaign.search_plan import SearchPlan
from assay.errors import AssayError
from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.search import Found

from .searched import PLUGIN, planned, sleeping_home

CAPACITY = 250.0
"""Of the sleeping engine, in queries a second."""


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return sleeping_home(home, monkeypatch)


@pytest.mark.slow
def test_attempts_are_runs_and_the_trace_is_kept(settings: Settings, classifier: Path, pictures: Path) -> None:
    told: list[Tried] = []
    searched = carry_out_search(planned(settings, classifier, pictures), settings, SILENT, told.append)
    found = searched.found
    assert tuple(told) == found.tried
    # A busy machine holds less; none holds more than the engine can do but for what a second hides.
    assert found.rate is not None and found.rate < CAPACITY * 1.5
    assert found.missed is not None
    records = {record.id: record for record in RunCatalogue(settings.runs_dir).records()}
    assert {each.attempt.run for each in found.tried} == set(records)
    for each in found.tried:
        record = records[each.attempt.run]
        assert record.settings["server_target_qps"] == each.attempt.rate
        assert record.figures.queries == each.attempt.queries
    assert searched.report is not None and "queries/s, " in searched.report.read_text()
    trace = json.loads(searched.trace.read_text())
    assert [each["run"] for each in trace["attempts"]] == [each.attempt.run for each in found.tried]
    assert trace["found"]["rate"] == found.rate and trace["search"]["aim"]["tolerance"] == 0.5
    words = shlex.split(searched.command)
    assert words[words.index("--duration") + 1] == "600ms"
    assert float(words[words.index("--target-qps") + 1]) == found.rate
    if found.confirmed:
        best = records[trace["found"]["run"]]
        assert best.verdict is not None and best.verdict.valid and best.settings["min_duration_ms"] == 600


def test_what_was_measured_before_an_interrupt_is_kept(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out = search_attempt.carry_out
    calls = 0

    def interrupted(*arguments: Any) -> list[RunRecord]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise KeyboardInterrupt
        return carry_out(*arguments)

    monkeypatch.setattr(search_attempt, "carry_out", interrupted)
    told: list[Tried] = []
    with pytest.raises(KeyboardInterrupt):
        carry_out_search(planned(settings, classifier, pictures, start=None), settings, SILENT, told.append)
    (trace,) = (settings.home / "searches").glob("*.json")
    kept = json.loads(trace.read_text())
    (record,) = RunCatalogue(settings.runs_dir).records()
    assert [each["run"] for each in kept["attempts"]] == [record.id] == [each.attempt.run for each in told]
    # The first rate was the one of the probe.
    assert told[0].attempt.rate == pytest.approx(float(record.settings["server_target_qps"]), rel=1e-4)
    assert kept["found"] is None
    assert "The search was interrupted" in trace.with_suffix(".html").read_text()


class Heard:
    """Progress that remembers what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Any:
        return SILENT.start(label, total=total, unit=unit)

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_an_interrupted_search_goes_on_with_the_next_attempt(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[float] = []
    most = 3

    def attempt(plan: SearchPlan, rate: float, seconds: float, *_: object) -> Attempt:
        if len(made) == most:
            raise KeyboardInterrupt
        made.append(rate)
        late = 0 if rate < 120 else 500
        return Attempt(rate, seconds, 1000, late, rate, not late, run=f"run-{len(made)}")

    monkeypatch.setattr(find_rate, "attempt_at", attempt)
    monkeypatch.setattr(find_rate, "_finished", lambda *_: True)
    plan = planned(settings, classifier, pictures, tolerance=0.02)
    heard = Heard()
    for calls in (3, 6):
        most = calls
        with pytest.raises(KeyboardInterrupt):
            carry_out_search(plan, settings, heard, lambda tried: None)
    (trace,) = (settings.home / "searches").glob("*.json")
    runs = [each["run"] for each in json.loads(trace.read_text())["attempts"]]
    assert runs == [f"run-{number}" for number in range(1, 7)]
    (line,) = (line for line in heard.lines if "goes on" in line)
    assert line.startswith("the search of 20") and line.endswith("UTC goes on after 3 attempts")
    assert heard.lines[0] == "bracket: 100/s for 300 ms, 0.00% late: undecided"
    # Without the interrupt the same rates are asked for; --fresh knows nothing of what was kept.
    most = 12
    with pytest.raises(KeyboardInterrupt):
        carry_out_search(plan, settings, SILENT, lambda tried: None, fresh=True)
    assert made[6:] == made[:6]


def test_a_newer_assay_goes_on_with_what_was_measured(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[float, float]] = []
    most = 3

    def attempt(plan: SearchPlan, rate: float, seconds: float, *_: object) -> Attempt:
        if len(made) == most:
            raise KeyboardInterrupt
        made.append((rate, seconds))
        late = 0 if rate < 120 else 500
        return Attempt(rate, seconds, 1000, late, rate, not late, run=f"run-{len(made)}")

    monkeypatch.setattr(find_rate, "attempt_at", attempt)
    monkeypatch.setattr(find_rate, "_finished", lambda *_: True)
    monkeypatch.setattr(find_rate, "best_attempt", lambda found: None)  # its run is made up
    plan = planned(settings, classifier, pictures, tolerance=0.1)
    with pytest.raises(KeyboardInterrupt):
        carry_out_search(plan, settings, SILENT, lambda tried: None)
    (trace,) = (settings.home / "searches").glob("*.json")
    # As an older assay left it.
    values = json.loads(trace.read_text())
    trace.write_text(json.dumps({**values, "assay": "0.0.1"}))
    said = what_is_kept(plan, settings)
    heard, most = Heard(), 1000
    searched = carry_out_search(plan, settings, heard, lambda tried: None)
    assert heard.lines[0].endswith(
        "goes on after 3 attempts, kept from assay 0.0.1: what they were measured on is the same"
    )
    assert said == heard.lines[0] and what_is_kept(plan, settings) == ""
    assert searched.trace == trace and searched.kept == 3
    assert len(made) == len(searched.runs) and searched.runs[:3] == ("run-1", "run-2", "run-3")
    # An engine of another version is another measurement, and the search says so.
    most = len(made) + 1
    with pytest.raises(KeyboardInterrupt):
        carry_out_search(plan, settings, SILENT, lambda tried: None)
    known = search_inputs.versions()
    monkeypatch.setattr(search_inputs, "versions", lambda: {**known, "onnxruntime": "another"})
    heard, most = Heard(), 1000
    again = carry_out_search(plan, settings, heard, lambda tried: None)
    assert "cannot be gone on with, so it begins anew: programs: onnxruntime was" in heard.lines[0]
    assert again.kept == 0 and again.trace != trace


def test_a_run_of_a_trace_is_looked_for_among_the_runs_only(settings: Settings, tmp_path: Path) -> None:
    catalogue = RunCatalogue(settings.runs_dir)
    for name in ("", "..", "../elsewhere", str(tmp_path), "no-such-run"):
        assert not find_rate._finished(catalogue, name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_keeps_what_was_measured_and_the_same_command_goes_on(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    command = [
        sys.executable, "-m", "assay", "find-rate", "colours", "--model", str(classifier), "--dataset", str(pictures),
        "--backend", "cheat", "--duration", "600ms", "--target-latency", "50ms", "--attempt-duration", "300ms",
        "--tolerance", "50%", "--start-qps", "150",
    ]  # fmt: skip
    source = Path(assay.__file__).parents[1]
    environment = child_environment(PYTHONPATH=os.pathsep.join((str(source), str(PLUGIN))), ASSAY_OFFLINE="1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 240
    searches = settings.home / "searches"
    while time.monotonic() < deadline and process.poll() is None and not list(searches.glob("*.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and "the same command goes on from here" in errors
    (trace,) = searches.glob("*.json")
    kept = [each["run"] for each in json.loads(trace.read_text())["attempts"]]
    assert kept and all(run in out for run in kept) and trace.with_suffix(".html").exists()
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, env=environment, check=False)
    assert again.returncode in (0, 1), again.stderr
    found = json.loads(again.stdout)
    assert (found["trace"], found["report"]) == (str(trace), str(trace.with_suffix(".html")))
    runs = [each["run"] for each in found["attempts"]]
    assert runs[: len(kept)] == kept and len(runs) > len(kept)
    finished = [each for each in RunCatalogue(settings.runs_dir).records() if each.status is RunStatus.FINISHED]
    assert sorted(each.id for each in finished) == sorted(runs)


def test_whoever_goes_on_with_the_rate_gets_the_run_or_an_error(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = (Attempt(80.0, length, 800, 1, 79.9, True, run=f"of {length:g} s") for length in (10.0, 600.0))
    tried = (Tried(short, Step.BRACKET, Judged.HELD), Tried(long, Step.CONFIRM, Judged.HELD))
    request = planned(settings, classifier, pictures).plan.request
    answer = Searched(Found(80.0, True, 81.6, tried), Path("trace.json"), "assay run")
    monkeypatch.setattr(find_rate, "carry_out_search", lambda *_, **__: answer)
    found = find_server_rate(request, settings)
    assert (found.rate, found.run, found.runs) == (80.0, "of 600 s", ("of 10 s", "of 600 s"))
    answer = Searched(Found(80.0, False, 81.6, tried[:1], "the search ended after 1 attempts"), Path("trace.json"), "")
    with pytest.raises(AssayError, match="no rate was found") as caught:
        find_server_rate(request, settings)
    assert (caught.value.where, caught.value.found) == ("trace.json", "the search ended after 1 attempts")

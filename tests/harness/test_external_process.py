"""Programs that end, fail, hang and leave children behind, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from assay.base.progress import SILENT
from assay.harness.external.command import Invocation
from assay.harness.external.process import OUTPUT_LOG, execute_foreign, run_program
from assay.harness.outcome import Ending, Outcome


def invoke(folder: Path, *command: str, seconds: float | None = None, **environment: str) -> Invocation:
    values: Mapping[str, str] = environment
    limit = None if seconds is None else round(seconds * 1e9)
    return Invocation(command, folder, values, folder / "out", folder / "out" / "logs", limit)


def go(folder: Path, *command: str, seconds: float | None = None, **environment: str) -> Outcome:
    return execute_foreign(invoke(folder, *command, seconds=seconds, **environment), folder, label="x", progress=SILENT)


def test_logs_are_taken_as_they_are(tmp_path: Path) -> None:
    script = 'cd "$WHERE"; printf "a\\r\\n" > mlperf_log_summary.txt; printf b > mlperf_log_detail.txt; echo said'
    outcome = go(tmp_path, "sh", "-c", script, WHERE=str(tmp_path / "out" / "logs"))
    assert outcome.ending is Ending.FINISHED
    assert (tmp_path / "mlperf_log_summary.txt").read_bytes() == b"a\r\n"
    assert (tmp_path / "mlperf_log_detail.txt").read_bytes() == b"b"
    assert (tmp_path / OUTPUT_LOG).read_text() == "said\n"
    assert outcome.timings_s["run"] > 0
    assert outcome.peak_memory > 1 << 18
    assert not (tmp_path / "peak_memory.txt").exists()


def test_a_failure_is_told_with_status_place_and_last_words(tmp_path: Path) -> None:
    outcome = go(tmp_path, "sh", "-c", "echo loading; echo 'model.onnx: cannot open' >&2; exit 3")
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    assert outcome.failure.what == "sh left with exit status 3; it said: model.onnx: cannot open"
    assert outcome.failure.where == str(tmp_path / OUTPUT_LOG)
    assert "loading\nmodel.onnx: cannot open" in str(outcome.failure.hint)


def test_no_logs_are_a_failure_that_says_what_is_there(tmp_path: Path) -> None:
    outcome = go(tmp_path, "sh", "-c", "echo > out/notes.txt")
    assert outcome.failure is not None
    assert "left no mlperf_log_summary.txt and no mlperf_log_detail.txt" in outcome.failure.what
    assert outcome.failure.found == "notes.txt"


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    outcome = go(tmp_path, "sleep", "600", seconds=0.3)
    assert outcome.failure is not None
    assert outcome.failure.what == "it did not end within its time limit of 300 ms"


def test_what_a_program_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    script = "trap '' INT TERM; sleep 600 & echo $! > child.txt; exit 0"
    code, late = run_program(invoke(tmp_path, "sh", "-c", script), tmp_path / "log", lambda: None)
    assert (code, late) == (0, False)
    assert gone(int((tmp_path / "child.txt").read_text()))


def test_an_interrupt_ends_the_whole_group(tmp_path: Path) -> None:
    child = tmp_path / "child.txt"
    script = "sleep 600 & echo $! > child.txt; wait"

    def look() -> None:
        if child.is_file() and child.read_text().strip():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program(invoke(tmp_path, "sh", "-c", script), tmp_path / "log", look)
    assert gone(int(child.read_text()))


def gone(number: int) -> bool:
    for _ in range(500):
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False

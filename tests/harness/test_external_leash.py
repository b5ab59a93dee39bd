"""The leash is a process; it is tested as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from assay.harness.external.leash import leashed

LEASH = [sys.executable, "-P", "-m", "assay.harness.external.leash"]


def started(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*LEASH, str(folder), *command], stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def ended(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for the end with the pipe held open; what was said."""
    process.wait(timeout=20)
    _, err = process.communicate()
    return err


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("line", "code"), [("exit 3", 3), ("kill -9 $$", -9), ("kill -15 $$", -15), ("exit 200", 200)])
def test_it_ends_as_the_program_ended(tmp_path: Path, line: str, code: int) -> None:
    process = started(tmp_path, "sh", "-c", line)
    ended(process)
    assert process.returncode == code


def test_the_program_is_started_in_its_folder_whatever_lies_there(tmp_path: Path) -> None:
    (tmp_path / "signal.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "assay.py").write_text("raise SystemExit('the wrong module')")
    process = started(tmp_path, "sh", "-c", "pwd > where.txt")
    ended(process)
    assert process.returncode == 0
    assert (tmp_path / "where.txt").read_text().strip() == str(tmp_path)


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    process = started(tmp_path, "no-such-program-here")
    err = ended(process)
    assert process.returncode == 127
    assert b"no-such-program-here cannot be started: No such file" in err


def test_when_the_other_end_is_gone_so_is_the_whole_group(tmp_path: Path) -> None:
    process = started(tmp_path, "sh", "-c", "trap '' INT TERM; sleep 600 & echo $! > child.txt; wait")
    child = tmp_path / "child.txt"
    until(lambda: child.is_file() and child.read_text().strip() != "")
    number = int(child.read_text())
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == -signal.SIGKILL
    until(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    if process.stderr is not None:
        process.stderr.close()


def test_what_is_not_of_the_group_is_ended_by_its_own_command(tmp_path: Path) -> None:
    words = ["--afterwards", json.dumps(["sh", "-c", f"echo > {tmp_path}/ended.txt"])]
    process = subprocess.Popen(
        [*LEASH, *words, str(tmp_path), "sleep", "600"], stdin=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == -signal.SIGKILL
    assert (tmp_path / "ended.txt").is_file()


def test_the_largest_memory_is_told(tmp_path: Path) -> None:
    peak = tmp_path / "peak.txt"
    process = subprocess.Popen(
        [*leashed((), peak), str(tmp_path), "true"], stdin=subprocess.PIPE, start_new_session=True
    )
    process.wait(timeout=20)
    process.communicate()
    assert int(peak.read_text()) > 1 << 18


def test_the_groups_signals_are_for_the_program(tmp_path: Path) -> None:
    process = started(tmp_path, "sh", "-c", "trap 'exit 7' INT; echo > ready.txt; while :; do sleep 0.05; done")
    until((tmp_path / "ready.txt").is_file)
    os.killpg(process.pid, signal.SIGINT)
    ended(process)
    assert process.returncode == 7

"""A program that ends with its parent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import assay
from assay.power.tied import tied

SOURCE = Path(assay.__file__).parents[1]


def test_it_is_the_program_and_nothing_between() -> None:
    script = "import os, sys; print(os.getpid(), sys.argv[1:])"
    process = subprocess.Popen(tied([sys.executable, "-c", script, "a", "b c"]), stdout=subprocess.PIPE, text=True)
    told, _ = process.communicate(timeout=30)
    assert told == f"{process.pid} ['a', 'b c']\n"
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_it_dies_with_its_parent_however_that_dies() -> None:
    child = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    parent = (
        "import subprocess, sys, time; from assay.power.tied import tied; "
        f"process = subprocess.Popen(tied({child!r})); print(process.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    )
    assert process.stdout is not None
    with process.stdout:
        below = psutil.Process(int(process.stdout.readline()))
        assert process.stdout.readline() == "up\n"
        process.kill()
        process.wait()
    below.wait(timeout=10)
    assert not below.is_running()


def test_a_parent_that_is_gone_already() -> None:
    process = subprocess.run(
        [sys.executable, "-P", "-m", "assay.power.tied", "1", "15", sys.executable, "-c", "print('here')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (0, "") or os.getpid() == 1


def test_no_such_program() -> None:
    done = subprocess.run(tied(["/no/such/program"]), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "FileNotFoundError" in done.stderr

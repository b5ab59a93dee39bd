from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assay.harness.control import Control


def test_stop_is_heard_once_and_the_end_of_the_pipe_means_abandoned() -> None:
    heard: list[str] = []
    done = threading.Event()

    def abandoned() -> None:
        heard.append("abandoned")
        done.set()

    control = Control(io.BytesIO(b"noise\nstop\nstop\n"), lambda: heard.append("stop"), abandoned)
    control.start()
    assert done.wait(10)
    assert heard == ["stop", "abandoned"]
    assert control.stopped


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is signalled on Linux")
def test_a_worker_dies_with_its_parent() -> None:
    child = "from assay.harness.control import die_with_parent; import os, time; die_with_parent(); print(os.getpid(), flush=True); time.sleep(60)"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                break
            os.kill(pid, 0)
        except OSError:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the worker outlived its parent")

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from assay.base.files import write_json
from assay.campaign.flow.running import disown, interrupt, own, owner

SLEEP = """
import signal, sys, time
from assay.campaign.flow.running import stopped_in_order
signal.signal(signal.SIGINT, signal.SIG_IGN)  # As a program that a script put in the background.
try:
    with stopped_in_order():
        print("up", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
"""


def test_who_carries_it_out(tmp_path: Path) -> None:
    assert owner(tmp_path) is None
    own(tmp_path)
    assert owner(tmp_path) == psutil.Process().pid
    noted = json.loads((tmp_path / "owner.json").read_text())
    # The number was given to another process since.
    write_json(tmp_path / "owner.json", {**noted, "started": noted["started"] - 100})
    assert owner(tmp_path) is None
    disown(tmp_path)
    disown(tmp_path)
    for text in ("", "[]", '{"pid": "x"}', '{"pid": 1e400, "started": 0}'):
        (tmp_path / "owner.json").write_text(text)
        assert owner(tmp_path) is None


def test_it_is_stopped_as_by_ctrl_c(tmp_path: Path) -> None:
    assert interrupt(tmp_path, wait_s=0)
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        started = psutil.Process(process.pid).create_time()
        write_json(tmp_path / "owner.json", {"pid": process.pid, "started": started})
        assert owner(tmp_path) == process.pid
        assert interrupt(tmp_path, wait_s=20)
        assert process.wait(timeout=10) == 7


def test_what_does_not_end_is_told(tmp_path: Path) -> None:
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        started = psutil.Process(process.pid).create_time()
        write_json(tmp_path / "owner.json", {"pid": process.pid, "started": started})
        assert not interrupt(tmp_path, wait_s=0.3)
        process.send_signal(signal.SIGKILL)

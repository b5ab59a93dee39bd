from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from assay.campaign.flow.notify import Hook


def told(folder: Path, script: str, limit_s: float = 20.0) -> list[str]:
    """Tell a Python program of one event; the complaints."""
    complaints: list[str] = []
    Hook((sys.executable, "-c", script), folder, complaints.append, limit_s).tell("step", {"step": "x/fetch"})
    return complaints


def test_the_program_gets_one_document_on_its_stdin(tmp_path: Path) -> None:
    assert told(tmp_path, "import sys, pathlib; pathlib.Path('got.json').write_text(sys.stdin.read())") == []
    assert json.loads((tmp_path / "got.json").read_text()) == {"format": 1, "event": "step", "step": "x/fetch"}


def test_whatever_it_does_is_a_complaint_and_no_more(tmp_path: Path) -> None:
    assert told(tmp_path, "raise SystemExit(3)") == [f"{sys.executable} could not be told of step: exit code 3"]
    complaints: list[str] = []
    Hook((str(tmp_path / "none"),), tmp_path, complaints.append).tell("end", {})
    Hook((), tmp_path, complaints.append).tell("end", {})
    assert len(complaints) == 1 and "No such file" in complaints[0]


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    began = time.monotonic()
    (complaint,) = told(tmp_path, script, limit_s=0.5)
    assert "more than 0.5 s" in complaint and time.monotonic() - began < 10

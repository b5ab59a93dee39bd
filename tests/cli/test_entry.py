from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay import __version__
from assay.cli.entry import main


def test_the_version_is_answered_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--version", "-V"):
        monkeypatch.setattr(sys, "argv", ["assay", flag])
        assert main() == 0
        assert capsys.readouterr().out == f"assay {__version__}\n"


def test_everything_else_goes_to_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["assay", "no-such-verb"])
    assert main() == 2
    assert "no-such-verb" in capsys.readouterr().err


def test_as_a_module_and_as_a_script() -> None:
    for command in ([sys.executable, "-m", "assay"], [str(Path(sys.executable).parent / "assay")]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == f"assay {__version__}\n"
        assert subprocess.run([*command, "nonsense"], capture_output=True, check=False).returncode == 2


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m assay system show --json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr

"""Work that is a command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.errors import NotFoundError, RunFailedError
from assay.power.command import Command
from assay.power.phase import Phase


def test_it_is_run_without_a_shell(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    command = Command.of([sys.executable, "-c", code, str(tmp_path / "a"), "$HOME; rm"], tmp_path)
    assert command(Phase.RANGING) == tmp_path
    assert (tmp_path / "a").read_text() == "$HOME; rm"


def test_failures_are_told(tmp_path: Path) -> None:
    with pytest.raises(RunFailedError, match="the work failed; found exit code 3"):
        Command.of([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)(Phase.RANGING)
    with pytest.raises(NotFoundError, match="cannot run the work"):
        Command.of([str(tmp_path / "none")], tmp_path)(Phase.RANGING)


def test_a_run_of_ours_that_is_not_valid_was_measured_all_the_same(tmp_path: Path) -> None:
    assert Command.of(["bin/assay", "run"], tmp_path).allowed == {1}
    assert Command.of(["python", "run.py"], tmp_path).allowed == frozenset()

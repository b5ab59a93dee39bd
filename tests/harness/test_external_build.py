from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import RunFailedError
from assay.harness.external.build import build_program
from assay.harness.external.command import choose
from assay.harness.external.forms import read_implementation

from .test_external_forms import write


def test_commands_are_run_one_after_another_and_the_first_failure_ends_it(tmp_path: Path) -> None:
    build = [["sh", "-c", "echo one > made.txt"], ["sh", "-c", "echo 'x.cc: error: no such header'; exit 1"], ["false"]]
    chosen = choose(read_implementation(write(tmp_path, build=build)), None, {})
    with pytest.raises(RunFailedError) as caught:
        build_program(chosen, tmp_path / "logs", SILENT)
    assert "the build of mine left with exit status 1; it said: x.cc: error: no such header" in str(caught.value)
    assert (tmp_path / "made.txt").read_text() == "one\n"
    assert not (tmp_path / "logs" / "build-3.log").exists()


def test_nothing_to_build(tmp_path: Path) -> None:
    assert build_program(choose(read_implementation(write(tmp_path)), None, {}), tmp_path / "logs", SILENT) is None

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import MissingDependencyError, NotFoundError
from assay.harness.external.command import choose
from assay.harness.external.forms import read_implementation
from assay.harness.external.needs import require

from .test_external_forms import write


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    needs = {"files": {"main.py": "the program", "weights": "get them from X"}}
    chosen = choose(read_implementation(write(tmp_path, needs=needs, source="github")), None, {})
    with pytest.raises(NotFoundError) as caught:
        require(chosen)
    assert "lacks 2 files" in str(caught.value)
    assert "weights (get them from X)" in str(caught.value)
    assert "expected github" in str(caught.value)


def test_a_program_is_looked_for_in_path_or_in_the_folder(tmp_path: Path) -> None:
    missing = choose(read_implementation(write(tmp_path, command=["no-such-program-here"])), None, {})
    with pytest.raises(MissingDependencyError, match="lacks a program: no-such-program-here"):
        require(missing)
    require(choose(read_implementation(write(tmp_path, command=["sh"])), None, {}))
    own = tmp_path / "bin" / "own"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\n")
    chosen = choose(read_implementation(write(tmp_path, command=["bin/own"])), None, {})
    with pytest.raises(MissingDependencyError):
        require(chosen)
    own.chmod(0o755)
    require(chosen)


def test_the_word_that_names_the_program_is_told(tmp_path: Path) -> None:
    parameters = {"python": {"help": "the interpreter", "default": "no-python-here"}}
    of = read_implementation(write(tmp_path, command=["{python}"], parameters=parameters))
    with pytest.raises(MissingDependencyError) as caught:
        require(choose(of, None, {}))
    assert caught.value.hint == "--implementation-option python=..."

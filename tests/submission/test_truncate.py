"""Truncating the real sample tree, beside what the official script makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.rules.load import load_round
from assay.submission.truncate.model import State
from assay.submission.truncate.restore import restore
from assay.submission.truncate.run import truncate

from .trees import digest, lengthen_all, listing

# Of the lengthened sample tree after tools/submission/truncate_accuracy_log.py --backup, one run for each submitter;
# the tags v3.0 and v3.1 give the same.
BEFORE = "484721260870a9fe941b996a3d0605c70e4071bd2465fe5a98690e16907ba647"
OFFICIAL = "b8b03a12652d6c63ca6f7964eccc15a6ddad7873b549e465001520c0f7b8438e"


@pytest.fixture
def long_tree(sample_tree: Path, tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    shutil.copytree(sample_tree, tree)
    lengthen_all(tree)
    assert digest(tree) == BEFORE
    return tree


@pytest.mark.shared
@pytest.mark.parametrize("name", ["v3.0", "v3.1"])
def test_the_tree_is_byte_for_byte_that_of_the_official_script(long_tree: Path, tmp_path: Path, name: str) -> None:
    before = listing(long_tree)
    report = truncate(long_tree, load_round(name), backup=tmp_path / "originals")
    assert digest(long_tree) == OFFICIAL
    assert (report.count(State.CUT), report.count(State.KEPT), report.ok) == (73, 9, True)

    again = truncate(long_tree, load_round(name), backup=tmp_path / "originals")
    assert digest(long_tree) == OFFICIAL
    assert {log.state for log in again.logs} == {State.KEPT}

    assert restore(long_tree, tmp_path / "originals").count(State.RESTORED) == 73
    assert listing(long_tree) == before


@pytest.mark.shared
def test_a_new_tree_is_the_same_and_the_old_one_stays(long_tree: Path, tmp_path: Path) -> None:
    truncate(long_tree, load_round("v3.0"), output=tmp_path / "new")
    assert digest(tmp_path / "new") == OFFICIAL
    assert digest(long_tree) == BEFORE


@pytest.mark.shared
def test_a_tree_that_was_submitted_needs_nothing(sample_tree: Path, tmp_path: Path) -> None:
    report = truncate(sample_tree, load_round("v3.0"), backup=tmp_path / "originals")
    assert {log.state for log in report.logs} == {State.KEPT}
    assert not (tmp_path / "originals").exists()

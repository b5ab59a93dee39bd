from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.model import Scenario
from assay.submission.preprocess.run import default_journal, preprocess
from assay.submission.preprocess.undo import undo

from ..smalltree import SmallTree, build
from ..trees import listing


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    (made.submitter / "documentation" / "old").mkdir(parents=True)
    (made.submitter / "documentation" / "old").chmod(0o700)
    return made


def test_everything_is_as_it_was(tree: SmallTree) -> None:
    before = listing(tree.root)
    preprocess(tree.root, tree.round)
    journal = default_journal(tree.root)
    trial = undo(journal, dry_run=True)
    assert listing(tree.root) != before
    report = undo(journal)
    assert report.changes == trial.changes
    assert len(report.changes) == 8
    assert listing(tree.root) == before
    assert (tree.submitter / "documentation" / "old").stat().st_mode & 0o777 == 0o700
    with pytest.raises(UsageError, match="taken back already"):
        undo(journal)
    # The journal may be used again.
    preprocess(tree.root, tree.round)
    undo(journal)
    assert listing(tree.root) == before


def test_what_was_there_before_stays(tree: SmallTree) -> None:
    """Files written elsewhere after the run are nobody's business here."""
    preprocess(tree.root, tree.round)
    (tree.result("SingleStream") / "note.txt").write_text("mine")
    undo(default_journal(tree.root))
    assert (tree.result("SingleStream") / "note.txt").exists()


@pytest.mark.parametrize("change", ["edit", "add", "remove", "folder", "gone-folder", "link", "touch-kind"])
def test_nothing_is_taken_back_when_something_placed_was_changed(tree: SmallTree, tmp_path: Path, change: str) -> None:
    (tree.result("SingleStream") / "kept" / "empty").mkdir(parents=True)
    (tree.result("SingleStream") / "kept" / "file").write_text("text")
    from assay.submission.preprocess.model import Manner

    preprocess(tree.root, tree.round, manner=Manner(empty_folders=False))
    placed = tree.result("Offline") / "kept"
    if change == "edit":
        (placed / "file").write_text("tixt")
    elif change == "add":
        (placed / "new").write_text("")
    elif change == "remove":
        (placed / "file").unlink()
    elif change == "folder":
        (placed / "new").mkdir()
    elif change == "gone-folder":
        (placed / "empty").rmdir()
    elif change == "link":
        (placed / "file").rename(tmp_path / "file")
        (placed / "file").symlink_to(tmp_path / "file")
    else:
        shutil.rmtree(tree.result("Offline"))
        tree.result("Offline").write_text("a file now")
    before = listing(tree.root)
    with pytest.raises(InvalidInputError, match="nothing is taken back") as error:
        undo(default_journal(tree.root))
    assert "closed/Acme/results/box/resnet50/Offline" in str(error.value)
    assert listing(tree.root) == before


def test_a_folder_that_is_gone_already_is_no_obstacle(tree: SmallTree) -> None:
    before = listing(tree.root)
    preprocess(tree.root, tree.round)
    shutil.rmtree(tree.result("Offline"))
    assert len(undo(default_journal(tree.root)).changes) == 7
    assert listing(tree.root) == before


def test_a_tree_that_was_moved_is_named(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    preprocess(tree.root, tree.round)
    journal = default_journal(tree.root)
    tree.root.rename(tmp_path / "moved")
    with pytest.raises(NotFoundError, match="the tree is not there"):
        undo(journal)
    undo(journal, tree=tmp_path / "moved")
    assert listing(tmp_path / "moved") == before


def test_a_forged_journal_reaches_nothing_outside(tree: SmallTree, tmp_path: Path) -> None:
    """Neither by a link in the tree nor by what it says was removed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree.submitter / "way").symlink_to(outside)
    head = {
        "format": 1,
        "tool": "assay preprocess",
        "tree": str(tree.root),
        "round": "v3.0",
        "changes": [
            {
                "action": "remove",
                "target": "closed/Acme/way/new",
                "source": "",
                "why": "",
                "files": 0,
                "bytes": 0,
                "mode": 0o777,
            }
        ],
    }
    (tmp_path / "j").write_text(json.dumps(head) + "\n")
    with pytest.raises(InvalidInputError, match="reached through a link"):
        undo(tmp_path / "j")
    assert list(outside.iterdir()) == []

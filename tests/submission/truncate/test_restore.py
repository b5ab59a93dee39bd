from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import NotFoundError, UsageError
from assay.rules.load import load_round
from assay.rules.model import Scenario
from assay.submission.truncate.model import State
from assay.submission.truncate.restore import restore
from assay.submission.truncate.run import truncate

from ..smalltree import SmallTree, build
from ..trees import listing, long_log

ROUND = load_round("v3.0")


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.OFFLINE])
    accuracy = made.result("Offline") / "accuracy"
    (accuracy / "mlperf_log_accuracy.json").write_bytes(long_log(50000))
    (accuracy / "accuracy.txt").write_text("accuracy=76.014%, good=38007, total=50000")
    return made


@pytest.fixture
def originals(tree: SmallTree, tmp_path: Path) -> Path:
    truncate(tree.root, ROUND, backup=tmp_path / "originals")
    return tmp_path / "originals"


def states(tree: SmallTree, originals: Path) -> dict[str, State]:
    return {log.path.split("/")[2]: log.state for log in restore(tree.root, originals).logs}


def log_of(tree: SmallTree) -> Path:
    return tree.result("Offline") / "accuracy" / "mlperf_log_accuracy.json"


def test_everything_comes_back_and_doing_it_again_changes_nothing(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    truncate(tree.root, ROUND, backup=tmp_path / "originals")
    assert restore(tree.root, tmp_path / "originals", dry_run=True).count(State.RESTORED) == 2
    assert listing(tree.root) != before
    assert set(states(tree, tmp_path / "originals").values()) == {State.RESTORED}
    assert listing(tree.root) == before
    assert set(states(tree, tmp_path / "originals").values()) == {State.KEPT}
    # And the backup will do for another time.
    truncate(tree.root, ROUND, backup=tmp_path / "originals")
    restore(tree.root, tmp_path / "originals")
    assert listing(tree.root) == before


def test_an_original_that_is_not_the_one_hashed_is_refused(tree: SmallTree, originals: Path) -> None:
    kept = next(originals.glob("closed/Acme/results/**/mlperf_log_accuracy.json"))
    kept.write_bytes(kept.read_bytes().replace(b"data", b"date", 1))
    before = listing(tree.root)
    report = restore(tree.root, originals, dry_run=True)
    assert "does not name the hash" in next(log.note for log in report.logs if "/results/" in log.path)
    assert states(tree, originals)["results"] is State.REFUSED
    assert listing(tree.submitter / "results") == {
        name.removeprefix("closed/Acme/results/") or "./": value
        for name, value in before.items()
        if name.startswith("closed/Acme/results/")
    }


def test_a_log_that_was_changed_after_it_was_cut_is_refused(tree: SmallTree, originals: Path) -> None:
    log_of(tree).write_bytes(b"new run\n")
    assert states(tree, originals)["results"] is State.REFUSED
    assert log_of(tree).read_bytes() == b"new run\n"


def test_a_log_that_is_gone_comes_back(tree: SmallTree, originals: Path) -> None:
    log_of(tree).unlink()
    assert states(tree, originals)["results"] is State.RESTORED
    assert log_of(tree).read_bytes() == long_log(50000)


def test_lines_written_to_the_text_since_stay(tree: SmallTree, originals: Path) -> None:
    text = tree.result("Offline") / "accuracy" / "accuracy.txt"
    with text.open("a") as file:
        file.write("checked twice\n")
    assert states(tree, originals)["results"] is State.RESTORED
    assert text.read_text() == "accuracy=76.014%, good=38007, total=50000\nchecked twice\n"


def test_a_backup_of_the_official_tool_will_do(tree: SmallTree, originals: Path) -> None:
    (originals / "assay-truncate.json").unlink()
    for text in originals.rglob("accuracy.txt"):
        text.unlink()
    assert set(states(tree, originals).values()) == {State.RESTORED}
    assert log_of(tree).read_bytes() == long_log(50000)
    text = log_of(tree).with_name("accuracy.txt")
    assert text.read_text() == "accuracy=76.014%, good=38007, total=50000\n"


def test_nothing_is_put_outside_the_tree(tree: SmallTree, originals: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    log_of(tree).parent.rename(outside)
    log_of(tree).parent.symlink_to(outside)
    before = listing(outside)
    assert states(tree, originals)["results"] is State.REFUSED
    assert listing(outside) == before
    log_of(tree).parent.unlink()
    report = restore(tree.root, originals)
    assert "not in the tree" in next(log.note for log in report.logs if "/results/" in log.path)


def test_a_place_without_logs_is_no_backup(tree: SmallTree, originals: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the backup is not there"):
        restore(tree.root, tmp_path / "none")
    with pytest.raises(UsageError, match="holds no accuracy logs"):
        restore(tree.root, originals, submitters=["Bolt"])
    shutil.rmtree(originals / "closed")
    with pytest.raises(UsageError, match="holds no accuracy logs"):
        restore(tree.root, originals)

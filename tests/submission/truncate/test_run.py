from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.base.files import locked
from assay.base.progress import SILENT, Step
from assay.errors import InvalidInputError, MachineError, NotFoundError, UsageError
from assay.rules.load import load_round
from assay.rules.model import Scenario
from assay.submission.truncate.model import State
from assay.submission.truncate.restore import restore
from assay.submission.truncate.run import truncate

from ..smalltree import SmallTree, build
from ..trees import killed_at, listing, long_log, names

ROUND = load_round("v3.0")


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    """One scenario: a long log of the result without a hash, one of TEST01 below the limit and without a text."""
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.OFFLINE])
    accuracy = made.result("Offline") / "accuracy"
    (accuracy / "mlperf_log_accuracy.json").write_bytes(long_log(50000))
    (accuracy / "accuracy.txt").write_text("accuracy=76.014%, good=38007, total=50000\n")
    test01 = made.compliance("Offline") / "TEST01" / "accuracy"
    (test01 / "mlperf_log_accuracy.json").write_bytes(long_log(6000))
    (test01 / "accuracy.txt").unlink()
    return made


def expected(tree: SmallTree, folder: Path) -> dict[str, str]:
    copy = folder / "expected"
    shutil.copytree(tree.root, copy)
    truncate(copy, ROUND, backup=folder / "expected-originals")
    return listing(copy)


def test_a_kill_between_any_two_steps_is_finished_by_the_next_run(tree: SmallTree, tmp_path: Path) -> None:
    """Every change that gets its name is a place to die, before or after it."""
    wanted = expected(tree, tmp_path)
    before = listing(tree.root)
    tried = 0
    for after in (False, True):
        for number in range(1, 40):
            copy, backup = tmp_path / f"copy-{number}-{after}", tmp_path / f"originals-{number}-{after}"
            shutil.copytree(tree.root, copy)
            with killed_at(number, after=after) as calls:
                truncate(copy, ROUND, backup=backup)
            killed = len(calls) == number
            if killed:
                # No log was lost: it is whole in the tree, or in the backup.
                for name in ("results/box/resnet50/Offline", "compliance/box/resnet50/Offline/TEST01"):
                    path = f"closed/Acme/{name}/accuracy/mlperf_log_accuracy.json"
                    whole = (tree.root / path).read_bytes()
                    assert whole in [(each / path).read_bytes() for each in (copy, backup) if (each / path).exists()]
                assert truncate(copy, ROUND, backup=backup).ok
                tried += 1
            assert listing(copy) == wanted
            assert restore(copy, backup).ok
            assert listing(copy) == before
            if not killed:
                break
    # Two logs, their backups, both texts and one backup of a text; the note in the backup folder.
    assert tried == 16


def test_a_kill_while_restoring_is_finished_by_the_next_run(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    for after in (False, True):
        for number in range(1, 10):
            truncate(tree.root, ROUND, backup=tmp_path / "originals")
            with killed_at(number, after=after) as calls:
                restore(tree.root, tmp_path / "originals")
            assert restore(tree.root, tmp_path / "originals").ok
            assert listing(tree.root) == before
            if len(calls) < number:
                break
        else:
            raise AssertionError("it never ended")


def test_a_kill_while_writing_a_new_tree_is_finished_by_the_next_run(tree: SmallTree, tmp_path: Path) -> None:
    wanted = expected(tree, tmp_path)
    before = listing(tree.root)
    for number in (1, 2, 5, 6, 4):
        with killed_at(number, after=number % 2 == 0) as calls:
            truncate(tree.root, ROUND, output=tmp_path / "new")
        assert len(calls) == number
        assert not (tmp_path / "new").exists()
    truncate(tree.root, ROUND, output=tmp_path / "new")
    assert listing(tmp_path / "new") == wanted
    assert listing(tree.root) == before
    assert {each.name for each in tmp_path.iterdir()} == {"tree", "new", "expected", "expected-originals"}


def test_an_interrupt_leaves_what_the_next_run_finishes(tree: SmallTree, tmp_path: Path) -> None:
    class Impatient:
        def __init__(self, patience: int) -> None:
            self.patience = patience

        def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
            del label, total, unit
            return self

        def message(self, text: str) -> None: ...

        def advance(self, amount: float = 1) -> None:
            self.patience -= 1
            if self.patience < 0:
                raise KeyboardInterrupt

        def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None: ...

        def finish(self) -> None: ...

    wanted = expected(tree, tmp_path)
    for patience in range(3):
        with pytest.raises(KeyboardInterrupt):
            truncate(tree.root, ROUND, backup=tmp_path / "originals", progress=Impatient(patience))
        assert not [*tree.root.rglob(".*"), *(tmp_path / "originals").rglob(".*")]
    truncate(tree.root, ROUND, backup=tmp_path / "originals", progress=Impatient(100))
    assert listing(tree.root) == wanted


def test_a_trial_changes_nothing_and_needs_no_place(tree: SmallTree) -> None:
    before = listing(tree.root)
    report = truncate(tree.root, ROUND, dry_run=True)
    assert [(log.state, log.before, log.after) for log in report.logs] == [
        (State.CUT, 50000, 8199),
        (State.CUT, 6000, 8199),
    ]
    assert (report.place, report.dry_run) == (None, True)
    assert listing(tree.root) == before


def test_other_submitters_are_left_alone(tree: SmallTree, tmp_path: Path) -> None:
    shutil.copytree(tree.submitter, tree.root / "closed" / "Bolt")
    before = listing(tree.root / "closed" / "Bolt")
    report = truncate(tree.root, ROUND, backup=tmp_path / "originals", submitters=["Acme"])
    assert report.count(State.CUT) == len(report.logs) == 2
    assert listing(tree.root / "closed" / "Bolt") == before
    truncate(tree.root, ROUND, output=tmp_path / "new", submitters=["Bolt"])
    assert [path.name for path in (tmp_path / "new" / "closed").iterdir()] == ["Bolt"]
    with pytest.raises(NotFoundError, match="unknown submitter"):
        truncate(tree.root, ROUND, backup=tmp_path / "originals", submitters=["Nobody"])


def test_places_that_cannot_be(tree: SmallTree, tmp_path: Path) -> None:
    for options, words in (
        ({}, "say where the originals are to go"),
        ({"backup": tmp_path / "a", "output": tmp_path / "b"}, "not both"),
        ({"backup": tree.root / "a"}, "the backup must not be inside"),
        ({"output": tree.root / "closed" / "b"}, "the new tree must not be inside"),
        ({"output": tmp_path}, "there already"),
    ):
        with pytest.raises(UsageError, match=words):
            truncate(tree.root, ROUND, **options)  # type: ignore[arg-type]


def test_one_log_that_cannot_be_cut_does_not_stop_the_others(tree: SmallTree, tmp_path: Path) -> None:
    (tree.result("Offline") / "accuracy" / "accuracy.txt").unlink()
    report = truncate(tree.root, ROUND, backup=tmp_path / "originals")
    assert [log.state for log in report.logs] == [State.REFUSED, State.CUT]
    assert not report.ok


def test_a_log_that_two_names_lead_to_is_cut_once(tree: SmallTree, tmp_path: Path) -> None:
    tree.result("Server").symlink_to("Offline")
    report = truncate(tree.root, ROUND, backup=tmp_path / "originals")
    assert report.count(State.CUT) == len(report.logs) == 2
    assert tree.result("Server").is_symlink()
    text = (tree.result("Server") / "accuracy" / "accuracy.txt").read_text()
    assert text.count("hash=") == 1


def test_no_path_leads_out_of_the_tree(tree: SmallTree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (tree.result("Offline") / "accuracy").rename(outside)
    (tree.result("Offline") / "accuracy").symlink_to(outside)
    before = listing(outside)
    report = truncate(tree.root, ROUND, backup=tmp_path / "originals")
    assert [log.state for log in report.logs] == [State.REFUSED, State.CUT]
    assert listing(outside) == before
    with pytest.raises(InvalidInputError, match="leads out"):
        truncate(tree.root, ROUND, output=tmp_path / "new")


def test_a_second_run_on_the_tree_is_kept_away(tree: SmallTree, tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(MachineError, match="another process holds the lock"):
        truncate(tree.root, ROUND, backup=tmp_path / "originals", lock=tmp_path / "lock")
    assert truncate(tree.root, ROUND, backup=tmp_path / "originals", lock=tmp_path / "lock", progress=SILENT).ok


def test_a_backup_of_something_else_does_not_matter_when_there_is_nothing_to_do(
    tree: SmallTree, tmp_path: Path
) -> None:
    truncate(tree.root, ROUND, backup=tmp_path / "originals")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    assert truncate(tree.root, ROUND, backup=tmp_path / "other").count(State.KEPT) == 2
    assert names(tmp_path / "other") == ["file"]

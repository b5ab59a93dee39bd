from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from assay.base.files import locked
from assay.errors import InvalidInputError, MachineError, UsageError
from assay.rules.model import Scenario
from assay.submission.check import check
from assay.submission.preprocess.journal import read_journal
from assay.submission.preprocess.model import Manner
from assay.submission.preprocess.run import default_journal, preprocess
from assay.submission.preprocess.undo import undo

from ..smalltree import SmallTree, build
from ..trees import killed_at, listing, names


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    """Only SingleStream was measured, and there are empty folders."""
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    (made.submitter / "documentation" / "old").mkdir(parents=True)
    return made


def wanted(tree: SmallTree, folder: Path) -> dict[str, str]:
    preprocess(tree.root, tree.round, output=folder / "wanted")
    return listing(folder / "wanted")


def test_what_was_missing_is_accepted_afterwards(tree: SmallTree) -> None:
    assert not check(tree.root, tree.round, jobs=1).official.ok
    report = preprocess(tree.root, tree.round)
    assert report.place == str(default_journal(tree.root))
    checked = check(tree.root, tree.round, jobs=1)
    assert checked.official.ok
    assert {(each.scenario, each.inferred) for each in checked.results} == {
        ("SingleStream", False),
        ("Offline", True),
        ("MultiStream", True),
    }
    assert not preprocess(tree.root, tree.round).changes


def test_a_new_tree_is_the_same(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    expected = wanted(tree, tmp_path)
    assert listing(tree.root) == before
    preprocess(tree.root, tree.round)
    assert listing(tree.root) == expected
    assert sorted(read_journal(default_journal(tree.root)).placed) == [2, 3, 4, 5, 6, 7]


def test_a_kill_between_any_two_steps_is_finished_or_taken_back(tree: SmallTree, tmp_path: Path) -> None:
    expected, before = wanted(tree, tmp_path), listing(tree.root)
    journal = default_journal(tree.root)
    for after, finish in itertools.product((False, True), (False, True)):
        for number in itertools.count(1):
            with killed_at(number, after=after) as calls:
                preprocess(tree.root, tree.round)
            if len(calls) < number:
                undo(journal)
                break
            if finish:
                preprocess(tree.root, tree.round)
                assert listing(tree.root) == expected
            if journal.exists():
                undo(journal)
            assert listing(tree.root) == before
        assert number > 50
    assert names(tmp_path) == ["tree", "tree.preprocess.jsonl", "wanted"]


def test_a_kill_while_undoing_is_finished_by_the_next_undo(tree: SmallTree) -> None:
    before = listing(tree.root)
    for number in range(1, 100):
        preprocess(tree.root, tree.round)
        journal = default_journal(tree.root)
        with killed_at(number, after=number % 2 == 0) as calls:
            undo(journal)
        if len(calls) < number:
            assert number > 10
            break
        undo(journal)
        assert listing(tree.root) == before
    assert listing(tree.root) == before


def test_a_kill_while_writing_a_new_tree_is_finished_by_the_next_run(tree: SmallTree, tmp_path: Path) -> None:
    expected = wanted(tree, tmp_path)
    for number in (1, 3, 20, 40):
        with killed_at(number, after=number % 2 == 0) as calls:
            preprocess(tree.root, tree.round, output=tmp_path / "new")
        assert len(calls) == number
    preprocess(tree.root, tree.round, output=tmp_path / "new")
    assert listing(tmp_path / "new") == expected
    assert names(tmp_path) == ["new", "tree", "wanted"]


def test_a_trial_changes_nothing(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    report = preprocess(tree.root, tree.round, dry_run=True)
    assert (len(report.changes), report.place) == (8, None)
    assert (listing(tree.root), names(tmp_path)) == (before, ["tree"])


def test_an_interrupted_run_goes_on_by_its_own_plan(tree: SmallTree) -> None:
    with killed_at(10, after=True):
        preprocess(tree.root, tree.round)
    report = preprocess(tree.root, tree.round, manner=Manner(scenarios=False))
    assert report.resumed
    assert len(report.changes) == 8
    assert tree.result("Offline").exists()


def test_a_journal_of_an_earlier_run_is_not_overwritten(tree: SmallTree, tmp_path: Path) -> None:
    preprocess(tree.root, tree.round)
    shutil.rmtree(tree.result("Offline"))
    with pytest.raises(UsageError, match="the journal of an earlier run is there"):
        preprocess(tree.root, tree.round)
    preprocess(tree.root, tree.round, journal=tmp_path / "second.jsonl")
    assert tree.result("Offline").exists()
    (tmp_path / "mine").write_text("a letter")
    with pytest.raises(InvalidInputError, match="no journal"):
        preprocess(tree.root, tree.round, journal=tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "a letter"


def test_an_unfinished_journal_of_another_tree_is_refused(tree: SmallTree, tmp_path: Path) -> None:
    other = build(tmp_path / "other", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    with killed_at(10, after=True):
        preprocess(other.root, other.round, journal=tmp_path / "j")
    with pytest.raises(UsageError, match="of another tree"):
        preprocess(tree.root, tree.round, journal=tmp_path / "j")


def test_places_that_cannot_be(tree: SmallTree, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs no journal"):
        preprocess(tree.root, tree.round, journal=tmp_path / "j", output=tmp_path / "new")
    with pytest.raises(UsageError, match="the journal must not be inside"):
        preprocess(tree.root, tree.round, journal=tree.root / "j")
    with pytest.raises(UsageError, match="the new tree must not be inside"):
        preprocess(tree.root, tree.round, output=tree.root / "new")


def test_other_submitters_are_left_alone(tree: SmallTree, tmp_path: Path) -> None:
    shutil.copytree(tree.submitter, tree.root / "closed" / "Bolt")
    before = listing(tree.root / "closed" / "Bolt")
    preprocess(tree.root, tree.round, submitters=["Acme"])
    assert listing(tree.root / "closed" / "Bolt") == before
    assert tree.result("Offline").exists()
    preprocess(tree.root, tree.round, submitters=["Bolt"], output=tmp_path / "new")
    assert names(tmp_path / "new" / "closed") == ["Bolt"]


def test_a_second_run_on_the_tree_is_kept_away(tree: SmallTree, tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(MachineError, match="another process holds the lock"):
        preprocess(tree.root, tree.round, lock=tmp_path / "lock")

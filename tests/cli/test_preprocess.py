from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.preprocess import preprocess
from assay.errors import NotFoundError, UsageError
from assay.rules.model import Scenario

from ..submission.smalltree import SmallTree, build
from ..submission.trees import listing


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallTree:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    (made.submitter / "documentation" / "old").mkdir(parents=True)
    return made


def outcome(*arguments: object) -> Result:
    return CliRunner().invoke(preprocess, [str(each) for each in arguments])


def test_results_are_placed_and_taken_back(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    assert code(tree.root, "--dry-run") == 0
    done = outcome(tree.root)
    journal = tmp_path / "tree.preprocess.jsonl"
    assert done.exit_code == 0
    assert "Offline follows from SingleStream" in done.stdout
    assert "6 folders placed" in done.stderr
    assert "2 empty folders removed" in done.stderr
    assert f"to take it back: assay preprocess --undo {journal}" in done.stderr
    again = outcome(tree.root)
    assert (again.exit_code, again.stdout, "nothing to do" in again.stderr) == (0, "", True)
    back = outcome("--undo", journal)
    assert back.exit_code == 0
    assert "6 placed folders removed" in back.stderr
    assert listing(tree.root) == before


def test_what_is_only_to_do_is_not_said_to_be_done(tree: SmallTree, tmp_path: Path) -> None:
    said = outcome(tree.root, "--dry-run")
    assert "To do" in said.stdout and "  place " in said.stdout and "  remove " in said.stdout
    assert "placed" not in said.stdout and "removed" not in said.stdout
    assert "6 folders to place" in said.stderr and "2 empty folders to remove" in said.stderr
    outcome(tree.root)
    back = outcome("--undo", tmp_path / "tree.preprocess.jsonl", "--dry-run")
    assert "  remove " in back.stdout and "  put back " in back.stdout
    assert "6 placed folders to remove" in back.stderr and "2 empty folders to put back" in back.stderr


def code(*arguments: object) -> int:
    """The exit code that the command line gives."""
    done = CliRunner().invoke(preprocess, [str(each) for each in arguments], standalone_mode=False)
    assert isinstance(done.return_value, int)
    return done.return_value


def test_the_official_flags_are_understood(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    flags = ("--submitter", "Acme", "--version", "v3.0", "--extra-model-benchmark-map", "model_mapping.json")
    assert outcome("--input", tree.root, "--output", tmp_path / "new", *flags).exit_code == 0
    assert (tmp_path / "new/closed/Acme/results/box/resnet50/MultiStream").is_dir()
    flags = (*flags, "--noinfer_low_accuracy_results", "--nodelete_empty_dirs", "--noinfer-scenario-results")
    assert outcome("--input", tree.root, "--output", tmp_path / "other", *flags).exit_code == 0
    assert listing(tmp_path / "other") == listing(tree.root) == before


def test_exact_does_as_the_script(tree: SmallTree, tmp_path: Path) -> None:
    assert outcome(tree.root, "--exact", "--journal", tmp_path / "j.jsonl").exit_code == 0
    assert tree.result("offline").is_dir()
    assert (tmp_path / "j.jsonl").is_file()


def test_json_is_one_document(tree: SmallTree) -> None:
    done = outcome(tree.root, "--dry-run", "--json", "--quiet")
    document = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (document["dry_run"], document["place"], document["undone"]) == (True, None, False)
    first = document["changes"][0]
    assert (first["action"], first["target"]) == ("remove", "closed/Acme/documentation/old")
    assert len(document["changes"]) == 8


def test_what_could_not_be_placed_is_told_by_the_exit_code(tree: SmallTree, tmp_path: Path) -> None:
    (tree.result("SingleStream") / "accuracy" / "link").symlink_to(tmp_path)
    done = outcome(tree.root, "--dry-run")
    assert code(tree.root, "--dry-run") == 1
    assert "REFUSED: closed/Acme/results/box/resnet50/SingleStream/accuracy" in done.stdout
    assert "nothing was changed (--dry-run)" in done.stderr


@pytest.mark.parametrize(
    "options", [(), ("a", "--input", "b"), ("--undo", "j", "--output", "b"), ("--undo", "j", "--journal", "b")]
)
def test_a_command_line_that_cannot_be_meant(options: tuple[str, ...]) -> None:
    assert outcome(*options).exit_code == 2


def test_errors_reach_the_user_as_ours(tree: SmallTree, tmp_path: Path) -> None:
    assert isinstance(outcome(tmp_path / "none").exception, NotFoundError)
    assert isinstance(outcome("--undo", tmp_path / "none").exception, NotFoundError)
    assert isinstance(outcome(tree.root, "--journal", tree.root / "j").exception, UsageError)

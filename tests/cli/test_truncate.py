from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.truncate import truncate
from assay.errors import NotFoundError, UsageError
from assay.rules.model import Scenario

from ..submission.smalltree import SmallTree, build
from ..submission.trees import listing, long_log


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallTree:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    made = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.OFFLINE])
    accuracy = made.result("Offline") / "accuracy"
    (accuracy / "mlperf_log_accuracy.json").write_bytes(long_log(50000))
    (accuracy / "accuracy.txt").write_text("accuracy=76.014%, good=38007, total=50000\n")
    return made


def outcome(*arguments: object) -> Result:
    return CliRunner().invoke(truncate, [str(each) for each in arguments])


def test_logs_are_cut_and_put_back(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    done = outcome(tree.root, "--backup", tmp_path / "originals")
    assert done.exit_code == 0
    assert "50.0 kB" in done.stdout
    assert "8.2 kB" in done.stdout
    assert "round v3.0, by the seeds in the logs" in done.stderr
    assert "2 accuracy logs: 1 cut, 1 hash added" in done.stderr
    assert f"keep {tmp_path / 'originals'}" in done.stderr
    after = listing(tree.root)
    assert after != before
    again = outcome(tree.root, "--backup", tmp_path / "originals")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "2 accuracy logs: 2 as it was" in again.stderr
    assert listing(tree.root) == after
    back = outcome(tree.root, "--restore", tmp_path / "originals")
    assert (back.exit_code, "2 put back" in back.stderr) == (0, True)
    assert listing(tree.root) == before


def code(*arguments: object) -> int:
    """The exit code that the command line gives."""
    done = CliRunner().invoke(truncate, [str(each) for each in arguments], standalone_mode=False)
    assert isinstance(done.return_value, int)
    return done.return_value


def test_the_official_flags_are_understood(tree: SmallTree, tmp_path: Path) -> None:
    before = listing(tree.root)
    done = outcome("--input", tree.root, "--submitter", "Acme", "--output", tmp_path / "new")
    assert done.exit_code == 0
    assert listing(tree.root) == before
    assert outcome("--input", tree.root, "--submitter", "Acme", "--backup", tmp_path / "originals").exit_code == 0
    assert listing(tree.root) == listing(tmp_path / "new")


def test_json_is_one_document(tree: SmallTree) -> None:
    (tree.compliance("Offline") / "TEST01" / "accuracy" / "mlperf_log_accuracy.json").unlink()
    done = outcome(tree.root, "--dry-run", "--json", "--quiet")
    document = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (document["round"], document["limit_bytes"], document["dry_run"]) == ("v3.0", 10240, True)
    assert document["counts"] == {"cut": 1, "hashed": 0, "kept": 0, "restored": 0, "missing": 1, "refused": 0}
    assert document["logs"][0] == {
        "path": "closed/Acme/results/box/resnet50/Offline/accuracy/mlperf_log_accuracy.json",
        "state": "cut",
        "sha256": "",
        "before": 50000,
        "after": 8199,
        "note": "",
    }


def test_a_log_that_was_left_alone_is_told_by_the_exit_code(tree: SmallTree, tmp_path: Path) -> None:
    (tree.result("Offline") / "accuracy" / "accuracy.txt").unlink()
    done = outcome(tree.root, "--backup", tmp_path / "originals", "--round", "v3.1")
    assert code(tree.root, "--dry-run") == 1
    assert "REFUSED" in done.stdout
    assert "accuracy.txt is missing" in done.stdout
    assert "1 REFUSED" in done.stderr


def test_a_trial_says_what_would_be_done(tree: SmallTree) -> None:
    before = listing(tree.root)
    done = outcome(tree.root, "--dry-run", "--all")
    assert code(tree.root, "--dry-run") == 0
    assert "nothing was changed (--dry-run)" in done.stderr
    assert listing(tree.root) == before


@pytest.mark.parametrize(
    "options",
    [(), ("a", "--input", "b"), ("a", "--restore", "b", "--backup", "c"), ("a", "--restore", "b", "--output", "c")],
)
def test_a_command_line_that_cannot_be_meant(options: tuple[str, ...]) -> None:
    assert outcome(*options).exit_code == 2


def test_errors_reach_the_user_as_ours(tree: SmallTree, tmp_path: Path) -> None:
    assert isinstance(outcome(tree.root).exception, UsageError)
    assert isinstance(outcome(tmp_path / "none", "--dry-run").exception, NotFoundError)
    assert isinstance(outcome(tree.root, "--restore", tmp_path / "none").exception, NotFoundError)

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assay.cli.main import run
from assay.cm.artifact import EXPERIMENT
from assay.cm.repository import create_repository

from ..cm.test_git import commit, run_git

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CM_REPOS", raising=False)


def call(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["repo", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def listed(capsys: Capture) -> list[tuple[str, int, str]]:
    code, out, _ = call(capsys, "list", "--json")
    assert code == 0
    return [(each["alias"], each["artifacts"], each["registered"]) for each in json.loads(out)["repositories"]]


def test_init_list_remove(capsys: Capture, tmp_path: Path) -> None:
    assert "no repository yet" in call(capsys)[1]
    code, out, _ = call(
        capsys, "init", str(tmp_path / "mine"), "--alias", "me@mine", "--prefix", "data", "--uid", "1" * 16
    )
    assert code == 0 and out.startswith(f"made me@mine, uid {'1' * 16}")
    assert run(["add", "experiment", "me@mine:one"]) == 0
    assert (tmp_path / "mine" / "data" / "experiment" / "one" / "_cm.json").is_file()
    capsys.readouterr()
    assert listed(capsys) == [("me@mine", 1, "here")]
    assert "me@mine" in call(capsys, "list")[1]
    assert call(capsys, "init", str(tmp_path / "mine"), "--alias", "me@again")[0] == 2
    assert call(capsys, "remove", "me@mine")[0] == 0
    assert listed(capsys) == [] and (tmp_path / "mine" / "cmr.yaml").is_file()
    assert call(capsys, "add", str(tmp_path / "mine"))[0] == 0
    assert listed(capsys) == [("me@mine", 1, "here")]


def test_files_are_deleted_after_a_question_only(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    call(capsys, "init", str(path), "--alias", "me@mine")
    assert "would delete" in call(capsys, "remove", "me@mine", "--files", "--dry-run")[1]
    code, _, err = call(capsys, "remove", "me@mine", "--files")
    assert code == 2 and "nobody to ask" in err and path.exists()
    assert call(capsys, "remove", str(path), "--files", "--yes")[0] == 0
    assert not path.exists() and listed(capsys) == []


def test_a_link_is_taken_away_and_not_what_it_leads_to(capsys: Capture, tmp_path: Path) -> None:
    create_repository(tmp_path / "real", "me@real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    call(capsys, "add", str(tmp_path / "link"))
    assert call(capsys, "remove", "me@real", "--files", "--yes")[0] == 0
    assert (tmp_path / "real" / "cmr.yaml").exists() and not (tmp_path / "link").is_symlink()


def test_one_that_is_gone_can_be_forgotten(capsys: Capture, tmp_path: Path) -> None:
    call(capsys, "init", str(tmp_path / "mine"), "--alias", "me@mine")
    shutil.rmtree(tmp_path / "mine")
    assert "passed over" in call(capsys, "list")[2]
    assert call(capsys, "verify")[0] == 1
    assert call(capsys, "remove", str(tmp_path / "mine"))[0] == 0
    assert call(capsys, "verify")[0] == 0


def test_local_and_cms_own_are_not_removed(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cm = tmp_path / "cm"
    create_repository(cm / "repos" / "a@b", "a@b")
    (cm / "repos.json").write_text('["a@b"]')
    monkeypatch.setenv("CM_REPOS", str(cm))
    run(["add", "experiment", "one"])
    capsys.readouterr()
    assert listed(capsys) == [("local", 1, "local"), ("a@b", 0, "CM")]
    for name in ("local", "a@b"):
        assert call(capsys, "remove", name, "--files", "--yes")[0] == 2
    assert (cm / "repos.json").read_text() == '["a@b"]' and (cm / "repos" / "a@b").is_dir()


def test_verify_tells_everything_and_ends_with_1(capsys: Capture, tmp_path: Path) -> None:
    for name in ("one", "two"):
        repository = create_repository(tmp_path / name, "me@twin")
        call(capsys, "add", str(repository.path))
        with repository.editing() as edit:
            edit.add(EXPERIMENT, "good")
    bad = tmp_path / "one" / "experiment" / "bad"
    bad.mkdir()
    (bad / "_cm.json").write_text('{"alias":\n')
    code, out, err = call(capsys, "verify")
    assert code == 1 and f"{bad / '_cm.json'}:2:1: broken metadata: not JSON" in out and "same alias" in out
    assert "2 repositories, 2 problems" in err
    code, out, _ = call(capsys, "verify", str(tmp_path / "two"), "--json")
    assert code == 0 and json.loads(out)["problems"] == []
    code, out, _ = call(capsys, "verify", str(tmp_path / "one"), "--json")
    assert code == 1 and [each["kind"] for each in json.loads(out)["problems"]] == ["broken metadata"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_pull(capsys: Capture, tmp_path: Path) -> None:
    work = tmp_path / "team" / "results"
    with create_repository(work, "team@results").editing() as edit:
        edit.add(EXPERIMENT, "one")
    run_git(work, "init", "-q")
    first = commit(work, "README", "x")
    code, out, _ = call(capsys, "pull", f"file://{work}", "-q")
    assert code == 0 and out.startswith(f"team@results: cloned at {first[:12]}")
    assert listed(capsys) == [("team@results", 1, "here")]
    assert "up to date" in call(capsys, "pull", "team@results", "-q")[1]
    second = commit(work, "more", "y")
    assert f"{first[:12]} -> {second[:12]}" in call(capsys, "pull", "team@results", "-q")[1]
    code, out, _ = call(capsys, "pull", "team@results", "--commit", first, "--json")
    assert (code, json.loads(out)["after"]) == (0, first)
    for hostile in ("ext::sh -c touch%20x", "http://example.org/a/b", "nothing"):
        assert call(capsys, "pull", hostile)[0] == 2
    assert call(capsys, "pull", "--", "--upload-pack=x")[0] == 2
    assert call(capsys, "pull", f"file://{tmp_path}/none")[0] == 3


@pytest.mark.parametrize("more", [("--prefix", "../out"), ("--prefix", "/out"), ("--uid", "XYZ")])
def test_a_repository_that_could_not_be_opened_is_not_made(
    capsys: Capture, tmp_path: Path, more: tuple[str, str]
) -> None:
    assert call(capsys, "init", str(tmp_path / "mine"), "--alias", "me@mine", *more)[0] == 2
    assert call(capsys, "init", str(tmp_path / "mine"), "--alias", "../mine")[0] == 2
    assert not (tmp_path / "mine").exists()

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from assay.cm import git
from assay.cm.git import Pulled, Source, clone, is_clone, origin, update
from assay.errors import AssayError, InvalidInputError, MissingDependencyError, NotFoundError, UsageError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run_git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", "-C", str(folder), *options, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-q", "-m", name)
    return run_git(folder, "rev-parse", "HEAD")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A repository somewhere else, with a bare one beside it that it pushes to."""
    (tmp_path / "there").mkdir()
    run_git(tmp_path / "there", "init", "-q")
    commit(tmp_path / "there", "one", "1")
    run_git(tmp_path, "clone", "-q", "--bare", "there", "team/results.git")
    run_git(tmp_path / "there", "remote", "add", "origin", str(tmp_path / "team" / "results.git"))
    return tmp_path / "there"


@pytest.fixture
def source(there: Path) -> Source:
    return Source.parse(f"file://{there.parent / 'team' / 'results.git'}")


@pytest.mark.parametrize(
    ("text", "url", "alias", "local"),
    [
        ("mlcommons@ck", "https://github.com/mlcommons/ck.git", "mlcommons@ck", False),
        ("https://host/org/repo.git", "https://host/org/repo.git", "org@repo", False),
        ("https://me@host:8443/org/repo/", "https://me@host:8443/org/repo/", "org@repo", False),
        ("ssh://git@host/org/repo", "ssh://git@host/org/repo", "org@repo", False),
        ("git@host:org/repo.git", "git@host:org/repo.git", "org@repo", False),
        ("file:///srv/org/repo.git", "file:///srv/org/repo.git", "org@repo", True),
        ("/srv/org/repo", "/srv/org/repo", "org@repo", True),
    ],
)
def test_addresses(text: str, url: str, alias: str, local: bool) -> None:
    assert Source.parse(text) == Source(url, alias, local)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "ext::sh -c 'touch x'",
        "fd::17",
        "-x",
        "--upload-pack=touch x",
        "http://host/org/repo",
        "git://host/org/repo",
        "ftp://host/x",
        "ssh://-oProxyCommand=touch/x",
        "file://host/path",
        "https:///x",
        "https://me:secret@host/org/repo",
        "https://host/a b",
        "git@-host:x",
        "a@b@c",
        "host:path",
        "https://host/org/re\x1bpo",
        "https://host/\n--upload-pack=x",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        Source.parse(text)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Source.parse("https://me:secret@host/org/repo")
    assert "secret" not in str(caught.value.to_dict())


def test_an_address_without_a_name() -> None:
    with pytest.raises(InvalidInputError):
        Source.parse("file:///...")


def test_clone_and_update(there: Path, source: Source, tmp_path: Path) -> None:
    target = tmp_path / "repos" / "team@results"
    first = run_git(there, "rev-parse", "HEAD")
    assert clone(source, target) == Pulled("", first)
    assert is_clone(target) and origin(target) == source.url
    assert update(target) == Pulled(first, first)
    second = commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    assert update(target) == Pulled(first, second)
    assert (target / "two").read_text() == "2"
    assert [path.name for path in target.parent.iterdir()] == ["team@results"]


def test_branches_and_commits(there: Path, source: Source, tmp_path: Path) -> None:
    first = run_git(there, "rev-parse", "HEAD")
    run_git(there, "checkout", "-q", "-b", "next/one")
    second = commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    assert clone(source, tmp_path / "a", branch="next/one").after == second
    assert clone(source, tmp_path / "b", commit=first[:12]).after == first
    with pytest.raises(UsageError, match="stands at a commit"):
        update(tmp_path / "b")
    assert update(tmp_path / "b", branch="next/one") == Pulled(first, second)
    assert update(tmp_path / "b", commit=first) == Pulled(second, first)
    for wrong in ({"branch": "gone"}, {"commit": "0123456789"}):
        with pytest.raises(NotFoundError):
            update(tmp_path / "a", **wrong)
        with pytest.raises(NotFoundError):
            clone(source, tmp_path / "c", **wrong)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["-x", "--upload-pack=x", "a..b", "a b", "a~1", "@{-1}", "a:b", "", "a.lock", "a/"])
def test_what_is_no_branch(source: Source, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a branch"):
        clone(source, tmp_path / "x", branch=name)


@pytest.mark.parametrize("name", ["HEAD", "-x", "main", "abc", "0123456G"])
def test_what_is_no_commit(source: Source, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no commit"):
        clone(source, tmp_path / "x", commit=name)
    with pytest.raises(UsageError, match="cannot both"):
        clone(source, tmp_path / "x", commit="0123456", branch="main")


def test_what_was_changed_here_is_never_lost(there: Path, source: Source, tmp_path: Path) -> None:
    target = tmp_path / "here"
    clone(source, target)
    (target / "one").write_text("mine")
    with pytest.raises(UsageError, match="files were changed"):
        update(target)
    assert (target / "one").read_text() == "mine"
    commit(target, "mine", "x")
    commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    with pytest.raises(UsageError, match="1 commits were made here"):
        update(target)
    assert (target / "mine").exists()


def test_a_file_that_git_does_not_know_is_not_written_over(there: Path, source: Source, tmp_path: Path) -> None:
    clone(source, tmp_path / "here")
    (tmp_path / "here" / "two").write_text("mine")
    commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    with pytest.raises(AssayError):
        update(tmp_path / "here")
    assert (tmp_path / "here" / "two").read_text() == "mine"


def test_history_that_was_rewritten_there_is_told(there: Path, source: Source, tmp_path: Path) -> None:
    commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    clone(source, tmp_path / "here")
    run_git(there, "reset", "-q", "--hard", "HEAD~1")
    commit(there, "other", "3")
    run_git(there, "push", "-q", "--force", "origin", "HEAD")
    with pytest.raises(UsageError):
        update(tmp_path / "here")
    assert (tmp_path / "here" / "two").exists()


def test_hooks_and_the_surrounding_git_have_no_say(
    there: Path, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    monkeypatch.setenv("GIT_DIR", str(there / ".git"))
    clone(source, tmp_path / "here")
    monkeypatch.delenv("GIT_DIR")
    shutil.copytree(hooks, tmp_path / "here" / ".git" / "hooks", dirs_exist_ok=True)
    commit(there, "two", "2")
    run_git(there, "push", "-q", "origin", "HEAD")
    update(tmp_path / "here")
    assert (tmp_path / "here" / "two").exists() and not (tmp_path / "ran").exists()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="git clone failed"):
        clone(Source.parse(f"file://{tmp_path}/none"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_without_git(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git.shutil, "which", lambda _: None)
    with pytest.raises(MissingDependencyError):
        clone(source, tmp_path / "x")


# ---- repositories of our own


def test_an_author_is_an_account_and_a_name() -> None:
    assert git.Author.of("ada", "Ada Lovelace") == git.Author("Ada Lovelace", "ada@users.noreply.invalid")
    assert git.Author.of("ada").name == "ada"
    assert git.Author.of("ada", "<>\n\x1b").name == "ada"
    assert git.Author.of("ada", "A\nB <x@y>").name == "A B x@y"
    for account in ("", "-ada", "a b", "a\n", "../a", "a<b", "x" * 101):
        with pytest.raises(UsageError, match="account"):
            git.Author.of(account)


def test_only_the_given_paths_are_committed(tmp_path: Path) -> None:
    git.init(tmp_path)
    assert git.head(tmp_path) == ""
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    first = git.commit(tmp_path, ["a"], git.Author.of("ada"), "one\n# two")
    assert first == git.head(tmp_path)
    assert run_git(tmp_path, "ls-files") == "a"
    assert run_git(tmp_path, "log", "-1", "--format=%B") == "one\n# two"
    assert git.commit(tmp_path, ["a"], git.Author.of("ada"), "again") is None
    assert git.commit(tmp_path, [], git.Author.of("ada"), "again") is None


def test_names_are_no_patterns_and_no_options(tmp_path: Path) -> None:
    git.init(tmp_path)
    for name in ("*", "--all", ":!x", "x"):
        (tmp_path / name).write_text(name)
    git.commit(tmp_path, ["*", "--all", ":!x"], git.Author.of("ada"), "one")
    assert sorted(run_git(tmp_path, "ls-files").split("\n")) == sorted(["*", "--all", ":!x"])


def test_restoring_gives_back_what_was_and_takes_away_what_was_not(tmp_path: Path) -> None:
    git.init(tmp_path)
    for name in ("kept", "changed", "gone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    git.commit(tmp_path, ["kept", "changed", "gone"], git.Author.of("ada"), "one")
    (tmp_path / "changed" / "file").write_text("other")
    (tmp_path / "changed" / "new").write_text("new")
    (tmp_path / "kept" / "file").write_text("mine")
    shutil.rmtree(tmp_path / "gone")
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "file").write_text("x")
    run_git(tmp_path, "add", "changed")
    git.restore(tmp_path, ["changed", "gone", "fresh", "never"])
    assert run_git(tmp_path, "status", "--porcelain") == "M kept/file"
    assert not (tmp_path / "fresh").exists()


def test_settings_of_the_user_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[commit]\ngpgSign = true\n[core]\nautocrlf = true\n[user]\nname = Mallory\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "repository"
    git.init(folder)
    (folder / "a").write_bytes(b"a\r\n")
    git.commit(folder, ["a"], git.Author.of("ada"), "one")
    assert run_git(folder, "cat-file", "-s", "HEAD:a") == "3"
    assert run_git(folder, "log", "-1", "--format=%cn") == "assay"

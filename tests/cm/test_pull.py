from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.library import open_library
from assay.cm.names import Address, Name
from assay.cm.pull import pull
from assay.cm.registry import Registry
from assay.cm.repository import create_repository
from assay.errors import NotFoundError, UsageError

from .test_git import commit, run_git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


def published(tmp_path: Path, *, meta: bool = True) -> Path:
    """A bare repository with one experiment."""
    work = tmp_path / "work"
    with create_repository(work, "team@results", uid="a" * 16).editing() as edit:
        edit.add(EXPERIMENT, "one", tags=("x",))
    if not meta:
        (work / "cmr.yaml").unlink()
    run_git(work, "init", "-q")
    commit(work, "README", "x")
    bare = tmp_path / "srv" / "team" / "stuff.git"
    bare.parent.mkdir(parents=True)
    run_git(tmp_path, "clone", "-q", "--bare", "work", str(bare))
    run_git(work, "remote", "add", "origin", str(bare))
    return bare


def test_what_is_pulled_is_found(settings: Settings, tmp_path: Path) -> None:
    bare = published(tmp_path)
    repository, pulled = pull(settings, f"file://{bare}")
    assert repository.path == settings.repos_dir / "team@stuff" and not pulled.before
    assert repository.alias == "team@results"
    library = open_library(settings)
    assert [entry.address for entry in library.find(EXPERIMENT.name)] == ["team@results:one"]
    commit(tmp_path / "work", "more", "y")
    run_git(tmp_path / "work", "push", "-q", "origin", "HEAD")
    for text in ("team@results", "a" * 16, f"file://{bare}", str(repository.path)):
        again, pulled = pull(settings, text)
        assert again == repository and (repository.path / "more").exists()
    assert pulled.before == pulled.after
    assert len(open_library(settings).repositories) == 1


def test_without_metadata_nothing_is_written_into_it(settings: Settings, tmp_path: Path) -> None:
    bare = published(tmp_path, meta=False)
    repository, _ = pull(settings, str(bare), name="mine", desc="of the team")
    assert (repository.alias, repository.meta["desc"]) == ("mine", "of the team")
    assert run_git(repository.path, "status", "--porcelain", "--ignored") == ""
    assert not (repository.path / "cmr.yaml").exists()
    again, _ = pull(settings, "mine")
    assert (again.uid, again.meta["desc"]) == (repository.uid, "of the team")
    assert [entry.address for entry in open_library(settings).find(EXPERIMENT.name, tags=None)] == ["mine:one"]


def test_writing_leaves_no_lock_for_git_to_see(settings: Settings, tmp_path: Path) -> None:
    repository, _ = pull(settings, str(published(tmp_path)))
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "two")
    assert run_git(repository.path, "status", "--porcelain") == "?? experiment/two/"


def test_a_folder_that_is_taken_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    bare = published(tmp_path)
    pull(settings, str(bare))
    other = tmp_path / "other" / "team" / "stuff.git"
    shutil.copytree(bare, other)
    with pytest.raises(UsageError, match="clone of something else"):
        pull(settings, str(other))
    second, _ = pull(settings, str(other), name="second")
    assert second.alias == "team@results"
    assert len(open_library(settings).find(EXPERIMENT.name, None)) == 2
    (settings.repos_dir / "third").mkdir()
    with pytest.raises(UsageError, match="no clone"):
        pull(settings, str(bare), name="third")
    for name in ("local", "../out", "-x"):
        with pytest.raises(UsageError):
            pull(settings, str(bare), name=name)


def test_the_network_can_be_off(settings: Settings, tmp_path: Path) -> None:
    off = Settings(settings.home, offline=True)
    with pytest.raises(NotFoundError, match="network is off"):
        pull(off, "https://example.org/team/stuff.git")
    assert pull(off, str(published(tmp_path)))[0].alias == "team@results"


def test_a_broken_identity_is_no_reason_to_lose_others(settings: Settings, tmp_path: Path) -> None:
    repository, _ = pull(settings, str(published(tmp_path, meta=False)))
    place = settings.home / "repo-identities.json"
    assert list(json.loads(place.read_text())) == [str(repository.path)]
    assert Registry(settings).identity(repository.path)["alias"] == "team@stuff"
    assert open_library(settings).load(EXPERIMENT.name, Address(Name("one"))).tags == ("x",)


def test_a_description_is_kept_here(settings: Settings, tmp_path: Path) -> None:
    repository, _ = pull(settings, str(published(tmp_path)), desc="of the team")
    assert open_library(settings).repository("team@results").meta["desc"] == "of the team"
    assert "desc" not in (repository.path / "cmr.yaml").read_text()
    assert pull(settings, "team@results")[0].meta["desc"] == "of the team"
    assert Registry(settings).remove(repository.path)
    assert open_library(settings).repositories == ()


def test_a_name_that_is_registered_is_never_looked_for_elsewhere(settings: Settings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        Registry(settings).add(create_repository(tmp_path / name, "org@twin").path)
    with pytest.raises(UsageError, match="fits 2 repositories"):
        pull(settings, "org@twin")
    Registry(settings).remove(tmp_path / "two")
    with pytest.raises(UsageError, match="is no clone"):
        pull(settings, "org@twin")

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository
from assay.errors import InvalidInputError, MachineError, NotFoundError


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Settings(tmp_path / "home"))


def aliases(registry: Registry) -> list[str]:
    return [repository.alias for repository in registry.repositories()[0]]


def test_registered_repositories_are_found_after_the_local_one(registry: Registry, tmp_path: Path) -> None:
    assert registry.repositories() == ([], [])
    local_repository(registry.settings)
    one = create_repository(tmp_path / "one", "me@one")
    registry.add(one.path)
    registry.add(one.path)
    assert aliases(registry) == ["local", "me@one"]
    assert json.loads(registry.settings.registry.read_text()) == [str(one.path)]
    assert registry.owns(one.path) and not registry.owns(tmp_path / "home" / "repos" / "local")
    assert registry.remove(one.path) and not registry.remove(one.path)
    assert aliases(registry) == ["local"]
    assert one.path.is_dir()


def test_what_is_missing_or_broken_is_told_and_stops_nothing(registry: Registry, tmp_path: Path) -> None:
    good, bad, gone = (create_repository(tmp_path / name, f"me@{name}") for name in ("good", "bad", "gone"))
    for each in (bad, gone, good):
        registry.add(each.path)
    (bad.path / "cmr.yaml").write_text("alias: [")
    gone.path.rename(tmp_path / "moved")
    found, broken = registry.repositories()
    assert [each.alias for each in found] == ["me@good"]
    assert [each.path for each in broken] == [bad.path, gone.path]
    assert registry.remove(gone.path)


def test_same_alias_and_uid_live_side_by_side(registry: Registry, tmp_path: Path) -> None:
    one = create_repository(tmp_path / "one", "me@x", uid="0" * 16)
    two = create_repository(tmp_path / "two", "me@x", uid="0" * 16)
    registry.add(one.path)
    registry.add(two.path)
    assert [each.path for each in registry.repositories()[0]] == [one.path, two.path]


def test_one_repository_by_two_paths_is_one(registry: Registry, tmp_path: Path) -> None:
    one = create_repository(tmp_path / "one", "me@x")
    (tmp_path / "link").symlink_to(one.path)
    registry.add(one.path)
    registry.add(tmp_path / "link")
    assert len(registry.repositories()[0]) == 1


def test_cms_registry_is_read_and_never_written(tmp_path: Path) -> None:
    cm = tmp_path / "cm"
    theirs = create_repository(cm / "repos" / "a@b", "a@b")
    local = create_repository(cm / "repos" / "local", "local", uid="9a3280b14a4285c9")
    (cm / "repos.json").write_text('["a@b", "/gone"]')
    registry = Registry(Settings(tmp_path / "home", cm_repos=cm))
    found, broken = registry.repositories()
    assert [each.path for each in found] == [local.path, theirs.path]
    assert [each.path for each in broken] == [Path("/gone")]
    registry.add(create_repository(tmp_path / "mine", "me@mine").path)
    registry.remove(theirs.path)
    assert (cm / "repos.json").read_text() == '["a@b", "/gone"]'
    assert not registry.owns(theirs.path)
    assert len(registry.repositories()[0]) == 3


def test_a_folder_without_metadata_gets_none_and_is_known_by_ours(registry: Registry, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    (bare / "experiment" / "one").mkdir(parents=True)
    with pytest.raises(NotFoundError, match="no CM repository"):
        registry.add(bare)
    registry.add(bare, {"alias": "org@bare", "uid": "1" * 16})
    assert aliases(registry) == ["org@bare"]
    assert sorted(path.name for path in bare.iterdir()) == ["experiment"]
    # CM takes what it does not understand from its list: a folder without cmr.yaml is kept apart.
    assert not registry.settings.registry.exists()
    assert registry.remove(bare) and aliases(registry) == []


def test_a_broken_registry_is_not_written_over(registry: Registry, tmp_path: Path) -> None:
    one = create_repository(tmp_path / "one", "me@x")
    registry.settings.home.mkdir()
    registry.settings.registry.write_text('["half')
    assert [each.path for each in registry.repositories()[1]] == [registry.settings.registry]
    with pytest.raises(InvalidInputError, match="not JSON"):
        registry.add(one.path)
    assert registry.settings.registry.read_text() == '["half'
    (registry.settings.home / "repo-identities.json").write_text("[]")
    with pytest.raises(InvalidInputError):
        registry.add(tmp_path, {"alias": "a", "uid": "b"})


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    one = create_repository(tmp_path / "one", "me@x")
    with pytest.raises(MachineError):
        Registry(Settings(tmp_path / "home")).add(one.path)


ADD = """
import sys
from pathlib import Path
from assay.base.settings import Settings
from assay.cm.registry import Registry
Registry(Settings(Path(sys.argv[1]))).add(Path(sys.argv[2]))
"""


def test_registering_at_once_loses_nothing(registry: Registry, tmp_path: Path) -> None:
    paths = [create_repository(tmp_path / f"r{number}", f"me@r{number}").path for number in range(6)]
    home = str(registry.settings.home)
    running = [subprocess.Popen([sys.executable, "-c", ADD, home, str(path)]) for path in paths]
    assert [each.wait(120) for each in running] == [0] * 6
    assert sorted(aliases(registry)) == [f"me@r{number}" for number in range(6)]

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT, Artifact, Automation
from assay.cm.names import Name, TagQuery
from assay.cm.repository import Broken, Repository, create_repository, local_repository, open_repository
from assay.errors import InvalidInputError, NotFoundError, UsageError

CFG = Automation("cfg", "88dce9c160324c5d")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return create_repository(tmp_path / "repo", "someone@results")


def test_a_new_repository_has_cms_fields(tmp_path: Path) -> None:
    made = create_repository(tmp_path / "repo", "me@mine", fields={"desc": "Größe: 1"})
    read = yaml.safe_load((tmp_path / "repo" / "cmr.yaml").read_text())
    assert read == {"alias": "me@mine", "uid": made.uid, "git": False, "desc": "Größe: 1"}
    assert len(made.uid) == 16
    again = create_repository(tmp_path / "repo", "other")
    assert again == made


def test_the_local_repository_has_cms_identity(tmp_path: Path) -> None:
    local = local_repository(Settings(tmp_path))
    assert (local.alias, local.uid, local.path) == ("local", "9a3280b14a4285c9", tmp_path / "repos" / "local")
    assert local_repository(Settings(tmp_path)) == local


def test_add_find_update_remove(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("mlperf", "edge"), meta={"_kept": {"a": [1]}})
        edit.add(EXPERIMENT, "two", tags=("mlperf",))
        edit.add(CFG, "one", tags=("mlperf",))
    assert one.meta == {
        "alias": "one",
        "uid": one.uid,
        "automation_alias": "experiment",
        "automation_uid": "a0a2d123ef064bcb",
        "tags": ["mlperf", "edge"],
        "_kept": {"a": [1]},
    }
    assert [a.alias for a in repository.find(EXPERIMENT)] == ["one", "two"]
    assert [a.alias for a in repository.find(EXPERIMENT, tags=TagQuery.parse("mlperf,-edge"))] == ["two"]
    assert [a.alias for a in repository.find(EXPERIMENT, Name("t*"))] == ["two"]
    assert repository.load(EXPERIMENT, Name(uid=one.uid)) == one
    assert len(repository.find()) == 3
    with repository.editing() as edit:
        changed = edit.update(one, tags=("edge", "new"), meta={"uid": "stolen", "extra": 1})
        edit.remove(edit.ensure(EXPERIMENT, "two"))
    assert changed.uid == one.uid and changed.tags == ("mlperf", "edge", "new")
    assert repository.load(EXPERIMENT, Name("one")).meta["_kept"] == {"a": [1]}
    assert [a.alias for a in repository.find(EXPERIMENT)] == ["one"]


def test_update_starts_from_what_is_on_disk(repository: Repository) -> None:
    with repository.editing() as edit:
        stale = edit.add(EXPERIMENT, "one", tags=("a",))
        edit.update(stale, tags=("b",))
        assert edit.update(stale, tags=("c",)).tags == ("a", "b", "c")


def test_an_alias_is_taken_once(repository: Repository) -> None:
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "one")
        with pytest.raises(UsageError, match="already"):
            edit.add(EXPERIMENT, "one")
        assert edit.ensure(EXPERIMENT, "one").alias == "one"


def test_yaml_artifacts_in_foreign_folders_are_found(repository: Repository) -> None:
    folder = repository.path / "experiments" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "_cm.yaml").write_text(
        "alias: odd\nuid: 0123456789abcdef\ntags: [x]\nautomation_alias: experiment\nautomation_uid: a0a2d123ef064bcb\n"
    )
    assert [a.path for a in repository.find(EXPERIMENT, Name("odd"))] == [folder]
    with repository.editing() as edit:
        changed = edit.ensure(EXPERIMENT, "odd", tags=("y",))
    assert changed.path == folder
    # The YAML is what was changed: a JSON beside it would override it from now on.
    assert not (folder / "_cm.json").exists()
    assert yaml.safe_load((folder / "_cm.yaml").read_text())["tags"] == ["x", "y"]


def test_a_broken_artifact_hides_no_other(repository: Repository) -> None:
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "good")
    bad = repository.path / "experiment" / "bad"
    bad.mkdir()
    (bad / "_cm.json").write_text("{")
    seen = list(repository.scan(EXPERIMENT))
    assert [item.path.name for item in seen if isinstance(item, Broken)] == ["bad"]
    assert [a.alias for a in repository.find(EXPERIMENT)] == ["good"]


def test_none_and_several(repository: Repository) -> None:
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "bert-offline")
        edit.add(EXPERIMENT, "bert-server")
    with pytest.raises(NotFoundError, match="bert-offline"):
        repository.load(EXPERIMENT, Name("bert-offlin"))
    with pytest.raises(NotFoundError, match="fits 2"):
        repository.load(EXPERIMENT, Name("bert-*"))


def test_bases_are_resolved(repository: Repository) -> None:
    with repository.editing() as edit:
        edit.add(CFG, "base", tags=("b",), meta={"limit": {"a": 1}})
        child = edit.add(EXPERIMENT, "child", tags=("c",), meta={"_base": f"cfg,{CFG.uid}::base", "limit": {"b": 2}})
    meta = repository.effective(child)
    assert meta["limit"] == {"a": 1, "b": 2} and meta["tags"] == ["b", "c"] and meta["alias"] == "child"


@pytest.mark.parametrize("name", ["../x.json", "/etc/x", "a/../../x", "_cm.json", "", "a//b", ".hidden", "x\n.json"])
def test_files_stay_inside(repository: Repository, name: str) -> None:
    with repository.editing() as edit:
        one = edit.ensure(EXPERIMENT, "one")
        with pytest.raises(UsageError):
            edit.write_file(one, name, [])


def test_only_what_is_inside_is_removed(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with repository.editing() as edit, pytest.raises(InvalidInputError):
        edit.remove(Artifact(tmp_path / "precious", {}))
    assert (tmp_path / "precious").is_dir()


def test_links_out_of_the_repository_are_not_followed(repository: Repository, tmp_path: Path) -> None:
    outside = create_repository(tmp_path / "outside", "x@y")
    with outside.editing() as edit:
        secret = edit.add(EXPERIMENT, "secret")
    (repository.path / "experiment").mkdir()
    (repository.path / "experiment" / "link").symlink_to(secret.path)
    assert repository.find() == []


def test_prefix(tmp_path: Path) -> None:
    (tmp_path / "cmr.yaml").write_text("alias: a@b\nuid: 0000000000000001\nprefix: inner\n")
    repository = open_repository(tmp_path)
    with repository.editing() as edit:
        assert edit.add(EXPERIMENT, "one").path == tmp_path / "inner" / "experiment" / "one"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alias: a\nuid: 0000000000000001\nprefix: ../..\n", "prefix leaves"),
        ("alias: a\n", "no uid"),
        ("uid: 0000000000000001\n", "no alias"),
    ],
)
def test_repositories_that_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "cmr.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=says):
        open_repository(tmp_path)


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no CM repository"):
        open_repository(tmp_path)


WRITER = """
import sys
from pathlib import Path
from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.repository import local_repository

number = sys.argv[2]
with local_repository(Settings(Path(sys.argv[1]))).editing() as edit:
    edit.add(EXPERIMENT, f"entry-{number}", tags=("all", f"n{number}"))
    edit.ensure(EXPERIMENT, "shared", tags=(f"n{number}",), meta={f"field{number}": number})
"""


def test_twelve_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)], stderr=subprocess.PIPE)
        for n in range(12)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    repository = local_repository(Settings(tmp_path))
    assert {a.alias for a in repository.find(EXPERIMENT, tags=TagQuery.parse("all"))} == {
        f"entry-{n}" for n in range(12)
    }
    shared = repository.load(EXPERIMENT, Name("shared"))
    assert set(shared.tags) == {f"n{n}" for n in range(12)}
    assert {key for key in shared.meta if key.startswith("field")} == {f"field{n}" for n in range(12)}
    assert not list(repository.path.rglob("*.part"))

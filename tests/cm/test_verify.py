from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.library import Library, open_library
from assay.cm.registry import Registry
from assay.cm.repository import Repository, create_repository
from assay.cm.verify import twins, verify

GOOD = {"automation_alias": "experiment", "automation_uid": EXPERIMENT.uid, "tags": ["a"]}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = create_repository(tmp_path / "repo", "me@mine")
    Registry(Settings(tmp_path / "home")).add(made.path)
    with made.editing() as edit:
        edit.add(EXPERIMENT, "good", tags=("a", "b"), meta={"_base": "base"})
        edit.add(EXPERIMENT, "base")
    return made


def put(repository: Repository, name: str, text: object, file: str = "_cm.json", kind: str = "experiment") -> Path:
    folder = repository.path / kind / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def found(repository: Repository, tmp_path: Path) -> dict[str, str]:
    library = open_library(Settings(tmp_path / "home"))
    told: dict[str, str] = {}
    for problem in verify(library, library.repositories[0]):
        where = problem.where.removeprefix(f"{repository.path}/")
        told[where] = " | ".join([*filter(None, [told.get(where)]), f"{problem.kind}: {problem.what}"])
    return told


def test_nothing_is_wrong_with_what_assay_wrote(repository: Repository, tmp_path: Path) -> None:
    assert found(repository, tmp_path) == {}


def test_broken_metadata_with_file_and_line(repository: Repository, tmp_path: Path) -> None:
    put(repository, "json", '{\n "alias": "x",\n}')
    put(repository, "yaml", "a: 1\nb: [\n", "_cm.yaml")
    put(repository, "list", "[]")
    put(repository, "empty", {})
    with (put(repository, "huge", "") / "_cm.json").open("wb") as stream:
        stream.truncate(1 << 30)
    told = found(repository, tmp_path)
    assert [where for where in told if where.startswith("experiment/json/_cm.json:")] != []
    assert [where for where in told if where.startswith("experiment/yaml/_cm.yaml:3")] != []
    assert "mapping" in told["experiment/list/_cm.json"] and "neither alias nor uid" in told["experiment/empty"]
    assert "too large" in told["experiment/huge/_cm.json"]


@pytest.mark.parametrize(
    ("name", "meta", "says"),
    [
        ("x", {"alias": "good", "uid": "1" * 16, **GOOD}, "same alias"),
        ("x", {"alias": "a b", "uid": "1" * 16, **GOOD}, "cannot be an alias"),
        ("x", {"alias": "x", "uid": "short", **GOOD}, "not 16 lower-case hex digits"),
        ("x", {"alias": "y", "uid": "1" * 16, **GOOD}, "odd folder"),
        ("x", {"alias": "x", "uid": "1" * 16}, "no automation"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "automation_alias": "script"}, "a script in the folder"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "automation_uid": "2" * 16}, "has the uid a0a2d123ef064bcb"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "tags": "a"}, "list of texts"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "tags": ["-a"]}, "nobody can ask"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "tags": ["a", "a"]}, "given twice"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "_base": "gone"}, "is not there"),
        ("x", {"alias": "x", "uid": "1" * 16, **GOOD, "_base": "x"}, "experiment::x -> experiment::x"),
    ],
)
def test_each_kind_of_problem(
    repository: Repository, tmp_path: Path, name: str, meta: dict[str, object], says: str
) -> None:
    put(repository, name, meta)
    assert any(says in text for text in found(repository, tmp_path).values()), found(repository, tmp_path)


def test_uids_given_twice(repository: Repository, tmp_path: Path) -> None:
    for name in ("x", "y"):
        put(repository, name, {"alias": name, "uid": "1" * 16, **GOOD})
    assert "same uid" in found(repository, tmp_path)["experiment/y"]


def test_a_kind_that_nobody_knows_goes_by_its_first(repository: Repository, tmp_path: Path) -> None:
    for name, uid in (("x", "1" * 16), ("y", "2" * 16)):
        meta = {"alias": name, "uid": uid, "automation_alias": "thing", "automation_uid": uid}
        put(repository, name, meta, kind="thing")
    assert found(repository, tmp_path) == {"thing/y": "wrong automation: automation_uid differs from that of x"}


def test_a_json_that_hides_a_yaml(repository: Repository, tmp_path: Path) -> None:
    put(repository, "x", {"alias": "x", "uid": "1" * 16, **GOOD})
    put(repository, "x", "alias: x\ntags: [other]\n", "_cm.yaml")
    assert found(repository, tmp_path) == {"experiment/x": "overridden: _cm.json says otherwise than _cm.yaml: tags"}


def test_links_and_large_files(repository: Repository, tmp_path: Path) -> None:
    (repository.path / "experiment" / "link").symlink_to(tmp_path)
    (repository.path / "experiment" / "good" / "in").symlink_to(repository.path / "cmr.yaml")
    with (repository.path / "experiment" / "good" / "cm-result.json").open("wb") as stream:
        stream.truncate(1 << 30)
    told = found(repository, tmp_path)
    assert told.keys() == {"experiment/link", "experiment/good/cm-result.json"}


def test_the_repository_itself(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "cmr.yaml").write_text("alias: a b\nuid: x\nprefix: gone\n")
    bare = tmp_path / "bare"
    bare.mkdir()
    registry = Registry(Settings(tmp_path / "home"))
    registry.add(tmp_path / "repo")
    registry.add(bare, {"alias": "me@bare", "uid": "1" * 16})
    library = open_library(registry.settings)
    assert [problem.kind for problem in verify(library, library.repositories[0])] == [
        "odd name",
        "odd name",
        "no folder",
    ]
    assert [problem.kind for problem in verify(library, library.repositories[1])] == ["no metadata"]


def test_twins(tmp_path: Path) -> None:
    one = create_repository(tmp_path / "one", "me@x", uid="1" * 16)
    two = create_repository(tmp_path / "two", "ME@x", uid="1" * 16)
    assert [problem.kind for problem in twins(Library((one, two)))] == ["same alias", "same uid"]
    assert twins(Library((one,))) == []

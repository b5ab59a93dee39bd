"""What assay writes, read by CM itself, and the other way; needs ``cmind`` (``pip install cmind==4.2.0``)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT, Automation
from assay.cm.edits import copy_to, move_to
from assay.cm.library import open_library
from assay.cm.names import Address, Name, TagQuery
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository, open_repository

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cmind") is None, reason="cmind is not installed (pip install cmind==4.2.0)"
)

# CM has no code for experiments outside its big repository: "common" asks for the actions of every kind.
ASK = """
import json, sys
import cmind

def plain(answer):
    if "list" in answer:
        answer = {**answer, "list": [
            {"meta": a.meta, "path": a.path, "repo": a.repo_meta} for a in answer["list"]
        ]}
    return {k: v for k, v in answer.items() if k in ("return", "error", "list", "meta", "original_meta", "path")}

answers = []
for asked in json.load(sys.stdin):
    if asked.get("automation") == "experiment":
        asked = {**asked, "automation": "experiment,a0a2d123ef064bcb", "common": True}
    answers.append(plain(cmind.access(asked)))
print("ANSWERS" + json.dumps(answers, default=str))
"""


def cm(home: Path, *asked: dict[str, Any], **variables: str) -> list[dict[str, Any]]:
    """What CM answers to some questions, in one process of its own."""
    if not (home / "repos.json").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "repos.json").write_text("[]")
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "CM_REPOS": str(home), **variables},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout.partition("ANSWERS")[2])
    return answers


def search(home: Path, **more: object) -> list[str]:
    (answer,) = cm(home, {"action": "search", "automation": "experiment", **more})
    assert answer["return"] == 0, answer
    return sorted(each["meta"]["alias"] for each in answer["list"])


def test_cm_finds_loads_and_adds(tmp_path: Path) -> None:
    repository = local_repository(Settings(tmp_path))
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("mlperf", "offline"), meta={"_assay": {"kept": [1, 2.5, None, "ü"]}})
        edit.add(EXPERIMENT, "two", tags=("mlperf", "server"))
    found, loaded, added, updated = cm(
        tmp_path,
        {"action": "search", "automation": "experiment", "tags": "mlperf,-server"},
        {"action": "load", "automation": "experiment", "artifact": "local:one"},
        {"action": "add", "automation": "experiment", "artifact": "from-cm", "tags": "mlperf,made-by-cm"},
        {"action": "update", "automation": "experiment", "artifact": "two", "tags": "seen"},
    )
    assert [each["meta"]["alias"] for each in found["list"]] == ["one"]
    assert found["list"][0]["repo"]["uid"] == "9a3280b14a4285c9"
    assert loaded["meta"] == one.meta
    assert (added["return"], updated["return"]) == (0, 0)
    # And back: what CM wrote is read here.
    assert repository.load(EXPERIMENT, Name("from-cm")).tags == ("mlperf", "made-by-cm")
    assert "seen" in repository.load(EXPERIMENT, Name("two")).tags
    library = open_library(Settings(tmp_path / "other", cm_repos=tmp_path))
    assert len(library.find(EXPERIMENT.name, tags=TagQuery.parse("mlperf"))) == 3


def test_twelve_adds_at_once_lose_nothing_and_cm_sees_them(tmp_path: Path) -> None:
    assay = str(Path(sys.executable).with_name("assay"))
    environment = {**os.environ, "ASSAY_HOME": str(tmp_path)}
    environment.pop("CM_REPOS", None)
    running = [
        subprocess.Popen(
            [assay, "add", "experiment", f"e{number:02d}", "--tags", "at-once"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for number in range(12)
    ]
    assert [each.wait(150) for each in running] == [0] * 12
    names = [f"e{number:02d}" for number in range(12)]
    found = subprocess.run(
        [assay, "find", "experiment", "--tags", "at-once"], env=environment, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in found.stdout.splitlines()] == [f"local:{name}" for name in names]
    assert search(tmp_path, tags="at-once") == names


def test_what_cm_has_in_its_index_and_what_not(tmp_path: Path) -> None:
    """CM believes its index: it sees what came later after ``cm reindex repo``, or without an index."""
    repository = local_repository(Settings(tmp_path))
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "early", tags=("x",))
    assert search(tmp_path, tags="x") == ["early"]
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "late", tags=("x",))
    assert sorted(entry.name.alias for entry in open_library(Settings(tmp_path)).find()) == ["early", "late"]
    assert cm(tmp_path, {"action": "reindex", "automation": "repo"})[0]["return"] == 0
    assert search(tmp_path, tags="x") == ["early", "late"]


def test_copies_moves_updates_and_removals_are_what_cm_sees(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    local = local_repository(settings)
    other = create_repository(tmp_path / "repos" / "me@other", "me@other")
    Registry(settings).add(other.path)
    with local.editing() as edit:
        for name in ("a", "b", "c"):
            edit.add(EXPERIMENT, name, tags=("x",))
    library = open_library(settings)
    a, b, c = library.find(EXPERIMENT.name, Address.parse("local:"))
    copied = copy_to(a, EXPERIMENT, other, "a-copy")
    moved = move_to(b, EXPERIMENT, other, "b-moved")
    with local.editing() as edit:
        edit.remove(c.read())
        edit.change(a.read(), values={("deep", "er"): [1]}, tags=["y"])
    assert search(tmp_path) == ["a", "a-copy", "b-moved"]
    loaded = cm(
        tmp_path,
        *({"action": "load", "automation": "experiment", "artifact": each} for each in ("a", copied.uid, b.name.uid)),
    )
    assert [answer["meta"]["alias"] for answer in loaded] == ["a", "a-copy", "b-moved"]
    assert loaded[0]["meta"]["deep"] == {"er": [1]} and loaded[2]["meta"] == moved.meta


MODULE = """
from cmind.automation import Automation

class CAutomation(Automation):
    def __init__(self, cmind, automation_file):
        super().__init__(cmind, __file__)
"""


def test_inheritance_is_cms(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    with local_repository(settings).editing() as edit:
        # CM looks for a base by the kind's own code.
        kind = edit.add(Automation("automation", "bbeb15d8f0a944a4"), "experiment", uid=EXPERIMENT.uid)
        (kind.path / "module.py").write_text(MODULE)
        edit.add(EXPERIMENT, "ground", tags=("g",), meta={"d": {"a": 1, "l": [1]}, "s": 1, "only": "g"})
        edit.add(EXPERIMENT, "middle", tags=("m",), meta={"_base": "ground", "d": {"l": [2], "b": 2}, "s": 2})
        uid = EXPERIMENT.uid
        edit.add(EXPERIMENT, "top", tags=("t",), meta={"_base": f"experiment,{uid}::middle", "d": {"l": [3]}})
    library = open_library(settings)
    for name in ("ground", "middle", "top"):
        (answer,) = cm(tmp_path, {"action": "load", "automation": "experiment", "artifact": name})
        entry = library.load(EXPERIMENT.name, Address(Name(name)))
        # CM answers an inherited alias and uid of its own: it is the fields that count.
        assert answer["meta"] == library.effective(entry), name
    for tag in ("g", "m", "t"):
        (answer,) = cm(tmp_path, {"action": "search", "automation": "experiment", "tags": tag}, CM_INDEX="no")
        theirs = sorted(each["meta"]["alias"] for each in answer["list"])
        found = library.find(EXPERIMENT.name, tags=TagQuery.parse(tag))
        assert sorted(entry.name.alias for entry in found) == theirs, tag


def test_yaml_of_cm_stays_yaml_and_is_read_by_cm(tmp_path: Path) -> None:
    asked = {"action": "add", "automation": "experiment", "artifact": "y", "tags": "a", "yaml": True, "meta": {"n": 1}}
    assert cm(tmp_path, asked)[0]["return"] == 0
    local = open_repository(tmp_path / "repos" / "local")
    with local.editing() as edit:
        artifact = local.load(EXPERIMENT, Name("y"))
        assert [path.name for path in artifact.path.iterdir()] == ["_cm.yaml"]
        edit.change(artifact, values={("n",): "2026-01-01", ("yes",): "no"}, tags=["b"])
        assert [path.name for path in artifact.path.iterdir()] == ["_cm.yaml"]
    (answer,) = cm(tmp_path, {"action": "load", "automation": "experiment", "artifact": "y"})
    assert answer["meta"] == local.load(EXPERIMENT, Name("y")).meta
    assert answer["meta"]["n"] == "2026-01-01" and answer["meta"]["tags"] == ["a", "b"]


def test_twins_that_cm_refuses_live_side_by_side_here(tmp_path: Path) -> None:
    home = tmp_path / "cm"
    one = create_repository(tmp_path / "one", "org@twin", uid="6fbf42fa292142da")
    same_alias = create_repository(tmp_path / "two", "org@twin")
    same_uid = create_repository(tmp_path / "three", "org@other", uid="6fbf42fa292142da")
    repositories = (one, same_alias, same_uid)
    for repository in repositories:
        with repository.editing() as edit:
            edit.add(EXPERIMENT, repository.path.name, tags=("x",))
    # CM's automation of repositories registers the folder that it is called in.
    answers = cm(
        home,
        *(
            {"action": "init", "automation": "repo", "artifact": each.alias, "path": str(each.path)}
            for each in repositories
        ),
    )
    assert [answer["return"] == 0 for answer in answers].count(True) <= 1
    settings = Settings(tmp_path / "home", cm_repos=home)
    before = (home / "repos.json").read_bytes()
    for repository in repositories:
        Registry(settings).add(repository.path)
    library = open_library(settings)
    found = library.find(EXPERIMENT.name, tags=TagQuery.parse("x"))
    assert sorted(entry.name.alias for entry in found) == ["one", "three", "two"]
    assert (home / "repos.json").read_bytes() == before


def test_cms_repositories_are_found_and_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "cm"
    theirs = create_repository(home / "repos" / "a@b", "a@b", fields={"prefix": "inner"})
    (home / "repos.json").write_text(json.dumps([str(theirs.path)]))
    asked = {"action": "add", "automation": "experiment", "artifact": "a@b:deep", "tags": "x"}
    assert cm(home, asked)[0]["return"] == 0
    assert (theirs.path / "inner" / "experiment" / "deep").is_dir()
    tree = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    library = open_library(Settings(tmp_path / "home", cm_repos=home))
    assert [entry.address for entry in library.find(EXPERIMENT.name)] == ["a@b:deep"]
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == tree


ALIASES = st.text(alphabet="abAB.-_1", max_size=4)
UIDS = st.sampled_from(["", "0" * 16, "a0a2d123ef064bcb"])


@given(ALIASES, UIDS, ALIASES, UIDS)
def test_names_match_as_cms_do(alias: str, uid: str, asked_alias: str, asked_uid: str) -> None:
    """Without wildcards, which CM also holds against uids; and a bare uid does not mean a thing that has none."""
    from cmind.utils import match_objects

    theirs = match_objects(uid, alias, asked_uid, asked_alias, more_strict=True)["match"]
    assert Name(asked_alias, asked_uid).fits(Name(alias, uid)) == theirs

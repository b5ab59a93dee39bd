from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT, Automation
from assay.cm.library import Library, open_library
from assay.cm.names import Address, Name, TagQuery
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository
from assay.errors import InvalidInputError, NotFoundError, UsageError

KIND = EXPERIMENT.name
SCRIPT = Automation("script", "5b4e0237da074764")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A local repository, and two others of one alias and one uid."""
    settings = Settings(tmp_path / "home")
    with local_repository(settings).editing() as edit:
        edit.add(EXPERIMENT, "bert", tags=("mlperf", "offline"), meta={"watts": 100})
        edit.add(EXPERIMENT, "resnet", tags=("mlperf", "server"), meta={"watts": 300})
    for name in ("one", "two"):
        repository = create_repository(tmp_path / name, "org@twins", uid="f" * 16)
        Registry(settings).add(repository.path)
        with repository.editing() as edit:
            edit.add(EXPERIMENT, "shared", tags=("mlperf", name), uid="e" * 16)
            edit.add(SCRIPT, f"script-{name}")
    return open_library(settings)


def names(library: Library, text: str = "", **more: object) -> list[str]:
    return [entry.name.alias for entry in library.find(KIND, Address.parse(text), **more)]  # type: ignore[arg-type]


def test_all_repositories_are_looked_in(library: Library) -> None:
    assert names(library) == ["bert", "resnet", "shared", "shared"]
    assert names(library, "b*") == ["bert"]
    assert names(library, "local:") == ["bert", "resnet"]
    assert names(library, tags=TagQuery.parse("mlperf,-server")) == ["bert", "shared", "shared"]
    assert names(library, where=lambda artifact: artifact.meta.get("watts") == 300) == ["resnet"]
    assert len(library.find()) == 6
    assert library.kinds() == ["experiment", "script"]


def test_twins_live_side_by_side_and_are_told_apart(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fits 2 artifacts") as caught:
        library.load(KIND, Address.parse("shared"))
    for name in ("one", "two"):
        assert f"{tmp_path / name}:shared" in str(caught.value)
        entry = library.load(KIND, Address(Name("shared"), Name(str(tmp_path / name))))
        assert entry.tags == ("mlperf", name)
        assert library.repository(str(tmp_path / name)).path == tmp_path / name
    for text in ("org@twins", "f" * 16):
        with pytest.raises(UsageError, match="fits 2 repositories"):
            library.repository(text)
    assert library.repository("local").alias == "local"


def test_the_repository_around_is_a_dot(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "one" / "experiment")
    assert library.repository(".").path == tmp_path / "one"
    assert names(library, ".:") == ["shared"]


def test_none_is_told_with_what_is_close(library: Library) -> None:
    with pytest.raises(NotFoundError, match="resnet"):
        library.load(KIND, Address.parse("resnt"))
    with pytest.raises(NotFoundError, match="unknown repository 'locl'.*local"):
        library.find(KIND, Address.parse("locl:x"))
    with pytest.raises(NotFoundError):
        library.repository("/nowhere")


def test_kinds_have_alias_and_uid(library: Library) -> None:
    assert library.automation("experiment") == library.automation(EXPERIMENT.uid) == EXPERIMENT
    assert library.automation("thing,1234567890abcdef") == Automation("thing", "1234567890abcdef")
    with pytest.raises(NotFoundError, match="experiment"):
        library.automation("experimnt")
    for uid in ("1" * 16, "2" * 16):
        with library.repositories[0].editing() as edit:
            edit.add(Automation("thing", uid), f"t{uid}")
        if uid == "1" * 16:
            assert library.automation("thing") == Automation("thing", uid)
    with pytest.raises(UsageError, match="fits 2 automations"):
        library.automation("thing")


def test_bases_are_found_near_then_anywhere(library: Library) -> None:
    local, one, two = library.repositories
    for repository in (one, two):
        with repository.editing() as edit:
            edit.add(EXPERIMENT, "base", tags=("base",), meta={"from": repository.path.name})
            edit.add(EXPERIMENT, f"child-{repository.path.name}", meta={"_base": "base", "own": 1})
    with local.editing() as edit:
        edit.add(EXPERIMENT, "far", meta={"_base": f"script::script-{one.path.name}"})
        edit.add(EXPERIMENT, "unclear", meta={"_base": "base"})
        edit.add(EXPERIMENT, "clear", meta={"_base": f"experiment::{two.path}:base"})
    for name, comes_from in (("child-one", "one"), ("child-two", "two"), ("clear", "two")):
        assert library.effective(library.load(KIND, Address.parse(name)))["from"] == comes_from
    assert library.effective(library.load(KIND, Address.parse("far")))["alias"] == "far"
    with pytest.raises(InvalidInputError, match="fits 2 artifacts"):
        library.effective(library.load(KIND, Address.parse("unclear")))


def test_what_cannot_be_read_is_listed(library: Library, tmp_path: Path) -> None:
    (tmp_path / "one" / "experiment" / "bad").mkdir()
    (tmp_path / "one" / "experiment" / "bad" / "_cm.json").write_text('{"alias": ')
    assert [each.path.name for each in library.unreadable()] == ["bad"]
    assert len(names(library)) == 4


def test_an_entry_whose_artifact_is_gone(library: Library) -> None:
    import shutil

    entry = library.load(KIND, Address.parse("bert"))
    shutil.rmtree(entry.path)
    with pytest.raises(NotFoundError):
        entry.read()


def test_a_test_of_fields_is_asked_of_what_can_be_read(library: Library) -> None:
    seen: list[str] = []
    assert names(library, "local:", where=lambda artifact: bool(seen.append(artifact.alias))) == []  # type: ignore[func-returns-value]
    assert seen == ["bert", "resnet"]
    with pytest.raises(ZeroDivisionError):
        names(library, where=lambda _: bool(1 / 0))


def test_tags_and_fields_of_bases_count(library: Library) -> None:
    local = library.repositories[0]
    with local.editing() as edit:
        edit.add(EXPERIMENT, "child", tags=("own",), meta={"_base": "bert"})
        edit.add(EXPERIMENT, "grandchild", meta={"_base": "child", "watts": 5})
        edit.add(EXPERIMENT, "orphan", tags=("mlperf",), meta={"_base": "gone"})
        edit.add(EXPERIMENT, "circle", tags=("mlperf",), meta={"_base": "circle"})
    assert names(library, "local:", tags=TagQuery.parse("offline")) == ["bert", "child", "grandchild"]
    assert names(library, tags=TagQuery.parse("own,mlperf")) == ["child", "grandchild"]
    assert names(library, "local:", tags=TagQuery.parse("mlperf,-own,-server")) == ["bert", "circle", "orphan"]
    assert names(library, where=lambda artifact: artifact.meta.get("watts") == 100) == ["bert", "child"]
    assert library.load(KIND, Address.parse("grandchild")).tags == ("mlperf", "offline", "own")

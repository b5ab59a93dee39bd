from __future__ import annotations

import errno
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.cm import indexing
from assay.cm.artifact import EXPERIMENT
from assay.cm.index import Index, index_path
from assay.cm.indexing import broken_folders, current_index, matching, rows
from assay.cm.names import Name, TagQuery
from assay.cm.repository import Repository, create_repository

BASE = {"automation_alias": "experiment", "automation_uid": EXPERIMENT.uid}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return create_repository(tmp_path / "repo", "me@mine")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything had been written long ago: stamps are believed at once."""
    monkeypatch.setattr(indexing, "_RACY_NS", -(10**15))


def put(repository: Repository, name: str, meta: dict[str, object], suffix: str = "json") -> Path:
    """Write metadata as any program might: in place, without a lock."""
    folder = repository.path / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"_cm.{suffix}").write_text(json.dumps(meta))
    return folder


def full(alias: str, *tags: str) -> dict[str, object]:
    return {"alias": alias, "uid": f"{abs(hash(alias)):016x}"[-16:], "tags": list(tags), **BASE}


def seen(repository: Repository, home: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {row.folder: (row.alias, row.tags) for row in rows(current_index(repository, home))}


CHANGES: list[tuple[str, Callable[[Repository], object]]] = [
    ("an artifact is added", lambda r: put(r, "experiment/new", full("new", "x"))),
    ("an artifact of another kind is added", lambda r: put(r, "cfg/new", full("new", "x"))),
    ("an artifact is removed", lambda r: shutil.rmtree(r.path / "experiment" / "one")),
    ("a folder is renamed", lambda r: (r.path / "experiment" / "one").rename(r.path / "experiment" / "three")),
    ("a file is edited in place", lambda r: put(r, "experiment/one", full("one", "other"))),
    ("a YAML is edited in place", lambda r: put(r, "experiment/yaml", full("yaml", "other"), "yaml")),
    ("a folder becomes an artifact", lambda r: put(r, "experiment/empty", full("empty", "now"))),
    ("a JSON is put over a YAML", lambda r: put(r, "experiment/yaml", {"tags": ["over"]})),
    ("a YAML is put under a partial JSON", lambda r: put(r, "experiment/partial", {"tags": ["under"]}, "yaml")),
    ("metadata disappear", lambda r: (r.path / "experiment" / "one" / "_cm.json").unlink()),
    ("a YAML disappears", lambda r: (r.path / "experiment" / "yaml" / "_cm.yaml").unlink()),
    ("metadata break", lambda r: (r.path / "experiment" / "one" / "_cm.json").write_text("{")),
    ("metadata are repaired", lambda r: put(r, "experiment/broken", full("broken", "well"))),
    ("a kind is renamed", lambda r: (r.path / "experiment").rename(r.path / "results")),
    ("the prefix changes", lambda r: (r.path / "cmr.yaml").write_text("alias: a\nuid: 1\nprefix: inner\n")),
]


@pytest.fixture
def mixed(repository: Repository) -> Repository:
    put(repository, "experiment/one", full("one", "a"))
    put(repository, "experiment/two", full("two", "a", "b"))
    put(repository, "experiment/yaml", full("yaml", "y"), "yaml")
    put(repository, "experiment/partial", {"alias": "partial", "uid": "1" * 16, **BASE})
    put(repository, "inner/experiment/deep", full("deep"))
    put(repository, "experiment/broken", {})
    (repository.path / "experiment" / "empty").mkdir()
    return repository


@pytest.mark.parametrize(("what", "change"), CHANGES, ids=[what for what, _ in CHANGES])
@pytest.mark.usefixtures("settled")
def test_no_change_by_another_program_is_missed(
    mixed: Repository, tmp_path: Path, what: str, change: Callable[[Repository], object]
) -> None:
    from assay.cm.repository import open_repository

    home = tmp_path / "home"
    before = seen(mixed, home)
    assert before == seen(mixed, home)
    change(mixed)
    again = open_repository(mixed.path)
    after = seen(again, home)
    assert after == seen(again, tmp_path / "fresh"), what
    assert current_index(again, home).broken == current_index(again, None).broken
    assert after != before or what == "metadata are repaired"


@pytest.mark.usefixtures("settled")
def test_what_did_not_change_is_not_read_again(
    mixed: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = indexing._Builder._read

    def counting(self: indexing._Builder, name: str) -> object:
        read.append(name)
        return real(self, name)

    monkeypatch.setattr(indexing._Builder, "_read", counting)
    first = current_index(mixed, tmp_path / "home")
    assert len(read) == len([*first.spots, *first.broken]) + 2  # the empty folder, and inner/experiment
    read.clear()
    assert current_index(mixed, tmp_path / "home").watched == first.watched
    assert read == []
    put(mixed, "experiment/one", full("one", "changed"))
    current_index(mixed, tmp_path / "home")
    assert read == ["experiment/one"]


def test_what_is_young_is_read_again(repository: Repository, tmp_path: Path) -> None:
    put(repository, "experiment/one", full("one", "a"))
    assert seen(repository, tmp_path / "home")["experiment/one"][1] == ("a",)
    index = current_index(repository, tmp_path / "home")
    assert not any(index.stamps), "nothing that was just written has a stamp"
    put(repository, "experiment/one", full("one", "b"))
    assert seen(repository, tmp_path / "home")["experiment/one"][1] == ("b",)


@pytest.mark.usefixtures("settled")
def test_random_changes_are_seen_as_a_fresh_reader_sees_them(repository: Repository, tmp_path: Path) -> None:
    chance = random.Random(7)
    names = [f"a{number}" for number in range(8)]
    for step in range(60):
        name = chance.choice(names)
        folder = repository.path / "experiment" / name
        action = chance.randrange(5)
        if action == 0 and folder.exists():
            shutil.rmtree(folder)
        elif action == 1 and folder.exists():
            shutil.move(folder, repository.path / "experiment" / f"{name}-{step}")
        else:
            tags = [chance.choice("abc") * (1 + step) for _ in range(chance.randrange(3))]
            meta = full(name, *tags) if action < 4 else {"alias": name, "tags": tags}
            put(repository, f"experiment/{name}", meta, chance.choice(("json", "yaml")))
        assert seen(repository, tmp_path / "home") == seen(repository, tmp_path / f"fresh{step}")


def test_the_index_agrees_with_reading_everything(mixed: Repository, tmp_path: Path) -> None:
    index = current_index(mixed, tmp_path / "home")
    for tags in ("", "a", "a,-b", "nothing"):
        for name in (Name(), Name("o*"), Name("ONE"), Name(uid="1" * 16)):
            query = TagQuery.parse(tags)
            slow = [a.path for a in mixed.find(EXPERIMENT, name, query)]
            assert [mixed.path / row.folder for row in matching(index, EXPERIMENT.name, name, query)] == slow


def test_an_artifact_without_a_kind_has_that_of_its_folder(repository: Repository) -> None:
    put(repository, "script/one", {"alias": "one"})
    assert [row.kind for row in rows(current_index(repository, None))] == ["script"]


def test_links_inside_are_read_each_time(mixed: Repository, tmp_path: Path) -> None:
    (mixed.path / "experiment" / "link").symlink_to(mixed.path / "experiment" / "one")
    (tmp_path / "out").mkdir()
    (mixed.path / "experiment" / "out").symlink_to(tmp_path / "out")
    put(mixed, "../out", full("secret"))
    found = seen(mixed, tmp_path / "home")
    assert found["experiment/link"][0] == "one" and "experiment/out" not in found
    put(mixed, "experiment/one", full("one", "changed"))
    assert seen(mixed, tmp_path / "home")["experiment/link"][1] == ("changed",)


def test_names_and_tags_that_fit_in_no_line(repository: Repository, tmp_path: Path) -> None:
    put(repository, "experiment/odd", full("odd", "a\nb", "c\x1fd", "\ud800", ""))
    put(repository, "experiment/x\ny", full("xy"))
    (repository.path / os.fsdecode(b"experiment/\xff")).mkdir()
    for _ in range(2):
        index = current_index(repository, tmp_path / "home")
        assert [row.tags for row in rows(index)] == [("a b", "c d", "?")]
        assert [reason for _, reason in broken_folders(index)] == ["the folder's name does not fit in a line of text"]


def test_a_huge_file_is_told_and_not_read(repository: Repository, tmp_path: Path) -> None:
    with (put(repository, "experiment/huge", {}) / "_cm.json").open("wb") as stream:
        stream.truncate(1 << 30)
    put(repository, "experiment/good", full("good"))
    begun = time.perf_counter()
    index = current_index(repository, tmp_path / "home")
    assert [row.folder for row in rows(index)] == ["experiment/good"]
    assert "too large" in next(iter(broken_folders(index)))[1]
    assert time.perf_counter() - begun < 2


def test_a_cache_that_cannot_be_written_is_done_without(
    mixed: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    assert len(seen(mixed, tmp_path / "home")) == 4
    (tmp_path / "file").write_text("")
    assert len(seen(mixed, tmp_path / "file")) == 4


@pytest.mark.usefixtures("settled")
def test_a_damaged_or_deleted_cache_is_made_anew(mixed: Repository, tmp_path: Path) -> None:
    home = tmp_path / "home"
    whole = seen(mixed, home)
    place = Path(index_path(str(home), str(mixed.path)))
    for damage in (lambda: place.write_bytes(place.read_bytes()[:-9]), lambda: place.write_text("x"), place.unlink):
        damage()
        assert seen(mixed, home) == whole
        assert isinstance(current_index(mixed, home), Index)

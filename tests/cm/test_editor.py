from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from assay.cm.artifact import EXPERIMENT, Artifact, Automation
from assay.cm.names import Name
from assay.cm.repository import Repository, create_repository
from assay.errors import InvalidInputError, MachineError, UsageError

CFG = Automation("cfg", "88dce9c160324c5d")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return create_repository(tmp_path / "repo", "me@mine")


def test_fields_and_tags_are_set_and_taken_away(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("a", "b"), meta={"limits": {"ms": 15, "n": 1}, "_kept": [None]})
        changed = edit.change(
            one, values={("limits", "ms"): 20}, gone=[("limits", "n")], tags=["c", "a"], no_tags=["b"]
        )
    assert changed.meta == {**one.meta, "limits": {"ms": 20}, "tags": ["a", "c"]}
    assert repository.load(EXPERIMENT, Name("one")) == changed


def test_identity_is_not_a_field(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")
        for key in ("uid", "alias", "automation_uid"):
            with pytest.raises(UsageError, match="known by"):
                edit.change(one, values={(key,): "x"})


def test_yaml_on_request(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", meta={"when": "2026-01-01"}, as_yaml=True)
    assert [path.name for path in one.path.iterdir()] == ["_cm.yaml"]
    assert repository.load(EXPERIMENT, Name("one")) == one


def test_a_copy_has_all_files_and_a_uid_of_its_own(repository: Repository, tmp_path: Path) -> None:
    other = create_repository(tmp_path / "other", "you@yours")
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("a",), meta={"_kept": {"x": 1}})
        edit.write_file(one, "2026/cm-result.json", [1])
    with other.editing() as edit:
        copy = edit.copy(one, EXPERIMENT, "two")
    assert copy.uid != one.uid and copy.meta == {**one.meta, "alias": "two", "uid": copy.uid}
    assert json.loads((copy.path / "2026" / "cm-result.json").read_text()) == [1]
    assert sorted(path.name for path in copy.path.parent.iterdir()) == ["two"]


def test_a_copy_that_breaks_off_leaves_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(shutil, "copytree", full)
        with pytest.raises(MachineError, match="no space left"):
            edit.copy(one, EXPERIMENT, "two")
    assert [path.name for path in one.path.parent.iterdir()] == ["one"]


def test_a_full_disk_leaves_what_was_there(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one", tags=("a",))

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(MachineError, match="no space left"):
            edit.change(one, tags=["b"])
        with pytest.raises(MachineError, match="no space left"):
            edit.add(EXPERIMENT, "two")
    monkeypatch.undo()
    assert repository.find(EXPERIMENT) == [one]
    assert [path.name for path in one.path.iterdir()] == ["_cm.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")
        one.path.chmod(0o500)
        with pytest.raises(MachineError, match="read-only"):
            edit.change(one, tags=["b"])
        one.path.chmod(0o700)


def test_a_file_where_the_folder_should_be(repository: Repository) -> None:
    (repository.path / "experiment").write_text("")
    with repository.editing() as edit, pytest.raises(MachineError, match="a file stands where a folder is needed"):
        edit.add(EXPERIMENT, "one")


def test_rename_keeps_the_uid(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")
        two = edit.rename(one, EXPERIMENT, "two")
        assert (two.uid, two.alias, two.path.name, one.path.exists()) == (one.uid, "two", "two", False)
        edit.add(EXPERIMENT, "three")
        with pytest.raises(UsageError, match="already"):
            edit.rename(two, EXPERIMENT, "three")
        with pytest.raises(UsageError, match="cannot be an alias"):
            edit.rename(two, EXPERIMENT, "../out")
        assert edit.rename(two, EXPERIMENT, "TWO").alias == "TWO"


def test_uids_are_taken_once_and_have_a_form(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")
        with pytest.raises(UsageError, match="already"):
            edit.add(EXPERIMENT, "two", uid=one.uid)
        with pytest.raises(UsageError, match="cannot be a uid"):
            edit.add(EXPERIMENT, "two", uid="xyz")
        # Another kind may have it.
        edit.add(CFG, "two", uid=one.uid)


def test_something_else_of_that_name_is_not_written_into(repository: Repository) -> None:
    with repository.editing() as edit:
        edit.rename(edit.add(EXPERIMENT, "one"), EXPERIMENT, "two")
        edit.add(CFG, "moved")
        shutil.move(repository.path / "cfg" / "moved", repository.path / "experiment" / "one")
        with pytest.raises(UsageError, match="taken by something else"):
            edit.add(EXPERIMENT, "one")


def test_links_are_not_written_through(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (repository.path / "experiment").symlink_to(tmp_path / "outside")
    with repository.editing() as edit:
        with pytest.raises(InvalidInputError, match="leaves the repository"):
            edit.add(EXPERIMENT, "one")
        with pytest.raises(InvalidInputError, match="not in this repository"):
            edit.rename(Artifact(tmp_path / "outside", {"alias": "x"}), EXPERIMENT, "y")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_removed_artifact_takes_its_files_and_no_link_targets(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")
        (one.path / "link").symlink_to(tmp_path / "precious")
        edit.remove(one)
    assert list((repository.path / "experiment").iterdir()) == []
    assert (tmp_path / "precious" / "file").exists()


def test_two_writers_of_one_artifact_lose_nothing(repository: Repository) -> None:
    with repository.editing() as edit:
        one = edit.add(EXPERIMENT, "one")

    def write(number: int) -> None:
        with repository.editing() as edit:
            edit.change(one, values={("by", str(number)): number}, tags=[f"t{number}"])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    meta = repository.load(EXPERIMENT, Name("one")).meta
    assert meta["by"] == {str(number): number for number in range(8)}
    assert sorted(map(str, meta["tags"])) == [f"t{number}" for number in range(8)]  # type: ignore[arg-type]


def test_a_lock_that_is_held_is_told(repository: Repository) -> None:
    with (
        repository.editing(),
        pytest.raises(MachineError, match="another process holds the lock"),
        repository.editing(timeout_s=0.1),
    ):
        pass


def test_names_are_looked_up_in_the_index_when_there_is_a_home(repository: Repository, tmp_path: Path) -> None:
    with repository.editing(home=tmp_path / "home") as edit:
        one = edit.rename(edit.add(EXPERIMENT, "folder"), EXPERIMENT, "one")
        shutil.move(one.path, one.path.with_name("elsewhere"))
        with pytest.raises(UsageError, match="already"):
            edit.add(EXPERIMENT, "ONE")
        with pytest.raises(UsageError, match="already"):
            edit.add(EXPERIMENT, "two", uid=one.uid)
        found = edit.get(EXPERIMENT, "one")
    assert found is not None and found.path.name == "elsewhere"
    assert list((tmp_path / "home" / "cache" / "cm").iterdir()) != []

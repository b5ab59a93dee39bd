from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, UsageError
from assay.submission.tree import TreeReader
from assay.submission.truncate.copying import (
    copy_file,
    hash_file,
    new_tree,
    part_of,
    put,
    remove_folder,
)

from ..trees import KilledError, killed_at, listing, names

STEP = SILENT.start("")


def tree_at(root: Path) -> TreeReader:
    for name, text in (("closed/A/x/1.txt", "one"), ("closed/A/2.txt", "two"), ("open/B/3.txt", "three")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "closed/A/empty").mkdir()
    return TreeReader(root)


def test_a_file_gets_its_content_at_once_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    put(str(path), b"new", 0o640)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert names(tmp_path) == ["file"]


def test_a_link_under_the_name_of_something_unfinished_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = tmp_path / "tree" / "file"
    path.parent.mkdir()
    Path(part_of(str(path))).symlink_to(victim)
    put(str(path), b"new", 0o644)
    assert (victim.read_text(), path.read_text()) == ("mine", "new")
    Path(part_of(str(path))).mkdir()
    with pytest.raises(InvalidInputError, match="a folder stands"):
        put(str(path), b"newer", 0o644)


def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "folder" / "target"
    source.write_bytes(b"data")
    os.utime(source, ns=(5, 1234567890))
    digest = copy_file(str(source), str(target), STEP, sync=True)
    assert digest == hash_file(str(target), STEP)
    assert target.stat().st_mtime_ns == 1234567890
    with pytest.raises(InvalidInputError, match="not what it was"):
        copy_file(str(source), str(tmp_path / "other"), STEP, expected="0" * 64)
    assert names(tmp_path) == ["folder", "source"]


def test_a_source_that_changes_is_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"data")

    class Writer:
        def advance(self, amount: float = 1) -> None:
            with source.open("ab") as file:
                file.write(b"." if file.tell() < 20 else b"")

        def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None: ...

        def finish(self) -> None: ...

    with pytest.raises(InvalidInputError, match="changed while it was read"):
        copy_file(str(source), str(tmp_path / "target"), Writer())
    assert names(tmp_path) == ["source"]


def test_a_folder_goes_whole(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    remove_folder(str(tmp_path / "a"))
    remove_folder(str(tmp_path / "a"))
    assert names(tmp_path) == []


def test_a_new_tree_appears_when_it_is_whole(tmp_path: Path) -> None:
    reader, target = tree_at(tmp_path / "tree"), tmp_path / "new"
    with new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT, wanted=lambda p: "2" not in p) as root:
        assert not target.exists()
        assert Path(root, "closed/A/x/1.txt").read_text() == "one"
    assert set(listing(target)) == {"./", "closed/", "closed/A/", "closed/A/empty/", "closed/A/x/", "closed/A/x/1.txt"}
    assert names(tmp_path) == ["new", "tree"]
    with pytest.raises(UsageError, match="there already"), new_tree(reader, [], target, tool="t", progress=SILENT):
        pass


def test_an_interrupted_copy_is_gone_on_with(tmp_path: Path) -> None:
    reader, target, parts = tree_at(tmp_path / "tree"), tmp_path / "new", ["closed/A", "open/B"]
    for number in (1, 2, 3):
        with (
            killed_at(number, after=number % 2 == 0) as calls,
            new_tree(reader, parts, target, tool="t", progress=SILENT),
        ):
            pass
        assert len(calls) == number
        assert not target.exists()
    with (
        pytest.raises(UsageError, match="unfinished copy of something else"),
        new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT),
    ):
        pass
    # What has changed meanwhile is not mixed with what was copied before.
    (tmp_path / "tree/open/B/3.txt").write_text("changed")
    (tmp_path / "tree/closed/A/2.txt").unlink()
    with new_tree(reader, parts, target, tool="t", progress=SILENT):
        pass
    assert listing(target) == listing(tmp_path / "tree")
    assert names(tmp_path) == ["new", "tree"]


def test_a_kill_after_the_tree_has_its_name_leaves_nothing_for_ever(tmp_path: Path) -> None:
    reader, target = tree_at(tmp_path / "tree"), tmp_path / "new"
    with killed_at(5, after=True) as calls, new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT):
        pass
    assert (len(calls), target.exists(), names(tmp_path)) == (5, True, [".new.assay-part", "new", "tree"])
    with pytest.raises(UsageError, match="there already"), new_tree(reader, [], target, tool="t", progress=SILENT):
        pass
    assert names(tmp_path) == ["new", "tree"]


def test_an_error_leaves_the_copy_to_go_on_with(tmp_path: Path) -> None:
    reader, target = tree_at(tmp_path / "tree"), tmp_path / "new"
    with pytest.raises(KilledError), new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT):
        raise KilledError
    assert not target.exists()
    with new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT):
        pass
    assert target.exists()


def test_links_are_copied_as_what_they_lead_to_and_never_out_of_the_tree(tmp_path: Path) -> None:
    reader, target = tree_at(tmp_path / "tree"), tmp_path / "new"
    (tmp_path / "tree/closed/A/y").symlink_to("x")
    (tmp_path / "tree/closed/A/4.txt").symlink_to("2.txt")
    with new_tree(reader, ["closed/A"], target, tool="t", progress=SILENT):
        pass
    assert (target / "closed/A/y/1.txt").read_text() == "one"
    assert not (target / "closed/A/4.txt").is_symlink()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "tree/closed/A/x/out").symlink_to(tmp_path / "secret")
    with (
        pytest.raises(InvalidInputError, match="leads out"),
        new_tree(reader, ["closed/A"], tmp_path / "other", tool="t", progress=SILENT),
    ):
        pass
    (tmp_path / "tree/closed/A/x/out").unlink()
    os.mkfifo(tmp_path / "tree/closed/A/x/pipe")
    with (
        pytest.raises(InvalidInputError, match="neither file nor folder"),
        new_tree(reader, ["closed/A"], tmp_path / "other", tool="t", progress=SILENT),
    ):
        pass

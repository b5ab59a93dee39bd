from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.submission.tree import Folder, TreeReader


def test_a_tree_is_read_with_sizes_and_in_the_order_of_the_disk(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / "top" / name).mkdir(parents=True)
        (tmp_path / "top" / name / "file").write_text(name * 3, encoding="utf-8")
    folder = TreeReader(tmp_path).read("top")
    assert list(folder.folders) == [each.name for each in os.scandir(tmp_path / "top")]
    inner = folder.at("a")
    assert inner is not None
    assert inner.files["file"][0] == 3
    assert next(path for path, _ in folder.walk("top")) == "top"
    assert {path for path, _ in folder.walk("top")} == {"top", "top/a", "top/b", "top/c"}
    assert folder.at("a", "nothing") is None
    assert folder.exists("a")
    assert not folder.exists("z")


def test_levels_and_choice_bound_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "x" / "y").mkdir(parents=True)
    reader = TreeReader(tmp_path)
    shallow = reader.read("", levels=2)
    assert shallow.at("a", "b") is not None
    assert shallow.at("a", "b", "c") is None
    chosen = reader.read("", descend=lambda name: name == "x")
    assert chosen.at("x", "y") is not None
    assert chosen.folders["a"].is_empty()


def test_links_are_followed_inside_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "file").write_text("x", encoding="utf-8")
    (tmp_path / "secret").write_text("outside", encoding="utf-8")
    (root / "to-file").symlink_to("real/file")
    (root / "to-folder").symlink_to("real")
    (root / "away").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to("..")
    (root / "round").symlink_to(".")
    (root / "broken").symlink_to("nothing")
    os.mkfifo(root / "pipe")
    folder = TreeReader(root).read("")
    assert sorted(folder.files) == ["to-file"]
    assert folder.folders["to-folder"].linked
    assert sorted(folder.outside) == ["away", "broken", "round", "up"]
    assert sorted(folder.links) == ["away", "broken", "round", "to-file", "to-folder", "up"]
    assert folder.special == ["pipe"]
    # Links are not walked, as in os.walk.
    assert {path for path, _ in folder.walk("")} == {"", "real"}


def test_links_that_multiply_come_to_an_end(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / str(number)).mkdir()
        for other in range(12):
            if other != number:
                (tmp_path / str(number) / str(other)).symlink_to(f"../{other}")
    folder = TreeReader(tmp_path).read("0")
    assert len(folder.folders) == 11


def test_a_part_that_is_reached_through_a_link_to_outside_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "closed").symlink_to("/etc")
    folder = TreeReader(tmp_path / "root").read("closed")
    assert folder.unreadable
    assert folder.is_empty()


def test_identity_changes_with_everything(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "file"
    path.write_text("x", encoding="utf-8")
    seen = [TreeReader(tmp_path).read("").identity()]
    path.write_text("xy", encoding="utf-8")
    seen.append(TreeReader(tmp_path).read("").identity())
    os.utime(path, ns=(5, 5))
    seen.append(TreeReader(tmp_path).read("").identity())
    (tmp_path / "b").mkdir()
    seen.append(TreeReader(tmp_path).read("").identity())
    (tmp_path / "b" / "ln").symlink_to("../a/file")
    seen.append(TreeReader(tmp_path).read("").identity())
    assert len(set(seen)) == len(seen)
    assert TreeReader(tmp_path).read("").identity() == seen[-1]


def test_a_root_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        TreeReader(tmp_path / "nothing")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InvalidInputError):
        TreeReader(tmp_path / "file")


def test_what_is_not_there_reads_as_unreadable(tmp_path: Path) -> None:
    folder = TreeReader(tmp_path).read("nothing")
    assert folder.unreadable
    assert TreeReader(tmp_path).read("a\0b").unreadable
    assert Folder().is_empty()

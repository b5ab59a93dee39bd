from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.submission.power import files
from assay.submission.tree import Folder, TreeReader


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "a.txt").write_bytes(b"hello")
    (tmp_path / "secret").write_bytes(b"secret")
    return root


def listing(root: Path) -> Folder:
    return TreeReader(root).read("")


def read(root: Path, name: str, limit: int = files.MAX_TEXT) -> bytes:
    return files.read(str(root), listing(root), name, limit)


def test_a_file_is_read(root: Path) -> None:
    assert read(root, "inner/a.txt") == b"hello"
    assert read(root, "inner/a.txt", 5) == b"hello"


def test_a_link_inside_the_tree_is_followed(root: Path) -> None:
    (root / "link").symlink_to("inner/a.txt")
    (root / "folder").symlink_to("inner")
    assert read(root, "link") == read(root, "folder/a.txt") == b"hello"


@pytest.mark.parametrize(
    "name", ["none", "inner/none", "none/a.txt", "inner", "pipe", "out", "away/secret", "../secret", ""]
)
def test_what_is_not_read(name: str, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "out").symlink_to(root.parent / "secret")
    (root / "away").symlink_to(root.parent)
    with pytest.raises(OSError, match=r".") as told:
        read(root, name)
    assert files.problem(told.value)
    assert files.unreadable(str(root), listing(root), name) == files.problem(told.value)


def test_a_file_that_is_too_large(root: Path) -> None:
    with pytest.raises(OSError, match="larger than 0 MiB"):
        read(root, "inner/a.txt", 4)
    with (root / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger than 16 MiB"):
        read(root, "sparse")
    with (
        pytest.raises(OSError, match="larger than 4096 MiB"),
        files.opened(str(root), listing(root), "sparse"),
    ):
        raise AssertionError("it is not opened")
    assert files.unreadable(str(root), listing(root), "sparse") == ""


def test_a_file_that_grows_while_it_is_read(root: Path) -> None:
    with files.opened(str(root), listing(root), "inner/a.txt", 5) as file:
        (root / "inner" / "a.txt").write_bytes(b"hello, world")
        with pytest.raises(OSError, match="larger than"):
            list(files.pieces(file, 5))


def test_a_file_that_went_away_after_it_was_listed(root: Path) -> None:
    found = listing(root)
    (root / "inner" / "a.txt").unlink()
    assert "no such file" in files.unreadable(str(root), found, "inner/a.txt")


def test_what_is_listed(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "nowhere").symlink_to("none")
    (root / "out").symlink_to(root.parent / "secret")
    (root / "away").symlink_to(root.parent)
    (root / "up").symlink_to(".")
    (root / "linked").symlink_to("inner")
    (root / "inner" / "b.txt").symlink_to("a.txt")
    assert files.listed(listing(root), str(root)) == {
        "inner/a.txt": "",
        "inner/b.txt": "",
        "pipe": "no ordinary file",
        "nowhere": "a link to nowhere",
        "out": files.OUTSIDE,
    }

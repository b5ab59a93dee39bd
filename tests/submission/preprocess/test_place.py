from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.submission.preprocess.journal import Placed
from assay.submission.preprocess.model import Action, Change
from assay.submission.preprocess.place import make, require_real
from assay.submission.tree import TreeReader

from ..trees import listing, names

STEP = SILENT.start("")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "tree" / "closed" / "A"
    (path / "source" / "inner").mkdir(parents=True)
    (path / "source" / "inner" / "file").write_text("text")
    (path / "source" / "empty").mkdir()
    return tmp_path / "tree"


def change(target: str, source: str = "closed/A/source") -> Change:
    return Change(Action.COPY, target, source)


def test_a_copy_is_told_before_it_is_there(root: Path) -> None:
    told: list[Placed] = []

    def record(placed: Placed) -> None:
        assert not (root / "closed/A/target").exists()
        told.append(placed)

    make(TreeReader(root), change("closed/A/target"), STEP, record)
    assert listing(root / "closed/A/target") == listing(root / "closed/A/source")
    assert [(set(each.files), each.folders) for each in told] == [({"inner/file"}, {"inner", "empty"})]
    assert names(root / "closed/A") == ["source", "target"]


def test_a_file_can_be_placed_as_well(root: Path) -> None:
    (root / "closed/A/name").write_text("text")
    told: list[Placed] = []
    make(TreeReader(root), change("closed/A/other", "closed/A/name"), STEP, told.append)
    assert (root / "closed/A/other").read_text() == "text"
    assert set(told[0].files) == {""}


def test_an_empty_folder_goes_and_a_full_one_stays(root: Path) -> None:
    for _ in range(2):
        make(TreeReader(root), Change(Action.REMOVE, "closed/A/source/empty"), STEP, lambda _: None)
    make(TreeReader(root), Change(Action.REMOVE, "closed/A/source/inner"), STEP, lambda _: None)
    assert names(root / "closed/A/source") == ["inner"]


def test_nothing_is_overwritten_and_nothing_placed_behind_a_link(root: Path, tmp_path: Path) -> None:
    def never(placed: Placed) -> None:
        raise AssertionError(placed)

    (root / "closed/A/taken").mkdir()
    (root / "closed/A/link").symlink_to(tmp_path)
    (root / "closed/A/here").symlink_to("taken")
    for target, words in (
        ("closed/A/taken", "something stands"),
        ("closed/A/link", "something stands"),
        ("closed/A/link/x", "reached through a link"),
        ("closed/A/here/x", "reached through a link"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            make(TreeReader(root), change(target), STEP, never)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        make(TreeReader(root), change("closed/A/new", "closed/A/none"), STEP, never)
    (root / "closed/A/source/out").symlink_to(tmp_path)
    with pytest.raises(InvalidInputError, match="leads out"):
        make(TreeReader(root), change("closed/A/new"), STEP, never)
    assert names(root / "closed/A") == ["here", "link", "source", "taken"]


def test_a_root_may_itself_be_reached_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(root)
    require_real(str(tmp_path / "way"), "closed/A/new")

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.submission.tree import TreeReader
from assay.submission.truncate.places import require_outside, submitter_parts

DIVISIONS = ("closed", "open", "network")


def test_submitters_are_found_by_name(tmp_path: Path) -> None:
    for name in ("closed/Acme", "open/Acme", "open/Bolt", "other/Acme"):
        (tmp_path / name).mkdir(parents=True)
    reader = TreeReader(tmp_path)
    assert sorted(submitter_parts(reader, DIVISIONS, ())) == ["closed/Acme", "open/Acme", "open/Bolt"]
    assert submitter_parts(reader, DIVISIONS, ["Bolt"]) == ["open/Bolt"]
    assert submitter_parts(reader, ("closed",), ()) == ["closed/Acme"]
    with pytest.raises(NotFoundError, match=r"unknown submitter 'Acne'; expected Acme"):
        submitter_parts(reader, DIVISIONS, ["Acne"])


def test_what_has_no_division_is_no_tree(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(InvalidInputError, match="no submission tree"):
        submitter_parts(TreeReader(tmp_path), DIVISIONS, ())


def test_a_submitters_folder_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "closed/Acme").mkdir(parents=True)
    (tmp_path / "closed/Bolt").symlink_to("Acme")
    reader = TreeReader(tmp_path)
    assert submitter_parts(reader, DIVISIONS, ["Acme"]) == ["closed/Acme"]
    with pytest.raises(InvalidInputError, match="must not be a link"):
        submitter_parts(reader, DIVISIONS, ())


def test_a_place_is_outside_by_its_real_path(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "way").symlink_to(tree)
    require_outside(tmp_path / "tree2", str(tree), "it")
    for inside in (tree, tree / "a", tree / ".." / "tree" / "b", tmp_path / "way" / "c"):
        with pytest.raises(UsageError, match="it must not be inside the tree"):
            require_outside(inside, str(tree), "it")

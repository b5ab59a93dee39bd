from __future__ import annotations

from pathlib import Path

import pytest

from assay.community.outcome import UploadKind
from assay.community.upload import sniff
from assay.errors import InvalidInputError, NotFoundError

from ..submission.smalltree import SmallTree
from .conftest import MakeRun


def test_a_tree_is_one_also_when_it_is_wrapped(tree: SmallTree, tmp_path: Path) -> None:
    assert sniff(tree.root).kind is UploadKind.TREE
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / ".DS_Store").touch()
    inner = tree.root.rename(outer / "inference_results")
    assert sniff(outer).root == inner


def test_runs_are_found_alone_and_together(make_run: MakeRun, tmp_path: Path) -> None:
    one = make_run(number=1)
    assert sniff(one).runs == (one,)
    two = make_run(number=2)
    found = sniff(tmp_path / "runs")
    assert (found.kind, found.runs) == (UploadKind.RUNS, (one, two))
    assert sniff(tmp_path).runs == (one, two)


def test_anything_else_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nothing in it can be taken") as caught:
        sniff(tmp_path)
    assert caught.value.found == "an empty folder"
    (tmp_path / "closed").mkdir()
    with pytest.raises(InvalidInputError) as caught:
        sniff(tmp_path)
    assert caught.value.found == "closed"
    with pytest.raises(NotFoundError):
        sniff(tmp_path / "absent")


def test_links_are_not_followed(tree: SmallTree, make_run: MakeRun, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "open").symlink_to(tree.root / "open")
    (outer / "run").symlink_to(make_run())
    with pytest.raises(InvalidInputError):
        sniff(outer)

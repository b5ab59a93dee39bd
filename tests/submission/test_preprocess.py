"""Preprocessing variants of the real sample tree, beside what the official script of v3.1 makes of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.rules.load import load_round
from assay.submission.preprocess.model import Action, Manner
from assay.submission.preprocess.run import preprocess
from assay.submission.preprocess.undo import undo

from .trees import digest, listing, lower_scenarios, remove_scenarios


def as_it_is(tree: Path) -> None:
    del tree


def only_singlestream(tree: Path) -> None:
    remove_scenarios(tree, "Offline", "MultiStream", "offline", "multistream")


def lower_singlestream(tree: Path) -> None:
    lower_scenarios(tree)
    remove_scenarios(tree, "offline", "multistream")


def no_multistream(tree: Path) -> None:
    lower_scenarios(tree)
    remove_scenarios(tree, "multistream")


def no_offline(tree: Path) -> None:
    lower_scenarios(tree)
    remove_scenarios(tree, "offline")


def only_multistream(tree: Path) -> None:
    lower_scenarios(tree)
    remove_scenarios(tree, "offline", "singlestream")


def no_99(tree: Path) -> None:
    """No results at 99 %, and empty folders here and there.

    What the script does with DLRM hangs on the order of the disk, so there is none.
    """
    lower_scenarios(tree)
    for path in tree.glob("*/*/*/*/dlrm-99.9"):
        shutil.rmtree(path)
    for path in (*tree.glob("*/*/*/*/*-99"), *tree.glob("*/*/code/*-99")):
        shutil.rmtree(path)
    (tree / "closed/NVIDIA/results/Orin_TRT_MaxQ/resnet50/offline/empty/inner").mkdir(parents=True)
    (tree / "closed/NVIDIA/documentation/x").mkdir(parents=True)


# Digest of the tree that tools/submission/preprocess_submission.py of v3.1 writes, and how many folders are placed by
# it and by us: names told without case, one category for each system, nothing for measurements without results.
OFFICIAL: list[tuple[Callable[[Path], None], str, str, int, int]] = [
    (as_it_is, "v3.0", "a9cf83236217296e6b59c489a4b1910133856a278b9aac0b0f106dfd7755528a", 34, 3),
    (only_singlestream, "v3.0", "1dc6ca53fe29d2483fe91c4df6102d97acba070be4d720b615f07599d4b2127d", 40, 38),
    (only_singlestream, "v3.1", "1dc6ca53fe29d2483fe91c4df6102d97acba070be4d720b615f07599d4b2127d", 40, 38),
    (lower_singlestream, "v3.0", "0a4bb1c6d424968cb8cf6a50551dd2cac38d24790c3d847f5a4bd762f83c133e", 40, 38),
    (no_multistream, "v3.0", "03051bc3d271219e8b223b1c6a28e505077cae1c6598a9130256cd1c9f61d111", 16, 16),
    (no_offline, "v3.0", "078353fc4e33a77c8a4ae9269ac3a94ae1a224fcde189f6468c3cc851d37f012", 26, 25),
    (only_multistream, "v3.0", "8a0bc28d7d9450f24c702ae10623d25e13d8268e04c5d6c71f414a4760545d1c", 14, 13),
    (no_99, "v3.0", "cd837618da6b53cf9f2b5a8e987617cc5db46b49d18c7e9a07f4d93c31e1bb57", 13, 18),
]


@pytest.mark.shared
@pytest.mark.parametrize(("variant", "name", "expected", "placed", "ours"), OFFICIAL)
def test_exact_gives_the_tree_of_the_official_script(
    sample_tree: Path,
    tmp_path: Path,
    variant: Callable[[Path], None],
    name: str,
    expected: str,
    placed: int,
    ours: int,
) -> None:
    tree, round_ = tmp_path / "tree", load_round(name)
    shutil.copytree(sample_tree, tree)
    variant(tree)
    before = listing(tree)

    report = preprocess(tree, round_, manner=Manner(exact=True), output=tmp_path / "new")
    assert digest(tmp_path / "new") == expected
    assert sum(change.action is Action.COPY for change in report.changes) == placed
    assert listing(tree) == before

    done = preprocess(tree, round_)
    assert sum(change.action is Action.COPY for change in done.changes) == ours
    assert not preprocess(tree, round_).changes
    if done.place is not None:
        undo(Path(done.place))
    assert listing(tree) == before

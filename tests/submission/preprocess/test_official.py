from __future__ import annotations

import shutil
from pathlib import Path

from assay.rules.model import Category, Scenario
from assay.submission.preprocess.model import Manner

from ..smalltree import build
from .test_plan import everywhere, placed

EXACT = Manner(exact=True)


def test_only_lower_case_counts_as_there(tmp_path: Path) -> None:
    """The script places a second result beside the one that is there."""
    tree = build(tmp_path / "tree", "v3.0")
    # Which of the two Offline is taken from hangs on the order of the disk.
    assert {name for name, _ in placed(tree, EXACT)} == {
        name for word in ("offline", "multistream") for name, _ in everywhere(word, "")
    }
    assert placed(tree) == set()


def test_every_folder_is_filled_in_on_its_own(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    shutil.rmtree(tree.submitter / "results" / "box" / "resnet50")
    assert placed(tree, Manner(exact=True, empty_folders=False)) == {
        (f"{kind}/{name}", "SingleStream")
        for kind in ("measurements", "compliance")
        for name in ("offline", "multistream")
    }


def test_code_and_the_compliance_of_network_are_not_copied(tmp_path: Path) -> None:
    tree = build(
        tmp_path / "tree",
        "v3.0",
        benchmark="bert-99.9",
        model="bert-99.9",
        category=Category.DATACENTER,
        division="network",
    )
    assert placed(tree, EXACT) == {("results/bert-99", "bert-99.9"), ("measurements/bert-99", "bert-99.9")}
    assert placed(tree) == {*everywhere("bert-99", "bert-99.9"), ("code/bert-99", "bert-99.9")}

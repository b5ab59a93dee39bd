from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.rules.load import load_round
from assay.rules.model import Category
from assay.submission.preprocess.model import Action, Manner
from assay.submission.preprocess.shape import Shape
from assay.submission.tree import TreeReader

from ..smalltree import SmallTree, build, write_json


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    return build(tmp_path / "tree", "v3.0")


def shape(tree: SmallTree) -> Shape:
    return Shape(TreeReader(tree.root), load_round("v3.0"), f"{tree.division}/Acme", Manner())


def test_a_planned_copy_is_there_for_what_follows(tree: SmallTree) -> None:
    made = shape(tree)
    assert made.copy("results/box/resnet50/Offline", "results/box/resnet50/Server", "so")
    assert made.copy("results/box/resnet50", "results/box/other", "so")
    first, second = made.changes
    assert (first.action, first.files, first.target) == (Action.COPY, 6, "closed/Acme/results/box/resnet50/Server")
    assert second.files == 4 * first.files
    assert made.copy("code/resnet50/impl/run.py", "code/resnet50/impl/two.py", "so")
    assert (made.changes[-1].files, made.changes[-1].bytes) == (1, 8)
    assert not tree.result("Server").exists()


def test_what_leads_out_of_the_tree_is_not_planned(tree: SmallTree, tmp_path: Path) -> None:
    (tree.result("Offline") / "accuracy" / "link").symlink_to(tmp_path)
    (tree.submitter / "results" / "box" / "linked").symlink_to("resnet50")
    os.mkfifo(tree.result("SingleStream") / "pipe")
    (tree.result("MultiStream") / os.fsdecode(b"\xff")).write_text("")
    made = shape(tree)
    for scenario in ("Offline", "SingleStream", "MultiStream"):
        assert not made.copy(f"results/box/resnet50/{scenario}", "results/box/resnet50/Server", "so")
    assert not made.copy("results/box/resnet50/Offline", "results/box/linked/Server", "so")
    assert (len(made.notes), len(made.changes)) == (4, 0)
    assert all(note.refused for note in made.notes)


def test_empty_folders_go_from_the_inside_out(tree: SmallTree) -> None:
    inner = tree.submitter / "documentation" / "a" / "b"
    inner.mkdir(parents=True)
    inner.chmod(0o700)
    (tree.submitter / "documentation" / "c").symlink_to("a")
    made = shape(tree)
    made.remove_empty()
    assert [(each.target, each.mode) for each in made.changes if each.target.endswith("b")] == [
        ("closed/Acme/documentation/a/b", 0o700)
    ]
    assert [each.target.rsplit("/", 1)[-1] for each in made.changes] == ["b", "a"]


def test_categories_come_from_the_description(tree: SmallTree) -> None:
    assert shape(tree).categories("box") == (Category.EDGE,)
    for kind, expected in (
        ("edge,datacenter", (Category.DATACENTER, Category.EDGE)),
        ("Edge", None),
        (7, None),
        (["edge"], None),
    ):
        write_json(tree.system_json, {"system_type": kind})
        assert shape(tree).categories("box") == expected
    for junk in (b"", b"[1]", b"\xff", b"[" * 100000, b"{" + b" " * (2 << 20) + b"}"):
        tree.system_json.write_bytes(junk)
        made = shape(tree)
        assert made.categories("box") is None
        assert len(made.notes) == 1
    assert shape(tree).categories("none") is None


def test_a_description_outside_the_tree_is_not_read(tree: SmallTree, tmp_path: Path) -> None:
    tree.system_json.rename(tmp_path / "box.json")
    tree.system_json.symlink_to(tmp_path / "box.json")
    assert shape(tree).categories("box") is None


def test_a_submitter_of_the_open_division_may_map_names(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", division="open")
    edge = (Category.EDGE,)
    assert not shape(tree).scenarios("mine", edge)
    write_json(tree.submitter / "model_mapping.json", {"mine": "resnet"})
    assert shape(tree).scenarios("mine", edge) == {"Offline", "SingleStream", "MultiStream"}
    outside = Shape(
        TreeReader(tree.root), load_round("v3.0"), "open/Acme", Manner(mapping="../Acme/model_mapping.json")
    )
    assert not outside.scenarios("mine", edge)

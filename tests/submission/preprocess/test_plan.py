from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import InvalidInputError
from assay.rules.load import load_round
from assay.rules.model import Category, Scenario
from assay.submission.preprocess.model import Action, Manner, Plan
from assay.submission.preprocess.plan import make_plan
from assay.submission.tree import TreeReader

from ..smalltree import SmallTree, build

KINDS = ("results", "measurements", "compliance")


def plan(tree: SmallTree, manner: Manner | None = None) -> Plan:
    parts = [f"{tree.division}/Acme"]
    return make_plan(TreeReader(tree.root), tree.round, parts, manner or Manner())


def placed(tree: SmallTree, manner: Manner | None = None) -> set[tuple[str, str]]:
    """Kind and new folder, with the name of the folder that it is a copy of."""
    found = set()
    for change in plan(tree, manner).changes:
        assert change.action is Action.COPY
        kind, *_, name = change.target.split("/")[2:]
        found.add((f"{kind}/{name}", change.source.rsplit("/", 1)[-1]))
    return found


def everywhere(name: str, source: str) -> set[tuple[str, str]]:
    return {(f"{kind}/{name}", source) for kind in KINDS}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (("SingleStream",), everywhere("Offline", "SingleStream") | everywhere("MultiStream", "SingleStream")),
        (("SingleStream", "Offline"), everywhere("MultiStream", "SingleStream")),
        (("SingleStream", "MultiStream"), everywhere("Offline", "MultiStream")),
        (("MultiStream",), everywhere("Offline", "MultiStream")),
        (("Offline",), set()),
        (("SingleStream", "MultiStream", "Offline"), set()),
    ],
)
def test_what_follows_from_what(tmp_path: Path, there: tuple[str, ...], expected: set[tuple[str, str]]) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario(name) for name in there])
    assert placed(tree) == expected


def test_new_folders_are_spelt_like_those_they_come_from(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    for kind in KINDS:
        folder = tree.submitter / kind / "box" / "resnet50"
        (folder / "SingleStream").rename(folder / "singlestream")
    assert placed(tree) == everywhere("offline", "singlestream") | everywhere("multistream", "singlestream")


def test_a_model_without_multistream_gets_none(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", benchmark="bert-99", model="bert-99", scenarios=[Scenario.SINGLE_STREAM])
    assert placed(tree) == everywhere("Offline", "SingleStream")


def test_nothing_follows_in_a_data_center(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", category=Category.DATACENTER, scenarios=[Scenario.SINGLE_STREAM])
    assert placed(tree) == set()


def test_results_decide_and_what_is_missing_beside_them_is_told(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM])
    shutil.rmtree(tree.compliance("MultiStream"))
    tree.measurements("Offline").mkdir()
    (tree.measurements("Offline") / "README.md").write_text("mine")
    assert placed(tree) == {("results/Offline", "MultiStream")}
    assert [note.text for note in plan(tree).notes] == ["it has no MultiStream to place as Offline"]


def test_results_at_99_9_serve_at_99(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", benchmark="bert-99.9", model="bert-99.9", category=Category.DATACENTER)
    expected = {*everywhere("bert-99", "bert-99.9"), ("code/bert-99", "bert-99.9")}
    assert placed(tree) == expected
    assert placed(tree, Manner(low_accuracy=False)) == set()
    # A file in code/ may name the folder of the code.
    shutil.rmtree(tree.submitter / "code" / "bert-99.9")
    (tree.submitter / "code" / "bert-99.9").write_text("bert")
    assert placed(tree) == expected
    (tree.submitter / "results/box/bert-99").mkdir()
    assert placed(tree, Manner(empty_folders=False)) == set()


def test_what_is_not_wanted_is_left(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    (tree.submitter / "empty").mkdir()
    assert plan(tree, Manner(scenarios=False, empty_folders=False)).changes == ()
    assert [change.action for change in plan(tree, Manner(scenarios=False)).changes] == [Action.REMOVE]


def test_an_empty_folder_is_no_result(tmp_path: Path) -> None:
    """The empty folder goes first, then the result is placed under its name."""
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM])
    tree.result("Offline").mkdir()
    changes = plan(tree).changes
    base = "closed/Acme/results/box/resnet50/Offline"
    assert [change.action for change in changes if change.target == base] == [Action.REMOVE, Action.COPY]


def test_systems_and_models_that_nobody_knows_are_passed_over(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    shutil.copytree(tree.submitter / "results" / "box", tree.submitter / "results" / "other")
    (tree.submitter / "results/box/resnet50").rename(tree.submitter / "results/box/gpt-17")
    found = plan(tree)
    assert found.changes == ()
    assert {note.path for note in found.notes} == {
        "closed/Acme/systems/other.json",
        "closed/Acme/results/box/gpt-17",
    }


def test_the_rest_of_an_interrupted_run_has_to_be_dealt_with_first(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", scenarios=[Scenario.SINGLE_STREAM])
    tree.result(".Offline.assay-part").mkdir()
    with pytest.raises(InvalidInputError, match="an interrupted run left this unfinished"):
        plan(tree)


@pytest.mark.parametrize("name", ["v2.0", "v2.1", "v3.0", "v3.1"])
def test_offline_is_a_scenario_of_every_benchmark(name: str) -> None:
    """Later scripts ask; in these rounds it makes no difference."""
    for benchmark in load_round(name).benchmarks.values():
        for category in benchmark.categories():
            assert Scenario.OFFLINE in benchmark.scenarios(category), benchmark.name

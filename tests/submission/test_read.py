from __future__ import annotations

from pathlib import Path

from assay.rules.load import load_round
from assay.submission.levels import LevelTable
from assay.submission.read import Options, SystemFolders, SystemTask, judge_system
from assay.submission.tree import TreeReader

from .smalltree import SUBMITTER, SYSTEM, build


def test_a_system_is_judged_on_its_own(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0", power=True)
    reader, round_ = TreeReader(tmp_path), load_round("v3.0")
    task = SystemTask("closed", SUBMITTER, SYSTEM, reader.read(f"closed/{SUBMITTER}/code"))
    folders = SystemFolders(reader, task)
    assert [kind for kind, _ in folders.each()] == ["results", "measurements", "compliance"]
    outcome = judge_system(str(tmp_path), round_, LevelTable(round_), task, folders, Options())
    assert outcome.description["system_name"] == "The Box"
    (model,) = outcome.models
    assert (model.directory, model.benchmark, model.known) == ("resnet50", "resnet", True)
    entries = {entry.scenario: entry for entry in model.entries}
    assert set(entries) == {scenario.value for scenario in tree.benchmark.required["edge"]}  # type: ignore[index]
    offline = entries["Offline"]
    assert (offline.value, offline.value_text, offline.accuracy, offline.power) == (1234.5, "1234.5", "76.014", 125.0)
    assert offline.compliance_passed
    assert offline.seen == []
    assert offline.facts["effective_qsl_rng_seed"] == round_.seeds.qsl
    assert outcome.files == sum(1 for each in tmp_path.rglob("*") if each.is_file()) - 2  # systems/ and code/


def test_efficiency_comes_with_v3_1(tmp_path: Path) -> None:
    build(tmp_path, "v3.1", power=True)
    reader, round_ = TreeReader(tmp_path), load_round("v3.1")
    task = SystemTask("closed", SUBMITTER, SYSTEM, reader.read(f"closed/{SUBMITTER}/code"))
    outcome = judge_system(str(tmp_path), round_, LevelTable(round_), task, SystemFolders(reader, task), Options())
    efficiency = {entry.scenario: entry.power_efficiency for entry in outcome.models[0].entries}
    assert efficiency["Offline"] == 1234.5 / 125
    assert efficiency["SingleStream"] == 1000 / 1250
    assert efficiency["MultiStream"] == 8000 / 1250

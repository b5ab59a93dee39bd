from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.community.accept_tree import examine_tree
from assay.community.candidate import Examined
from assay.errors import InvalidInputError
from assay.results.model import Origin
from assay.rules.model import Scenario

from ..submission.smalltree import SmallTree, build, change_log


def examine(root: Path) -> Examined:
    return examine_tree(root, None, source="playground", jobs=1, progress=SILENT)


def test_open_results_are_rows_with_both_verdicts_and_evidence(tree: SmallTree) -> None:
    found = examine(tree.root)
    assert (found.round, found.refused) == ("v3.0", ())
    offline = next(each for each in found.candidates if each.row.scenario == "Offline")
    row = offline.row
    assert (row.value, row.official, row.strict, row.origin) == (1234.5, True, True, Origin.LOCAL)
    assert row.source == "playground"
    assert offline.path == "open/Acme/results/box/resnet50/Offline"
    assert row.logs["performance/run_1/mlperf_log_detail.txt"] == offline.digest
    names = {each.name for each in offline.evidence}
    assert {"system.json", "accuracy/accuracy.txt", "performance/run_1/mlperf_log_summary.txt"} <= names
    assert "measurements/user.conf" in names


def test_a_result_that_the_checker_refuses_is_told_with_file_line_found_and_expected(tree: SmallTree) -> None:
    change_log(tree.run_log("Offline"), result_validity="INVALID")
    found = examine(tree.root)
    assert [each.row.scenario for each in found.candidates] == ["SingleStream"]
    (refusal,) = [each for each in found.refused if each.scenario == "Offline"]
    assert refusal.reason.startswith("refused by the official checker")
    assert refusal.codes
    finding = next(each for each in found.findings if each.code == refusal.codes[0])
    assert finding.file.endswith("mlperf_log_detail.txt")
    assert finding.line is not None
    assert (finding.found, finding.expected) == ("INVALID", "VALID")
    assert finding.fix


def test_a_closed_result_has_to_pass_the_written_rules_too(tmp_path: Path) -> None:
    closed = build(tmp_path / "closed-tree", "v3.0", division="closed")
    assert len(examine(closed.root).candidates) == 3
    closed.system_json.write_text(
        closed.system_json.read_text().replace('"host_networking": "something"', '"host_networking": ""')
    )
    found = examine(closed.root)
    assert found.candidates == ()
    assert {each.codes for each in found.refused} == {("system-field-empty",)}
    assert "host_networking" in found.refused[0].reason
    opened = build(tmp_path / "open-tree", "v3.0", division="open", scenarios=[Scenario.OFFLINE])
    opened.system_json.write_text(
        opened.system_json.read_text().replace('"host_networking": "something"', '"host_networking": ""')
    )
    (candidate,) = examine(opened.root).candidates
    assert (candidate.row.official, candidate.row.strict) == (True, False)


def test_a_tree_whose_round_nothing_tells_is_refused(tree: SmallTree) -> None:
    for log in tree.root.rglob("mlperf_log_detail.txt"):
        log.write_text("")
    with pytest.raises(InvalidInputError, match="round"):
        examine(tree.root)

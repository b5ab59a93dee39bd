"""The table of damages covers the catalogue, and the tree that is damaged is itself without fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.yamlfile import read_yaml
from assay.rules import findings
from assay.rules.findings import catalogue
from assay.rules.load import load_round, round_names
from assay.rules.model import Category
from assay.submission.check import check

from .case_runner import each_case, run_case
from .cases import CASES, DATACENTER, LLAMA, SDXL, Case
from .smalltree import build

_BY_DIVISION = {"closed": Category.EDGE, "open": Category.EDGE, "network": Category.DATACENTER}


@each_case("division-", "root-", "mapping-", "model-", "scenario-unexpected", "scenario-missing", "result-")
def test_tree_and_results(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)


@pytest.mark.parametrize("round_name", round_names())
@pytest.mark.parametrize("division", ["closed", "open", "network"])
@pytest.mark.parametrize("power", [False, True])
def test_the_small_tree_itself_is_accepted(round_name: str, division: str, *, power: bool, tmp_path: Path) -> None:
    rules = load_round(round_name).submission
    assert rules is not None
    if division not in rules.divisions:
        pytest.skip(f"{round_name} has no division {division}")
    category = _BY_DIVISION[division]
    tree = build(tmp_path, round_name, division=division, category=category, power=power)
    report = check(tmp_path, round_name, jobs=1)
    assert (report.findings, report.official.ok, report.strict.ok) == ((), True, True)
    assert len(report.rows) == len(tree.benchmark.required[category]) * (1 + power)


@pytest.mark.parametrize("made", [LLAMA, SDXL, {**SDXL, **DATACENTER}], ids=["llama", "sdxl", "sdxl-datacenter"])
@pytest.mark.parametrize("division", ["closed", "open"])
@pytest.mark.parametrize("power", [False, True])
def test_what_v4_0_brought_is_accepted(made: dict[str, Any], division: str, *, power: bool, tmp_path: Path) -> None:
    build(tmp_path, "v4.0", **made, division=division, power=power)
    report = check(tmp_path, "v4.0", jobs=1)
    assert (report.findings, report.official.ok, report.strict.ok) == ((), True, True)
    found = {each.scenario: (each.value, each.unit) for each in report.results}
    if made is LLAMA:
        # Its unit is the scenario's in the official summary.
        assert found == {"Offline": (22_345.75, "Tokens/s"), "Server": (76.5, "Queries/s")}
        assert [row.rpartition(",")[2] for row in report.rows if ",22345.75," in row] == ["Samples/s"]
    else:
        assert found["Offline"] == (1234.5, "Samples/s")


def test_every_code_has_a_case() -> None:
    covered = {case.code for case in CASES}
    folder = Path(findings.__file__).with_name("findings")
    names = ("structure", "measurements", "accuracy", "performance", "compliance")
    own = {code for name in names for code in read_yaml(folder / f"{name}.yaml").value}
    assert own <= set(catalogue())
    assert own <= covered

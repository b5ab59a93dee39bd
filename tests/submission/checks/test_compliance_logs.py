"""What the logs of compliance tests say, also where the text beside them says that they were passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.submission.check import check

from ..case_runner import each_case, run_case
from ..cases import Case
from ..smalltree import SmallTree, build, change_log


@each_case("audit-unheeded", "compliance-speed")
def test_findings(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)


def log(tree: SmallTree, test: str) -> Path:
    return tree.compliance("Offline") / test / "performance/run_1/mlperf_log_detail.txt"


@pytest.mark.parametrize(
    ("test", "rate", "seen"),
    [
        ("TEST01", 1.09, False), ("TEST01", 1.11, True), ("TEST01", 0.89, True),
        ("TEST04", 0.5, False), ("TEST04", 1.11, True), ("TEST05", 1.2, False), ("TEST05", 0.94, True),
    ],
)  # fmt: skip
def test_a_figure_is_held_to_what_the_test_allows(tmp_path: Path, test: str, rate: float, seen: bool) -> None:
    tree = build(tmp_path, "v3.1")
    change_log(log(tree, test), result_samples_per_second=1234.5 * rate)
    found = [each for each in check(tmp_path, "v3.1", jobs=1).findings if each.code == "compliance-speed"]
    assert bool(found) is seen
    assert not found or (found[0].path.endswith(f"{test}/performance/run_1/mlperf_log_detail.txt"))


@pytest.mark.parametrize("value", ["text", [1], None, True, 10**400])
def test_values_that_are_none_are_no_figures(tmp_path: Path, value: object) -> None:
    tree = build(tmp_path, "v3.1")
    change_log(log(tree, "TEST05"), result_samples_per_second=value, effective_qsl_rng_seed=value)
    codes = {each.code for each in check(tmp_path, "v3.1", jobs=1).findings}
    assert "compliance-speed" not in codes and "audit-unheeded" not in codes


def test_a_published_round_has_tests_that_were_none(sample_tree: Path) -> None:
    found = [each for each in check(sample_tree, "v3.0", jobs=1).findings if each.code == "audit-unheeded"]
    assert sorted(each.path.partition("compliance/")[2].rpartition("/performance")[0] for each in found) == [
        f"davinci_dualm2/resnet50/{scenario}/TEST04" for scenario in ("MultiStream", "Offline", "SingleStream")
    ]

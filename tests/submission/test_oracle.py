"""The real sample tree and its damaged variants, against what the official tool of v3.0 said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.submission.check import check
from assay.submission.model import CheckReport

from .conftest import ORACLE, damage, variants

VARIANTS = variants()


@pytest.fixture(scope="module")
def whole(sample_tree: Path) -> CheckReport:
    """What the tree is found to be before anything is damaged."""
    return check(sample_tree, "v3.0", jobs=1)


def results(report: CheckReport) -> set[str]:
    """Location, model and scenario of every row, as the oracle names results."""
    found = set()
    for row in report.rows:
        location = next(part for part in row.split(",") if "/results/" in part)
        found.add(f"{location}|{location.split('/')[-2]}|{location.split('/')[-1]}")
    return found


def test_rows_are_those_of_the_official_tool(whole: CheckReport) -> None:
    official = (ORACLE / "sample-v3.0-summary.csv").read_text(encoding="utf-8").splitlines()
    assert whole.header == official[0]
    assert sorted(whole.rows) == sorted(official[1:])
    assert whole.official.ok


def test_processes_give_the_same_report(sample_tree: Path, whole: CheckReport) -> None:
    two = check(sample_tree, "v3.0", jobs=2)
    assert (whole.rows, whole.findings, whole.results) == (two.rows, two.findings, two.results)


@pytest.mark.parametrize("name", VARIANTS or [pytest.param("", marks=pytest.mark.skip("the oracle is not there"))])
def test_variant(name: str, sample_copy: Path, whole: CheckReport) -> None:
    variant = VARIANTS[name]
    for operation in variant["change"]:
        damage(sample_copy, operation)
    report = check(sample_copy, "v3.0", jobs=1)
    expected = variant["official_v3.0"]
    rejected = results(whole) - results(report)
    assert rejected == set(expected["rejected_results"])
    assert report.official.ok == (expected["exit_code"] == 0)
    strict_before = {(each.code, each.path, each.field) for each in whole.findings if each.strict.rank >= 3}
    strict_after = {(each.code, each.path, each.field) for each in report.findings if each.strict.rank >= 3}
    assert strict_after - strict_before, "the strict verdict has nothing to say of this damage"
    assert not report.strict.ok

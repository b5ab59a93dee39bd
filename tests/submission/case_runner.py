"""Runs the damages of ``cases.py``: each has to be found, with the levels of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.rules.findings import catalogue
from assay.rules.load import load_round, round_names
from assay.rules.submission import Level
from assay.submission.check import check
from assay.submission.levels import LevelTable

from .cases import CASES, Case
from .smalltree import build


def possible_everywhere(case: Case, round_name: str) -> bool:
    """Whether a case can be built for a round, whether or not the round looks at it."""
    round_ = load_round(round_name)
    assert round_.submission is not None
    return (
        case.build.get("division", "closed") in round_.submission.divisions
        and case.build.get("benchmark", "resnet") in round_.benchmarks
    )


def _looked_at(case: Case, round_name: str) -> bool:
    """Whether a round knows the division and the thing at all."""
    round_, kind = load_round(round_name), catalogue()[case.code]
    if round_name < case.since or (case.until and round_name > case.until) or not possible_everywhere(case, round_name):
        return False
    return {kind.official_level(round_), kind.strict_level(round_)} != {Level.IGNORE}


def each_case(*prefixes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrize a test over the cases whose code begins so, in every round that looks at them."""
    pairs = [
        (case, name)
        for case in CASES
        if case.code.startswith(prefixes)
        for name in round_names()
        if _looked_at(case, name)
    ]
    return pytest.mark.parametrize(("case", "round_name"), pairs, ids=[f"{case.label}-{name}" for case, name in pairs])


def run_case(case: Case, round_name: str, root: Path) -> None:
    """Make the tree, damage it, and hold the report against the catalogue."""
    tree = build(root, round_name, **case.build)
    case.edit(tree)
    report = check(root, round_name, jobs=1)
    found = [each for each in report.findings if each.code == case.code]
    assert found, [(each.code, each.path) for each in report.findings]
    alone = len({each.code for each in report.findings}) == 1
    table, closed = LevelTable(load_round(round_name)), tree.division != "open"
    strict, official = table.strict(case.code, closed=closed), table.official(case.code, closed=closed)
    assert {each.strict for each in found} <= {strict, Level.IGNORE, Level.NOTE}
    if strict in (Level.FLAG, Level.REJECT):
        assert not report.strict.ok
    elif alone:
        assert report.strict.ok, report.strict.refused
    if official in (Level.FLAG, Level.REJECT):
        assert not report.official.ok
    elif alone:
        assert report.official.ok, report.official.refused

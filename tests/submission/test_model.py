from __future__ import annotations

from assay.rules.submission import Level
from assay.submission.model import Finding, Outcome, Part


def test_a_place_has_its_line() -> None:
    finding = Finding("c", "t", "a/b", Level.NOTE, Level.REJECT, Part.PERFORMANCE, "a", line=7)
    assert finding.place == "a/b:7"
    assert Finding("c", "t", "a/b", Level.NOTE, Level.REJECT, Part.TREE, "").place == "a/b"


def test_one_refused_place_refuses_the_tree() -> None:
    assert Outcome(3, ()).ok
    assert not Outcome(3, ("closed/x",)).ok

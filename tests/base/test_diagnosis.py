from __future__ import annotations

from assay.base.diagnosis import Condition, missing, ok, warning


def test_three_kinds_of_findings() -> None:
    assert ok("a", "b", "c").state is Condition.OK
    assert warning("a", "b", "c", "d").fix == "d"
    assert missing("a", "b", "c", essential=True).to_dict() == {
        "name": "a",
        "state": "missing",
        "needed_for": "b",
        "detail": "c",
        "fix": "",
        "essential": True,
    }

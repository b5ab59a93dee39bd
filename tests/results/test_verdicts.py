from __future__ import annotations

from typing import Any

from assay.results.verdicts import known_round, verdicts
from assay.rules.submission import Level


def values(**changes: Any) -> dict[str, Any]:
    return {"round": "v3.0", "official": True, "strict": False, "findings": ["system-field-empty"]} | changes


def test_each_verdict_has_its_own_levels() -> None:
    official, strict = verdicts(values())
    assert (official.rules, official.taken, official.held) == ("official", True, ())
    assert "v3.0" in official.tool
    (held,) = strict.held
    assert (strict.taken, held.code, held.level) == (False, "system-field-empty", Level.REJECT)
    assert held.title
    assert held.explain
    assert held.fix
    assert held.source


def test_the_gravest_comes_first_and_codes_nobody_knows_last() -> None:
    _, strict = verdicts(values(findings=["<script>", "verify-inexact", "accuracy-below-target"]))
    assert [each.code for each in strict.held] == ["accuracy-below-target", "verify-inexact", "<script>"]
    assert (strict.held[-1].level, strict.held[-1].title) == (None, "")


def test_a_round_that_is_not_known_has_findings_without_levels() -> None:
    official, strict = verdicts(values(round="v0.5", official=None, findings=["seed-wrong"]))
    assert known_round("v0.5") is None
    assert (official.taken, official.held[0].level, strict.held[0].level) == (None, None, None)
    assert verdicts(values(findings=None))[0].held == ()

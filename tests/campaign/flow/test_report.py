from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.campaign.flow.journal import Done
from assay.campaign.flow.report import report_text
from assay.campaign.flow.steps import State

from .lab import flow_of


def test_what_was_done_is_a_row_and_what_was_not_is_none(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home)
    standings = flow.standings()
    name = "colours/SingleStream/TEST04"
    done = Done(name, "in", "out", ("a-run",), 2.0, "one | two")
    standings[name] = replace(standings[name], state=State.DONE, last=done)
    text = report_text(flow, standings, {})
    assert text.startswith("# Campaign lab\n") and "A rehearsal" in text and str(lab / "tree") in text
    assert f"| {name} |  | a-run | 2.00 s | one / two |" in text
    assert "TEST05" not in text

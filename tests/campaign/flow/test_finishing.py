from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from assay.base.progress import SILENT
from assay.campaign.flow import finishing as module
from assay.campaign.flow.finishing import build_tree, check_tree, output_of, verdicts, write_report
from assay.campaign.flow.journal import Done
from assay.campaign.flow.steps import State
from assay.errors import AssayError, NotFoundError
from assay.rules.submission import Level
from assay.submission.model import CheckReport

from .lab import flow_of


def report(*, ok: bool) -> CheckReport:
    outcome = SimpleNamespace(ok=ok, refused=[] if ok else ["a"], accepted=3)
    finding = SimpleNamespace(code="seed-wrong", official=Level.NOTE, strict=Level.NOTE if ok else Level.REJECT)
    return cast("CheckReport", SimpleNamespace(official=outcome, strict=outcome, findings=[finding]))


def test_both_verdicts_in_a_line() -> None:
    assert verdicts(report(ok=True)) == "official: nothing refused, 3 accepted; strict: nothing refused, 3 accepted"
    assert verdicts(report(ok=False)).endswith("strict: refuses 1 places, 3 accepted (seed-wrong 1)")


def test_a_refused_tree_stops_what_is_no_rehearsal(lab: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "check", lambda *args, **options: report(ok=False))
    flow = flow_of(lab, home)
    assert "refuses" in check_tree(flow, SILENT).note
    form = flow.campaign.form.model_copy(update={"rehearsal": False})
    real = replace(flow, campaign=replace(flow.campaign, form=form))
    with pytest.raises(AssayError, match="the tree is refused"):
        check_tree(real, SILENT)


def test_what_a_tree_lacks_is_told(lab: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_of(lab, home, division="open")
    wishes: list[Any] = []

    def nothing(runs: object, round_: object, given: list[Any], out: Path, **options: object) -> object:
        wishes.extend(given)
        missing = SimpleNamespace(where="resnet", what="retraining", how="--set retraining=no")
        return SimpleNamespace(missing=[missing], files={})

    monkeypatch.setattr(module, "build_all", nothing)
    with pytest.raises(AssayError, match="1 things are missing") as caught:
        build_tree(flow, {}, SILENT, None)
    assert caught.value.hint == "in the campaign's file, under fields: retraining=no"
    assert [wish.system for wish in wishes] == ["box"] and wishes[0].runs == ()


def test_the_report_does_without_runs_that_are_gone(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home)
    standings = flow.standings()
    name = "colours/SingleStream/TEST04"
    standings[name] = replace(standings[name], state=State.DONE, last=Done(name, "in", "out", ("gone",)))
    assert output_of(standings[name]) == "out"
    made = write_report(flow, standings)
    assert "| gone |" in Path(made.note).read_text()


def test_runs_of_a_tree_have_to_be_there(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home)
    standings = flow.standings()
    name = "colours/SingleStream/accuracy"
    standings = {name: replace(standings[name], last=Done(name, "in", "gone"))}
    with pytest.raises(NotFoundError):
        build_tree(flow, standings, SILENT, None)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.draft import UNTOLD, Wanted, draft, keep, stand_ins, text_of
from assay.campaign.flow.forms import read_campaign
from assay.errors import InvalidInputError, NotFoundError, UsageError


def wanted(**changes: Any) -> Wanted:
    given = {
        "round": "v3.1",
        "benchmarks": ("resnet50",),
        "category": "edge",
        "division": "closed",
        "submitter": "Acme",
    }
    return Wanted(**{**given, **changes})


def test_what_nobody_says_is_as_usual(home: Path) -> None:
    settings = Settings(home=home)
    campaign = draft(wanted(), settings)
    form = campaign.form
    assert (
        form.name == "resnet50-v3.1-edge-closed" and campaign.path == home / "campaigns" / form.name / "campaign.yaml"
    )
    assert campaign.out == campaign.path.parent / "tree" and form.describe == {} and not form.rehearsal
    assert (form.entries[0].name, form.entries[0].duration) == ("resnet50", None)
    rehearsal = draft(wanted(rehearsal=True, submitter="", model="mobilenet-v2"), settings).form
    assert rehearsal.name == "mobilenet-v2-v3.1-edge-closed-rehearsal" and rehearsal.submitter == "Rehearsal"
    (entry,) = rehearsal.entries
    assert (entry.name, entry.title, entry.duration) == ("mobilenet-v2", "resnet50", "10s")


def test_the_one_system_that_is_described_is_meant(home: Path) -> None:
    settings = Settings(home=home)
    (home / "systems").mkdir(parents=True)
    (home / "systems" / "lab-xeon.json").write_text('{"submitter": "Example"}')
    form = draft(wanted(submitter=""), settings).form
    assert (form.system, form.submitter) == ("lab-xeon", "Example")
    (home / "systems" / "second.json").write_text("{}")
    assert draft(wanted(), settings).form.system not in ("lab-xeon", "second")


def test_who_submits_may_be_told_later(home: Path) -> None:
    assert draft(wanted(submitter=""), Settings(home=home)).form.submitter == UNTOLD


def test_a_file_is_read_as_it_was_written(home: Path, tmp_path: Path) -> None:
    settings = Settings(home=home)
    entry = {"precision": "int8", "target_qps": {"Offline": 90.0}, "batch_size": 16, "scenarios": ["Offline"]}
    asked = wanted(entry=entry, given={"notify": ["./tell"], "fields": {"retraining": "no"}}, out=tmp_path / "tree")
    campaign = draft(asked, settings, tmp_path / "lab.yaml")
    assert not keep(campaign, force=False) and not keep(campaign, force=False)
    assert read_campaign(tmp_path / "lab.yaml").form == campaign.form and "threads" not in text_of(campaign)
    other = draft(wanted(submitter="Other"), settings, tmp_path / "lab.yaml")
    with pytest.raises(UsageError, match="another plan"):
        keep(other, force=False)
    assert keep(other, force=True) and read_campaign(tmp_path / "lab.yaml").form.submitter == "Other"


def test_what_cannot_be_guessed_or_does_not_fit_is_asked(home: Path) -> None:
    settings = Settings(home=home)
    for changes, kind, says in (
        ({"benchmarks": ("resnet50", "bert-99"), "model": "mobilenet-v2"}, UsageError, "one benchmark"),
        ({"benchmarks": ("bert-99",), "model": "mobilenet-v2"}, UsageError, "no model of bert-99"),
        ({"benchmarks": ("resnet51",)}, NotFoundError, "resnet51"),
        ({"round": "v9"}, NotFoundError, "v9"),
        ({"entry": {"duration": "soon"}}, InvalidInputError, "duration"),
        ({"division": "network"}, InvalidInputError, "division"),
    ):
        with pytest.raises(kind, match=says):
            draft(wanted(**changes), settings)


def test_the_stand_in_is_named_where_only_the_user_can_get_the_data(home: Path) -> None:
    settings = Settings(home=home)
    (line,) = stand_ins(draft(wanted(), settings), settings)
    assert "imagenet2012" in line and "--rehearsal --model mobilenet-v2" in line
    assert stand_ins(draft(wanted(rehearsal=True, model="mobilenet-v2"), settings), settings) == []

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from assay.rules.load import load_round
from assay.rules.model import Category, Division, Scenario
from assay.submission.building.described import system_fields, system_missing, system_notes, system_text
from assay.submission.building.model import Entry, Taken

from .made import DESCRIPTION, make_home, wish

ROUND = load_round("v3.1")


def test_division_and_category_are_those_of_the_tree() -> None:
    fields = system_fields(wish(categories=tuple(Category)), ROUND)
    assert fields["division"] == "closed"
    assert sorted(str(fields["system_type"]).split(",")) == ["datacenter", "edge"]
    assert not system_missing(fields, wish(), ROUND)


def test_a_submitter_is_filled_in_and_never_replaced() -> None:
    fields = system_fields(wish(description={**DESCRIPTION, "submitter": ""}), ROUND)
    assert fields["submitter"] == "Acme"
    other = system_fields(wish(description={**DESCRIPTION, "submitter": "Other"}), ROUND)
    (problem,) = system_missing(other, wish(), ROUND)
    assert problem.how == "assay system edit box --set submitter=Acme" and not problem.spared


def test_what_is_missing_says_where_it_belongs() -> None:
    fields = system_fields(wish(description={**DESCRIPTION, "cooling": "TBD"}), ROUND)
    (problem,) = system_missing(fields, wish(), ROUND)
    assert problem.how == "assay system edit box --set cooling=..."
    (problem,) = system_missing(fields, wish(described_in="box.json"), ROUND)
    assert problem.how == "cooling=... in box.json"


def test_a_rehearsal_stands_before_the_notes() -> None:
    fields = system_fields(wish(rehearsal=True, description={**DESCRIPTION, "sw_notes": "mine"}), ROUND, ["short-run"])
    notes = str(fields["sw_notes"])
    assert notes.startswith("REHEARSAL, NOT TO BE SUBMITTED") and "short-run" in notes and notes.endswith(" mine")
    assert json.loads(system_text(fields)) == fields


def test_runs_of_another_machine_are_noted(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    folder = home.add(Scenario.OFFLINE, "performance")
    entry = Entry(home.round.benchmark("resnet"), Scenario.OFFLINE, Taken(folder.read(), folder.path))
    assert system_notes([entry], DESCRIPTION) == []
    record = replace(folder.read(), host={"cpu": "Other 1"})
    moved = replace(entry, performance=Taken(record, folder.path))
    assert system_notes([moved], DESCRIPTION) == ["the runs were made on Other 1, and the system says Acme 9000"]
    assert "several processors" in system_notes([entry, moved], DESCRIPTION)[0]
    assert system_fields(wish(division=Division.OPEN), ROUND)["division"] == "open"

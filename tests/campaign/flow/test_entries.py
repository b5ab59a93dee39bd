from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.entries import entry_facts
from assay.campaign.flow.steps import EntryFacts, Kind, ScenarioFacts
from assay.cli.find_rate import find_rate
from assay.errors import UsageError
from assay.rules.load import load_round

from .lab import read_lab

PROGRAM = Path(__file__).parents[2] / "programs" / "stand-in.yaml"


def facts(lab: Path, home: Path, entry: dict[str, Any] | None = None, **changes: Any) -> EntryFacts:
    campaign = read_lab(lab, entry, **changes)
    settings = Settings(home=home, offline=True)
    return entry_facts(campaign, campaign.form.entries[0], load_round("v3.1"), settings, [])


def test_what_gets_an_entry_ready(lab: Path, home: Path) -> None:
    found = facts(lab, home)
    assert list(found.ready) == [Kind.FETCH, Kind.PREPARE] and found.benchmark == "resnet"
    assert str(lab / "photos") in found.ready[Kind.FETCH].line
    (lab / "int8.yaml").write_text("format: 1\nprecision: int8\n")
    by_scenario = facts(lab, home, {"scenarios": ["Offline", "SingleStream"], "setting": {"SingleStream": "int8.yaml"}})
    assert list(by_scenario.ready) == [Kind.FETCH, Kind.PREPARE, Kind.QUANTISE]
    request = by_scenario.ready[Kind.QUANTISE].request
    assert request is not None and request.precision == "int8"
    missing = facts(lab, home, entries=[{"name": "mobilenet-v2", "duration": "1s"}])
    assert "fetch mobilenet-v2" in missing.ready[Kind.FETCH].line
    assert missing.ready[Kind.FETCH].command == "assay assets fetch mobilenet-v2 imagenet-foolbox-20"


def test_a_search_is_a_task_of_server(lab: Path, home: Path) -> None:
    found = facts(lab, home, {"scenarios": ["Server"], "find_rate": True}, category="datacenter")
    (server,) = found.scenarios
    assert server.find is not None and server.find.command.startswith("assay find-rate colours --round v3.1")
    assert "--scenario" not in server.find.command and "confirmed the rate" in server.timed.line
    assert server.find.expected.rough and server.timed.expected.seconds == 1.0


def test_programs_of_others_prepare_their_samples_and_are_tested(lab: Path, home: Path) -> None:
    theirs = {"implementation": str(PROGRAM), "implementation_options": {"python": sys.executable}, "model": None}
    found = facts(lab, home, {**theirs, "threads": 0, "scenarios": ["Offline"]})
    assert list(found.ready) == [Kind.FETCH] and found.program is not None
    assert found.tests == ("TEST01", "TEST04", "TEST05")
    assert (
        "--implementation" in found.scenarios[0].timed.command and "--implementation" in found.scenarios[0].test.command
    )


def test_the_rate_of_a_program_is_searched_where_it_can_be_told_one(lab: Path, home: Path) -> None:
    def server(manifest: Path, **more: Any) -> ScenarioFacts:
        theirs = {"implementation": str(manifest), "implementation_dir": str(PROGRAM.parent), "model": None, "threads": 0,
                  "implementation_options": {"python": sys.executable}, "scenarios": ["Server"], **more}  # fmt: skip
        return facts(lab, home, theirs, category="datacenter").scenarios[0]

    found = server(PROGRAM, rate_tolerance=0.05)
    assert found.find is not None and "confirmed the rate" in found.timed.line
    words = shlex.split(found.find.command)
    assert words[:3] == ["assay", "find-rate", "colours"] and words[-2:] == ["--tolerance", "0.05"]
    with find_rate.make_context("find-rate", words[2:]) as context:
        assert context.params["implementation"] == str(PROGRAM) and context.params["tolerance"] == 0.05
    deaf = lab / "deaf.yaml"
    deaf.write_text(PROGRAM.read_text().replace('"{user_conf}"', '"its own"'))
    assert server(deaf).find is None and server(PROGRAM, find_rate=False).find is None
    with pytest.raises(UsageError, match="no rate can be searched"):
        server(deaf, find_rate=True)


def test_a_benchmark_that_the_category_does_not_have(lab: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="no Server"):
        facts(lab, home, {"scenarios": ["Server"]})

"""One attempt of a search, by a program that is not assay's; assay's own are in the tests of the search."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign import external_probe
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.find_rate import carry_out_search
from assay.campaign.request import RunRequest
from assay.campaign.search_attempt import attempt_at, full_command
from assay.campaign.search_plan import SearchPlan, plan_search
from assay.errors import RunFailedError
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Scenario

from .test_execute import MANIFEST

PROGRAMS = Path(__file__).parents[1] / "programs"
CAPACITY = 1000.0
"""Of the program, which sleeps a millisecond for each sample."""


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(external_probe, "PROBE_S", 0.2)
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def search(settings: Settings, pictures: Path, manifest: Path = PROGRAMS / "stand-in.yaml", **given: Any) -> SearchPlan:
    """A search whose runs take less than a second."""
    request = RunRequest(
        name="colours", dataset=str(pictures), scenarios=(Scenario.SERVER,), duration_ns=6 * 10**8,
        target_latency_ns=50 * 10**6,
    )  # fmt: skip
    program = ExternalRequest(str(manifest), PROGRAMS, {"python": sys.executable})
    return plan_search(request, settings, **{"attempt_ns": 3 * 10**8, "tolerance": 0.5, "program": program, **given})


def test_the_command_has_the_length_of_the_run_that_counts() -> None:
    attempt = "assay run resnet50 --target-qps 80 --samples 662 --duration 10s"
    request = RunRequest(name="resnet50", scenarios=(Scenario.SERVER,))
    assert full_command(attempt, request) == "assay run resnet50 --target-qps 80"
    longer = request.model_copy(update={"duration_ns": 60 * 10**9, "samples": 1000})
    assert full_command(attempt, longer).endswith("--target-qps 80 --samples 1000 --duration 60s")


def test_a_program_is_told_rate_and_length_and_believed_by_its_log(settings: Settings, pictures: Path) -> None:
    attempt = attempt_at(search(settings, pictures), 200.0, 0.3, settings, SILENT)
    assert attempt.rate == 200.0 and attempt.queries >= 60 and not attempt.stopped
    record = RunCatalogue(settings.runs_dir).read(attempt.run)
    assert record.backend_name == "stand-in" and record.settings["target_qps"] == 200.0
    assert record.settings["min_duration_ms"] == 300
    words = shlex.split(record.command)
    assert float(words[words.index("--target-qps") + 1]) == 200.0
    # A program that reads options only has to be told of the queries, too.
    assert words[words.index("--samples") + 1] == str(record.settings["min_query_count"])


def test_the_first_rate_is_that_of_a_short_run(settings: Settings, pictures: Path) -> None:
    attempt = attempt_at(search(settings, pictures), None, 0.3, settings, SILENT)
    assert 50 < attempt.rate < CAPACITY
    assert (settings.runs_dir / attempt.run / "probe" / "1").is_dir()


def test_a_program_that_does_otherwise_is_not_searched(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    plan = search(settings, pictures)
    other = replace(plan, aim=replace(plan.aim, bound_s=0.02))
    with pytest.raises(RunFailedError, match="did not take the latency bound that it was told") as caught:
        attempt_at(other, 200.0, 0.3, settings, SILENT)
    assert (caught.value.expected, caught.value.found) == ("0.02 s", "0.05 s")
    # It reads a file of its own, and what it is told goes nowhere.
    (tmp_path / "own.conf").write_text(
        "*.Server.target_qps = 40\n*.Server.target_latency = 50\n*.Server.min_duration = 300\n*.Server.min_query_count = 9\n"
    )
    text = (PROGRAMS / "stand-in.yaml").read_text().replace('"{user_conf}"', f'"{tmp_path}/own.conf"')
    (tmp_path / "deaf.yaml").write_text(text.replace("source: the tests", "environment: {IDLE: '{user_conf}'}"))
    with pytest.raises(RunFailedError, match="did not take the rate that it was told") as caught:
        attempt_at(search(settings, pictures, tmp_path / "deaf.yaml"), 200.0, 0.3, settings, SILENT)
    assert (caught.value.expected, caught.value.found) == ("200 queries/s", "40 queries/s")
    assert "assay implementations show stand-in" in str(caught.value.hint)


@pytest.mark.slow
def test_the_rate_of_a_program_is_found(settings: Settings, pictures: Path) -> None:
    searched = carry_out_search(search(settings, pictures), settings, SILENT, lambda tried: None)
    found = searched.found
    # A busy machine holds less; none holds more than the program can do but for what a second hides.
    assert found.rate is not None and 0.1 * CAPACITY < found.rate < 1.5 * CAPACITY and found.missed is not None
    records = {record.id: record for record in RunCatalogue(settings.runs_dir).records()}
    assert {each.attempt.run for each in found.tried} == set(records)
    words = shlex.split(searched.command)
    assert words[words.index("--implementation") + 1] == str(PROGRAMS / "stand-in.yaml")
    assert float(words[words.index("--target-qps") + 1]) == found.rate
    assert words[words.index("--duration") + 1] == "600ms"

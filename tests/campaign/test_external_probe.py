"""Targets that nobody gave: found by short runs of the program on the real LoadGen, or told by its last run."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.base.progress import SILENT, Step
from assay.base.settings import Settings
from assay.campaign import external_probe
from assay.campaign.external import carry_out_external, gather_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.external_probe import known_target, probe_program
from assay.campaign.request import RunRequest
from assay.campaign.targets import OFFLINE_MARGIN
from assay.errors import RunFailedError
from assay.harness.external import process
from assay.harness.outcome import Ending, Outcome
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.settings import Overrides
from assay.rules.load import load_round
from assay.rules.model import Scenario

from .test_execute import MANIFEST

PROGRAMS = Path(__file__).parents[1] / "programs"
LIMITS = load_round("v3.1").benchmark("resnet").limits
OFFLINE, SERVER = LIMITS[Scenario.OFFLINE], LIMITS[Scenario.SERVER]


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        self.lines.append(label)
        return SILENT.start(label, total=total, unit=unit)

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(external_probe, "PROBE_S", 0.2)
    monkeypatch.setattr(external_probe, "_ENOUGH_S", 0.1)
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def go(
    settings: Settings,
    pictures: Path,
    scenario: Scenario,
    told: Told | None = None,
    misbehave: str = "no",
    **given: Any,
) -> RunRecord:
    request = RunRequest(name="colours", dataset=str(pictures), scenarios=(scenario,), duration_ns=10**8, **given)
    external = ExternalRequest(
        str(PROGRAMS / "stand-in.yaml"), None, {"python": sys.executable, "misbehave": misbehave}
    )
    (record,) = carry_out_external(make_external_plan(request, external, settings), settings, told or Told())
    return record


def test_offline_is_tried_with_more_samples_until_it_lasts(settings: Settings, pictures: Path) -> None:
    told = Told()
    record = go(settings, pictures, Scenario.OFFLINE, told)
    # A sample takes the program a millisecond.
    target = record.settings["target_qps"]
    assert isinstance(target, float | int)
    assert 200 < target < 1500
    assert [line for line in told.lines if "short run" in line][:2] == ["Offline: short run 1", "Offline: short run 2"]
    assert any("Offline performance: planned with" in line and "samples took" in line for line in told.lines)
    words = shlex.split(record.command)
    assert float(words[words.index("--target-qps") + 1]) == pytest.approx(target, rel=1e-3)
    assert "target_qps" in (settings.runs_dir / record.id / "user.conf").read_text()
    assert record.verdict is not None
    assert record.verdict.valid, record.verdict.reasons


def test_a_stream_and_a_server_are_told_by_one_query_after_another(settings: Settings, pictures: Path) -> None:
    told = Told()
    record = go(settings, pictures, Scenario.SINGLE_STREAM, told)
    assert "SingleStream: short run 1" in told.lines
    assert any("planned with" in line and "a query took" in line for line in told.lines)
    assert "--target-latency" in record.command
    told = Told()
    record = go(settings, pictures, Scenario.SERVER, told)
    sent = record.settings["target_qps"]
    assert isinstance(sent, float | int)
    assert 50 < sent < 400
    assert any("in a short run of SingleStream" in line for line in told.lines)


def test_the_last_run_of_the_same_tells_without_another(settings: Settings, pictures: Path) -> None:
    first, told = go(settings, pictures, Scenario.OFFLINE), Told()
    second = go(settings, pictures, Scenario.OFFLINE, told)
    assert not any("short run" in line for line in told.lines)
    assert any(f"as {first.id} of the same inputs told" in line for line in told.lines)
    assert not (settings.runs_dir / second.id / "probe").exists()
    told = Told()
    go(settings, pictures, Scenario.OFFLINE, told, threads=2)
    assert any("short run" in line for line in told.lines)


def test_a_short_run_is_no_slower_than_what_comes(settings: Settings, pictures: Path) -> None:
    record = go(settings, pictures, Scenario.OFFLINE, target_qps=500.0)
    assert Label.SHORT_RUN in record.labels
    short, whole = known_target([record], record, OFFLINE), known_target([replace(record, labels=())], record, OFFLINE)
    assert short is not None
    assert whole is not None
    rate = record.figures.samples_per_second
    assert rate is not None
    assert whole.overrides.target_qps == pytest.approx(OFFLINE_MARGIN * rate)
    assert short.overrides.target_qps == pytest.approx(1.3 * OFFLINE_MARGIN * rate)


def test_what_the_program_dies_of_in_the_short_run_is_the_runs_failure(settings: Settings, pictures: Path) -> None:
    with pytest.raises(RunFailedError, match="the short run that finds a target: .*no such layer"):
        go(settings, pictures, Scenario.OFFLINE, misbehave="raise")
    record = RunCatalogue(settings.runs_dir).read("last")
    assert record.status is RunStatus.FAILED
    assert "no such layer" in (settings.runs_dir / record.id / "probe" / "1" / "implementation.log").read_text()


def test_an_interrupt_in_the_short_run_is_kept_as_one(
    settings: Settings, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(self: object) -> None:
        del self
        raise KeyboardInterrupt

    monkeypatch.setattr(process.Following, "look", look)
    monkeypatch.setattr(process, "_ASKED_S", 0.3)
    with pytest.raises(KeyboardInterrupt):
        go(settings, pictures, Scenario.SINGLE_STREAM)
    assert RunCatalogue(settings.runs_dir).read("last").status is RunStatus.INTERRUPTED


def test_only_a_valid_run_tells_a_server_its_rate(settings: Settings, pictures: Path) -> None:
    record = go(settings, pictures, Scenario.SERVER, target_qps=50.0)
    assert record.verdict is not None
    record = replace(record, verdict=replace(record.verdict, valid=True))
    assert record.verdict is not None
    found = known_target([record], record, SERVER)
    assert found is not None
    assert found.overrides.target_qps == 50.0
    wrong = replace(record, verdict=replace(record.verdict, valid=False))
    assert known_target([wrong], record, SERVER) is None
    other = replace(record, backend={**record.backend, "options": "python=another"})
    assert known_target([other, replace(record, status=RunStatus.FAILED)], record, SERVER) is None


def test_with_equal_issue_few_queries_are_planned(
    settings: Settings, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    made: list[int] = []

    def run(self: Any, scenario: Scenario, overrides: Overrides) -> Outcome:
        limits = self._benchmark.limits[Scenario.SINGLE_STREAM]
        assert limits.equal_issue == bool(asked)
        asked.append(overrides.target_latency_ns or 0)
        resolved = self._resolved(scenario, overrides)
        made.append(resolved.made)
        assert resolved.performance_sample_count == (3 if limits.equal_issue else 6)
        return Outcome(Ending.FAILED)

    monkeypatch.setattr(external_probe._Prober, "_run", run)
    request = RunRequest(name="colours", dataset=str(pictures), scenarios=(Scenario.SINGLE_STREAM,))
    external = ExternalRequest(str(PROGRAMS / "stand-in.yaml"), None, {"python": sys.executable})
    plan = make_external_plan(request, external, settings)
    material = gather_external(plan, settings, SILENT)
    for equal in (False, True):
        benchmark = plan.plan.subject.benchmark
        limits = {name: replace(each, equal_issue=equal) for name, each in benchmark.limits.items()}
        subject = replace(plan.plan.subject, benchmark=replace(benchmark, limits=limits))
        changed = replace(plan, plan=replace(plan.plan, subject=subject))
        assert isinstance(
            probe_program(changed, plan.plan.runs[0], material, settings.home, SILENT), external_probe.Broken
        )
    assert asked == [10**6, round(external_probe.PROBE_S * 1e9)]
    assert made == [400, 3]

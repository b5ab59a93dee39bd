"""What the record of a test's run says; that it is run again as it was is proved with the tests themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from assay import __version__
from assay.campaign.compliance_repeat import Trial, enough_samples, first_record, round_of
from assay.loadgen.audit import audit_of
from assay.loadgen.record import Figures, Label, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round

from .test_compliance_reference import record

ROUND = load_round("v3.1")
RESNET = ROUND.benchmark("resnet")


def test_the_record_of_a_test_is_that_of_the_plain_run_with_nothing_measured(tmp_path: Path) -> None:
    plain = record(
        figures=Figures(value=5.0), labels=(Label.SHORT_RUN, Label.SIMULATED_POWER), backend={"engine": "x"}, logs={"a": "b"}, failure="none",
        peak_memory=7, versions={"assay": "0", "loadgen": "6"}, extra={"later": 1},
    )  # fmt: skip
    trial = Trial(audit_of("TEST04", RESNET, ROUND), ("r",), "assay compliance run x", "group")
    made = first_record(plain, trial, RunCatalogue(tmp_path))
    assert (made.compliance, made.judged_against, made.command, made.group) == (
        "TEST04", ("r",), "assay compliance run x", "group"
    )  # fmt: skip
    assert made.status is RunStatus.RUNNING and made.id.split("-")[-2] == "test04"
    assert (made.figures, made.verdict, dict(made.logs), made.failure, made.peak_memory) == (
        Figures(),
        None,
        {},
        None,
        0,
    )
    assert (made.model, made.labels, made.backend) == (plain.model, (Label.SHORT_RUN,), plain.backend)
    assert made.versions == {"assay": __version__, "loadgen": "6"} and made.extra == {}


def test_only_test05_is_held_to_other_seeds() -> None:
    assert round_of(audit_of("TEST04", RESNET, ROUND), ROUND).seeds == ROUND.seeds
    assert round_of(audit_of("TEST05", RESNET, ROUND), ROUND).seeds == ROUND.test05_seeds


def test_offline_gets_samples_enough_for_a_test_that_is_faster_than_the_plain_run() -> None:
    spec = SimpleNamespace(attributes={"offline_expected_qps": 100.0})
    offline = record(scenario="Offline", figures=Figures(value=120.0))
    assert enough_samples(offline, spec) == {"offline_expected_qps": pytest.approx(138.0)}  # type: ignore[arg-type]
    tokens = Figures(value=9000.0, unit="Tokens/s", samples_per_second=120.0)
    assert enough_samples(replace(offline, figures=tokens), spec) == {"offline_expected_qps": pytest.approx(138.0)}  # type: ignore[arg-type]
    assert enough_samples(replace(offline, figures=Figures(value=50.0)), spec) == {"offline_expected_qps": 100.0}  # type: ignore[arg-type]
    assert enough_samples(record(scenario="Server", figures=Figures(value=120.0)), spec) == {}  # type: ignore[arg-type]

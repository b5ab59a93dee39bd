from __future__ import annotations

from dataclasses import replace

import pytest

from assay.cli.render import Output
from assay.cli.run_view import exit_code, row, show_records
from assay.loadgen.record import Artefact, Figures, Label, MeasuredPower, RunRecord, RunStatus
from assay.loadgen.verdict import PLAIN_SETTINGS, Constraint, Verdict

VALID = Verdict(True, True, (), (), ())
SHORT = Verdict(
    True,
    False,
    (Constraint("min_duration of the round", False, "10m 00s", "5.00 s", "round v3.1", "run on", "round"),),
    (),
    (),
)
LATE = Verdict(
    False,
    False,
    (
        Constraint(
            "p99 latency", False, "at most 15.0 ms", "33.0 ms", "resnet50.Server.target_latency", "lower the rate"
        ),
        Constraint("min_duration of the round", False, "10m 00s", "5.00 s", "round v3.1", "run on", "round"),
    ),
    (),
    ("lower the rate",),
)


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        id="20260101-000000-m-server-performance-abcd", group="g", created="2026-01-01T00:00:00+00:00", status=RunStatus.FINISHED,
        round="v3.1", benchmark="resnet", task="image-classification", scenario="Server", mode="performance", category="datacenter",
        division="open", model=Artefact("m", "0" * 64), dataset=Artefact("d", None, 3), backend_name="onnxruntime", precision="fp32",
        batch_size=1, streams=1, threads=0, command="assay run m", labels=(Label.SHORT_RUN,), verdict=VALID,
        figures=Figures(101.234, "Queries/s", latency_ns={"p50": 2e6, "p99": 9.5e6}, accuracy={"acc": 90.0}, accuracy_units={"acc": "percent"}),
    )  # fmt: skip


def test_a_row_holds_figure_latencies_accuracy_verdict_and_labels(record: RunRecord) -> None:
    assert row(record) == [
        "Server", "performance", "101.2 queries/s", "2.00 ms", "", "9.50 ms", "acc 90%", "VALID", "short-run",
    ]  # fmt: skip


def test_an_invalid_run_is_explained_with_what_to_do(record: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    show_records([replace(record, verdict=LATE)], Output())
    shown = capsys.readouterr().out
    assert "Server is INVALID:\n  p99 latency: 33.0 ms; at most 15.0 ms asked (resnet50.Server.target_latency)" in shown
    assert "try: lower the rate" in shown
    assert "run on" not in shown


def test_a_run_beside_a_forgotten_audit_config_says_what_it_is(
    record: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Constraint(PLAIN_SETTINGS, False, "same off", "same True", "log", "take the audit.config away", "round")
    show_records([replace(record, verdict=replace(SHORT, constraints=(plain,)))], Output())
    said = capsys.readouterr().err
    assert "Server was made under a setting of a compliance test (same True): take the audit.config away" in said


def test_a_short_run_says_that_the_round_would_not_take_it(
    record: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    show_records([replace(record, verdict=SHORT)], Output())
    assert "round v3.1 would not take it: min_duration 5.00 s instead of 10m 00s" in capsys.readouterr().err


def test_the_exit_code_is_the_verdict(record: RunRecord) -> None:
    assert exit_code([record, record]) == 0
    assert exit_code([record, replace(record, verdict=LATE)]) == 1
    assert exit_code([replace(record, verdict=None)]) == 1


def test_power_has_columns_where_it_was_measured(record: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    power = MeasuredPower("x", 98.76, 5.0, 4, 500.0, 0.5, 2.0, problems=("few samples",))
    show_records([replace(record, power=power, labels=(Label.SIMULATED_POWER,)), record], Output())
    shown = capsys.readouterr()
    assert "98.76 W" in shown.out and "2 samples/J" in shown.out and "simulated-power" in shown.out
    assert "Server: against its power: few samples" in shown.err
    show_records([record], Output())
    assert "efficiency" not in capsys.readouterr().out

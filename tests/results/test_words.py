from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.loadgen.record import Figures, Label, MeasuredPower, RunRecord, RunStatus
from assay.results import words

MakeRecord = Callable[..., RunRecord]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(208.545, "208.5"), (0.00123456, "0.001235"), (12345.6, "12,346"), (3.0, "3"), (-2000.0, "-2,000")],
)
def test_numbers(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_units_stand_behind_the_number() -> None:
    assert words.figure(Figures(value=3.0899, unit="Latency (ms)")) == "3.09 ms"
    assert words.figure(Figures(value=111.1, unit="Queries/s")) == "111.1 queries/s"
    assert words.figure(Figures(unit="Queries/s")) == ""


def test_accuracies() -> None:
    figures = Figures(accuracy={"acc": 76.014, "DICE": 0.8617}, accuracy_units={"acc": "percent", "DICE": "fraction"})
    assert words.accuracy(figures) == "acc 76.014%, DICE 0.8617"
    assert words.metric(90.0, "percent") == "90%"
    assert words.metric(43.2, "points") == "43.2 points"


def test_states(make_record: MakeRecord) -> None:
    assert words.state(make_record()) == "VALID"
    assert words.state(make_record(status=RunStatus.FAILED)) == "failed"
    assert words.state(make_record(verdict=None)) == "not judged"
    assert words.standing(make_record()) == "round v3.1 would not take it"
    assert words.standing(make_record(verdict=None)) == ""


def test_counts_have_their_grammar() -> None:
    assert words.counts(Figures(queries=1, samples=1730)) == "1 query, 1,730 samples"
    assert words.counts(Figures(queries=559, samples=559)) == "559 queries"
    assert words.counts(Figures()) == "" and words.seconds(Figures()) == ""


def test_facts_of_a_machine_are_named_and_unknown_ones_left_out() -> None:
    facts = words.host_facts({"memory_bytes": 25276510208, "cpu": "AMD", "governor": None, "swap": 3})
    assert facts == [("Processor", "AMD"), ("Memory", "25.3 GB"), ("swap", "3")]
    assert words.host_facts({}) == []


def test_the_engine_with_its_version(make_record: MakeRecord) -> None:
    assert words.engine(make_record()) == "onnxruntime 1.22.0, fp32"
    assert words.engine(make_record(backend={}, versions={})) == "onnxruntime, fp32"
    assert words.when(make_record()) == "2026-11-23 20:13"


def test_power_has_its_label_in_every_name(make_record: MakeRecord) -> None:
    assert words.power_figures(make_record()) == words.power_facts(make_record()) == []
    power = MeasuredPower("rapl, no analyzer", 12.345, 10.0, 9, 123.45, 0.5, 2.0, 4000.0, "millijoules", ("few",), "s")
    official = make_record(power=power)
    assert words.power(official) == "12.35 W" and words.power(make_record()) == ""
    assert words.power_figures(official) == [
        ("power", "12.35 W"),
        ("energy", "123.5 J"),
        ("energy of a sample", "0.5 J"),
        ("efficiency", "2 samples/J"),
        ("energy of a query", "4,000 millijoules"),
    ]
    labelled = make_record(power=power, labels=(Label.UNOFFICIAL_POWER,))
    assert all(name.endswith(" (unofficial-power)") for name, _ in words.power_figures(labelled))
    assert words.power_facts(official) == [
        ("power told by", "rapl, no analyzer"),
        ("power read", "9 times in 10.0 s"),
        ("power session", "s"),
        ("against the power", "few"),
    ]


def test_what_loadgen_timed_stands_beside_assays_own() -> None:
    own = {"padded_tokens": 1200.0, "first_token_p99_ns": 2_500_000.0, "answer_tokens_per_second": 80.25}
    loadgen = {"first_token_p99_ns": 3_000_000.0, "next_token_mean_ns": 1_500.0, "next_token_max_ns": 9.0}
    figures = Figures(measured=own, tokens=loadgen)
    assert words.own_figures(figures) == [
        ("padded tokens", "1,200"),
        ("time to first token, p99", "2.50 ms, LoadGen 3.00 ms"),
        ("answer tokens per second", "80.25"),
        ("time per token, mean", "LoadGen 1.50 µs"),
        ("time per token, max", "LoadGen 9.00 ns"),
    ]
    assert [name for name, _ in words.token_figures(figures)] == [
        "time to first token, p99",
        "answer tokens per second",
        "time per token, mean",
    ]
    assert words.own_figures(Figures()) == []

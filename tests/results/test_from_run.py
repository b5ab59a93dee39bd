from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cm.meta import is_uid
from assay.errors import InvalidInputError
from assay.loadgen.record import Artefact, Figures, Label, MeasuredPower, RunRecord, RunStatus
from assay.results.from_run import belong_together, joined, quality_targets, result_of, results_of, uid_of
from assay.results.model import Method, Origin, Power

MakeRecord = Callable[..., RunRecord]


def test_a_performance_run(make_record: MakeRecord) -> None:
    record = make_record("SingleStream")
    result = result_of(record)
    assert (result.origin, result.method) == (Origin.LOCAL, Method.MEASURED)
    assert result.performance is not None
    assert (result.performance.value, result.performance.unit, result.performance.lower_is_better) == (
        3.09,
        "Latency (ms)",
        True,
    )
    assert result.performance.latency_ns["p99"] == 4.6e6
    assert result.accuracy == ()
    assert result.system.processor == "AMD EPYC" and result.system.memory_bytes == 25 * 10**9
    assert result.system.organisation is None and result.system.accelerator is None
    assert result.system.framework == "onnxruntime 1.22.0"
    assert result.sources[0].seeds == {"qsl_rng_seed": 148687905518835231}
    assert result.labels == ("stand-in-model", "small-dataset")


def test_an_accuracy_target_means_nothing_for_another_model(make_record: MakeRecord) -> None:
    metric = result_of(make_record(mode="accuracy")).accuracy[0]
    assert (metric.metric, metric.value, metric.unit, metric.samples) == ("acc", 90.0, "percent", 20)
    assert metric.target == pytest.approx(75.6954) and metric.met is None


@pytest.mark.parametrize(("value", "met"), [(90.0, True), (75.69, False), (76.46 * 0.99, True)])
def test_an_accuracy_target_of_the_benchmarks_own_model(make_record: MakeRecord, value: float, met: bool) -> None:
    figures = Figures(accuracy={"acc": value}, accuracy_units={"acc": "percent"})
    assert result_of(make_record(mode="accuracy", labels=(), figures=figures)).accuracy[0].met is met


def test_a_round_that_is_not_known_asks_for_nothing(make_record: MakeRecord) -> None:
    assert quality_targets(make_record(round="v99")) == ()
    assert quality_targets(make_record(benchmark="nothing")) == ()


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.INTERRUPTED, RunStatus.RUNNING])
def test_a_run_that_did_not_finish_has_no_result(make_record: MakeRecord, status: RunStatus) -> None:
    with pytest.raises(InvalidInputError, match="has no result"):
        result_of(make_record(status=status))
    assert results_of([make_record(status=status)]) == []


def test_the_figure_of_a_compliance_test_is_no_result(make_record: MakeRecord) -> None:
    record = make_record(compliance="TEST04", judged_against=("plain-1",))
    with pytest.raises(InvalidInputError, match="compliance test TEST04") as caught:
        result_of(record)
    assert "plain-1" in str(caught.value.hint)
    assert results_of([record]) == []


def test_accuracy_and_performance_of_one_command_are_one_row(make_record: MakeRecord) -> None:
    accuracy = make_record(mode="accuracy", tail="0001")
    performance = make_record(tail="0002", labels=(Label.STAND_IN_MODEL, Label.SHORT_RUN))
    for order in ([accuracy, performance], [performance, accuracy]):
        (row,) = results_of(order)
        assert row.uid == uid_of(order[0].id)
        assert row.performance is not None and row.performance.value == 208.5
        assert row.accuracy[0].value == 90.0
        assert [source.mode for source in row.sources] == ["performance", "accuracy"]
        assert set(row.labels) == {"stand-in-model", "small-dataset", "short-run"}


@pytest.mark.parametrize(
    "changes",
    [
        {"group": "0" * 16},
        {"scenario": "Server"},
        {"precision": "int8"},
        {"model": Artefact("mobilenet-v2", "00" * 32)},
        {"division": "closed"},
    ],
)
def test_what_does_not_belong_together_stays_apart(make_record: MakeRecord, changes: dict[str, object]) -> None:
    assert len(results_of([make_record(mode="accuracy"), make_record(tail="0002", **changes)])) == 2


def test_two_runs_of_one_mode_stay_apart(make_record: MakeRecord) -> None:
    one, two = result_of(make_record(tail="0001")), result_of(make_record(tail="0002"))
    assert not belong_together(one, two)
    assert belong_together(one, one)


def test_joining_the_same_run_again_changes_nothing(make_record: MakeRecord) -> None:
    both = joined(result_of(make_record(mode="accuracy")), result_of(make_record(tail="0002")))
    assert joined(both, result_of(make_record(tail="0002"))) == both
    assert joined(both, result_of(make_record(mode="accuracy"))).sources == both.sources


@given(st.text(max_size=60))
def test_uids_are_cms_and_stable(run: str) -> None:
    assert is_uid(uid_of(run)) and uid_of(run) == uid_of(run)


def test_power_is_that_of_the_performance_run(make_record: MakeRecord) -> None:
    power = MeasuredPower("x", 50.0, 10.0, 9, 500.0, 0.5, 2.0, 500.0, "millijoules")
    performance, accuracy = result_of(make_record("SingleStream", power=power)), result_of(make_record(mode="accuracy"))
    assert performance.power == Power(50.0, 500.0, "millijoules") and accuracy.power is None
    assert joined(performance, accuracy).power == joined(accuracy, performance).power == performance.power

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from assay.loadgen.record import MeasuredPower, RunRecord
from assay.results.flat import flat
from assay.results.from_run import results_of
from assay.results.model import Judgement, Method, Origin, Result, System
from assay.results.row import Row

MakeRecord = Callable[..., RunRecord]


def result(make_record: MakeRecord, *records: Any) -> Result:
    made = [make_record(*each) if isinstance(each, tuple) else each for each in records]
    return results_of(made)[0]


def test_a_run_with_both_modes_is_one_flat_row(make_record: MakeRecord) -> None:
    given = results_of([make_record(mode="accuracy"), make_record(tail="0002")])[0]
    row = flat(given, location="runs/x")
    assert (row.uid, row.round, row.benchmark, row.scenario, row.division) == (
        given.uid, "v3.1", "resnet", "Offline", "open",
    )  # fmt: skip
    assert (row.origin, row.method, row.location, row.source_kind) == (Origin.LOCAL, Method.MEASURED, "runs/x", "run")
    assert (row.value, row.unit, row.lower_is_better, row.samples_per_second) == (208.5, "Samples/s", False, 208.6)
    assert (row.accuracy, row.accuracy_metric, row.accuracy_unit) == (90.0, "acc", "percent")
    assert (row.task, row.category, row.model, row.precision, row.backend) == (
        "image-classification", ("edge",), "mobilenet-v2", "fp32", "onnxruntime",
    )  # fmt: skip
    assert (row.processor, row.processor_given, row.memory) == ("AMD EPYC", "AMD EPYC", 25 * 10**9)
    assert set(row.labels) >= {"stand-in-model", "small-dataset"}
    assert (row.official, row.strict, row.power) == (None, False, False)
    assert row.logs == {"mlperf_log_detail.txt": "ef" * 32} and row.loadgen == "5.1.2"
    assert row.source is not None and "performance" in row.source and row.qsl_seed == 148687905518835231
    assert row.created == "2026-11-23T20:13:02+00:00"


def test_a_stream_has_its_latencies(make_record: MakeRecord) -> None:
    row = flat(result(make_record, ("SingleStream",)), location="")
    assert (row.value, row.latency, row.samples_per_second) == (3.09, pytest.approx(3.09e6), 374.5)
    assert (row.latency_mean, row.latency_p50, row.latency_p90, row.latency_p99) == (2.7e6, 2.6e6, 3.1e6, 4.6e6)
    assert (row.latency_p95, row.latency_p999, row.lower_is_better) == (None, None, True)


def test_an_accuracy_run_alone_has_no_figure_of_speed(make_record: MakeRecord) -> None:
    row = flat(result(make_record, make_record(mode="accuracy")), location="x")
    assert (row.value, row.unit, row.samples_per_second, row.latency, row.lower_is_better) == (None,) * 5
    assert row.accuracy == 90.0 and len(row.accuracies) == 1


def test_a_performance_run_alone_has_no_accuracy(make_record: MakeRecord) -> None:
    row = flat(result(make_record, ()), location="x")
    assert (row.accuracy, row.accuracy_metric, row.accuracy_met, row.accuracies) == (None, None, None, ())


def judged(given: Result, *verdicts: Judgement | None) -> bool | None:
    sources = tuple(replace(given.sources[0], verdict=verdict) for verdict in verdicts)
    return flat(replace(given, sources=sources), location="x").strict


def test_the_round_takes_it_when_it_takes_every_run(make_record: MakeRecord) -> None:
    given, good, bad = result(make_record, ()), Judgement(True, True), Judgement(True, False)
    assert judged(given, good) is True and judged(given, good, good) is True
    assert judged(given, good, bad) is False and judged(given, bad) is False
    assert judged(given, good, None) is None and judged(given) is None


def test_the_system_in_one_spelling(make_record: MakeRecord) -> None:
    system = System(
        organisation="CTuning", name="box", accelerator="NVIDIA A100-SXM4-80GB", accelerators_per_node=4, nodes=2,
        processor="Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", cores=40, framework="onnxruntime 1.22.0",
    )  # fmt: skip
    row = flat(replace(result(make_record, ()), system=system), location="x")
    assert (row.organisation, row.organisation_given) == ("cTuning", "CTuning")
    assert (row.accelerator, row.accelerator_vendor, row.accelerators) == ("A100-SXM-80GB", "NVIDIA", 8)
    assert (row.processor, row.framework, row.framework_given) == (
        "Intel Xeon Platinum 8380", "ONNX Runtime", "onnxruntime 1.22.0",
    )  # fmt: skip
    empty = flat(replace(result(make_record, ()), system=System(), category="", sources=()), location="x")
    assert (empty.accelerators, empty.organisation, empty.category, empty.logs) == (None, None, (), {})
    assert (empty.source, empty.qsl_seed, empty.created, empty.strict) == (None, None, None, None)


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Server", "Offline"])
def test_every_row_can_be_kept(make_record: MakeRecord, scenario: str) -> None:
    row = flat(result(make_record, (scenario,)), location="x")
    assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row


def test_measured_power(make_record: MakeRecord) -> None:
    stream = MeasuredPower("x", 50.0, 10.0, 9, 500.0, 0.5, 2.0, 500.0, "millijoules")
    row = flat(result(make_record, make_record("SingleStream", power=stream)), location="x")
    assert (row.power, row.watts, row.power_value, row.power_unit) == (True, 50.0, 500.0, "millijoules")
    assert (row.joules_per_query, row.joules_per_sample) == (0.5, 0.5)
    offline = MeasuredPower("x", 417.0, 10.0, 9, 4170.0, 2.0, 0.5, 417.0, "Watts")
    row = flat(result(make_record, make_record(power=offline)), location="x")
    assert (row.watts, row.joules_per_query, row.joules_per_sample) == (417.0, None, 2.0)
    row = flat(result(make_record, make_record()), location="x")
    assert (row.power, row.watts, row.joules_per_sample, row.power_value) == (False, None, None, None)

"""The SUT against the real LoadGen: every query answered, whatever the engine does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.tensors import Array
from assay.errors import InvalidInputError
from assay.harness.batching import BatchLimits
from assay.harness.loadgen_session import run_test
from assay.harness.meter import Meter
from assay.harness.samples import SampleStore
from assay.harness.spec import USER_CONF, RunSpec
from assay.harness.sut import InlineSut, QueuedSut, Sut
from assay.loadgen.logs import read_accuracy, read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.rules.model import Mode, Scenario

TOTAL = 40


def load(indices: Sequence[int]) -> tuple[Array, ...]:
    return (np.asarray(indices, np.float32).reshape(-1, 1),)


def double(inputs: Sequence[Array]) -> Array:
    """The engine of these tests: twice the sample's number."""
    return np.ascontiguousarray(inputs[0] * np.float32(2))


def failing_after(calls: int) -> Callable[[Sequence[Array]], Array]:
    left = [calls]

    def infer(inputs: Sequence[Array]) -> Array:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("the engine broke")
        return double(inputs)

    return infer


def spec_of(scenario: Scenario, mode: Mode, **attributes: float | bool | str) -> RunSpec:
    settings = {
        "min_duration_ms": 0,
        "min_query_count": 20,
        "performance_sample_count_override": 16,
        "server_target_qps": 2000.0,
        "single_stream_expected_latency_ns": 1000,
        "multi_stream_expected_latency_ns": 1000,
        **attributes,
    }
    return RunSpec(
        scenario=scenario, mode=mode, task="none", recipe={}, model=Path("none"), backend="none", options=BackendOptions(),
        dataset=None, cache=Path("none"), batch_size=4, conf_model="resnet50", user_conf="", attributes=settings, trace=False,
    )  # fmt: skip


def drive(folder: Path, sut: Sut, store: SampleStore, spec: RunSpec) -> None:
    folder.mkdir(exist_ok=True)
    (folder / USER_CONF).write_text(spec.user_conf)
    run_test(spec, folder, sut, TOTAL)
    sut.close()


def make(kind: str, store: SampleStore, infer: Callable[[Sequence[Array]], Array], *, split: bool = False) -> Sut:
    meter = Meter()
    if kind == "inline":
        return InlineSut(store, BatchLimits(4), meter, infer)
    if kind == "padded":
        return InlineSut(store, BatchLimits(4), meter, infer, fixed_batch=True)
    return QueuedSut(store, BatchLimits(4), meter, [infer, infer], split=split)


@pytest.mark.parametrize("kind", ["inline", "padded", "queued"])
@pytest.mark.parametrize("scenario", list(Scenario))
def test_every_sample_is_answered_with_its_own_response(tmp_path: Path, scenario: Scenario, kind: str) -> None:
    store = SampleStore(load, 4)
    drive(tmp_path, make(kind, store, double), store, spec_of(scenario, Mode.ACCURACY))
    log = read_accuracy(tmp_path / ACCURACY)
    assert sorted(log.qsl_idx.tolist()) == list(range(TOTAL))
    assert log.values("<f4").ravel().tolist() == (2.0 * log.qsl_idx).tolist()


@pytest.mark.parametrize("kind", ["inline", "queued"])
def test_a_large_query_is_answered_in_pieces(tmp_path: Path, kind: str) -> None:
    # A query larger than the pool of responses would hang LoadGen for ever if it were not cut.
    store = SampleStore(load, 4)
    sut = make(kind, store, double, split=True)
    drive(tmp_path, sut, store, spec_of(Scenario.OFFLINE, Mode.PERFORMANCE, min_query_count=5003))
    detail = read_detail(tmp_path / DETAIL)
    assert detail.integer("effective_samples_per_query") == 5003
    assert detail.values["result_validity"] == "VALID"
    assert sut.meter.read().done == 5003


@pytest.mark.parametrize("kind", ["inline", "queued"])
@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_broken_engine_lets_loadgen_end_and_is_told(tmp_path: Path, scenario: Scenario, kind: str) -> None:
    store = SampleStore(load, 4)
    sut = make(kind, store, failing_after(2), split=True)
    drive(tmp_path, sut, store, spec_of(scenario, Mode.PERFORMANCE, min_query_count=200))
    assert isinstance(sut.failure, RuntimeError)
    assert sut.draining
    assert 0 < sut.failed_queries <= sut.failed_samples < sut.meter.read().issued
    assert "power_end" in read_detail(tmp_path / DETAIL).values


@pytest.mark.parametrize("kind", ["inline", "queued"])
def test_samples_that_cannot_be_loaded_fail_the_run(tmp_path: Path, kind: str) -> None:
    def broken(indices: Sequence[int]) -> tuple[Array, ...]:
        raise InvalidInputError("sample 3 cannot be read")

    store = SampleStore(broken, 4)
    sut = make(kind, store, double, split=True)
    drive(tmp_path, sut, store, spec_of(Scenario.OFFLINE, Mode.PERFORMANCE))
    assert "sample 3" in str(sut.failure)
    assert (sut.failed_queries, sut.failed_samples) == (1, sut.meter.read().issued)


def test_draining_answers_with_nothing(tmp_path: Path) -> None:
    store = SampleStore(load, 4)
    sut = make("inline", store, double)
    sut.drain()
    drive(tmp_path, sut, store, spec_of(Scenario.OFFLINE, Mode.ACCURACY))
    assert set(read_accuracy(tmp_path / ACCURACY).data) == {b""}


def test_the_settings_are_those_of_the_spec_and_not_loadgens_own(tmp_path: Path) -> None:
    store = SampleStore(load, 4)
    seeds = {
        "qsl_rng_seed": 148687905518835231,
        "sample_index_rng_seed": 520418551913322573,
        "schedule_rng_seed": 811580660758947900,
    }
    drive(tmp_path, make("inline", store, double), store, spec_of(Scenario.SINGLE_STREAM, Mode.PERFORMANCE, **seeds))
    detail = read_detail(tmp_path / DETAIL)
    assert {name: detail.integer(f"effective_{name}") for name in seeds} == seeds
    assert detail.integer("effective_performance_sample_count") == 16
    # LoadGen objects to a second configuration in one process; a real run has a process of its own.
    assert [error.text for error in detail.errors if "Multiple conf files" not in error.text] == []


def test_latencies_are_counted(tmp_path: Path) -> None:
    store = SampleStore(load, 4)
    sut = make("queued", store, double)
    drive(tmp_path, sut, store, spec_of(Scenario.SERVER, Mode.PERFORMANCE, min_query_count=50))
    reading = sut.meter.read()
    assert reading.issued == reading.done == len(reading.latencies)
    assert min(reading.latencies) > 0

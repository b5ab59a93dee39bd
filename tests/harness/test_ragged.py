"""Samples and responses of different size through the worker process and the real LoadGen, in every scenario."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.progress import SILENT
from assay.harness.outcome import Ending, Outcome
from assay.harness.run import execute
from assay.harness.spec import ABORTED_FILE, RunSpec
from assay.loadgen.logs import read_accuracy
from assay.loadgen.names import ACCURACY
from assay.rules.model import Mode, Scenario

ATTRIBUTES: dict[str, Any] = {
    "min_duration_ms": 0,
    "min_query_count": 60,
    "performance_sample_count_override": 16,
    "server_target_qps": 2000.0,
    "single_stream_expected_latency_ns": 1000,
    "multi_stream_expected_latency_ns": 1000,
}


@pytest.fixture
def spec(tmp_path: Path, toy: Path) -> RunSpec:
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.ACCURACY, task="toy", recipe={}, model=toy, backend="toy",
        options=BackendOptions(threads=1), dataset=toy, cache=tmp_path / "cache", batch_size=6, conf_model="resnet50",
        user_conf="", attributes=ATTRIBUTES, trace=False,
    )  # fmt: skip


def go(spec: RunSpec, folder: Path) -> Outcome:
    folder.mkdir(exist_ok=True)
    return execute(spec, folder, label="toy", progress=SILENT)


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("scenario", list(Scenario))
def test_every_sample_gets_its_own_response_of_its_own_size(
    spec: RunSpec, tmp_path: Path, scenario: Scenario, streams: int
) -> None:
    toy = importlib.import_module("toy")
    run = replace(spec, scenario=scenario, options=BackendOptions(threads=1, streams=streams))
    outcome = go(run, tmp_path / "run")
    assert outcome.failure is None
    log = read_accuracy(tmp_path / "run" / ACCURACY)
    assert sorted(log.qsl_idx.tolist()) == list(range(40))
    for index, data in zip(log.qsl_idx.tolist(), log.data, strict=True):
        assert np.array_equal(np.frombuffer(data, np.int64), toy.answer(index)), index
    assert outcome.figures["tokens"] == sum(len(toy.sentence(index)) for index in range(40))


@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_performance_run_ends_with_figures_of_its_own(spec: RunSpec, tmp_path: Path, scenario: Scenario) -> None:
    outcome = go(replace(spec, mode=Mode.PERFORMANCE, scenario=scenario), tmp_path / "run")
    assert outcome.ending is Ending.FINISHED
    assert outcome.figures["padded_tokens"] >= outcome.figures["tokens"] > 60
    assert Outcome.read(tmp_path / "run").figures == outcome.figures


def test_offline_batches_are_sorted_so_that_little_is_padded(spec: RunSpec, tmp_path: Path) -> None:
    attributes = {**ATTRIBUTES, "min_query_count": 240, "performance_sample_count_override": 40}
    figures = go(replace(spec, mode=Mode.PERFORMANCE, attributes=attributes), tmp_path / "run").figures
    # In the order they come, a batch of six is padded to nearly 13 tokens: 1.7 times.
    assert figures["padded_tokens"] < 1.05 * figures["tokens"]


def test_a_batch_holds_no_more_work_than_allowed(spec: RunSpec, tmp_path: Path) -> None:
    assert go(spec, tmp_path / "free").figures["batch_work_max"] > 20
    assert go(replace(spec, max_batch_work=20), tmp_path / "bound").figures["batch_work_max"] <= 20


def test_synthetic_samples_may_be_ragged(spec: RunSpec, tmp_path: Path) -> None:
    run = replace(spec, mode=Mode.PERFORMANCE, dataset=None, dataset_count=100)
    outcome = go(run, tmp_path / "run")
    assert (outcome.failure, outcome.samples) == (None, 100)


def test_an_engine_is_probed_with_ragged_samples(spec: RunSpec, tmp_path: Path) -> None:
    probe = go(replace(spec, probe_s=0.05), tmp_path / "run").probe
    assert probe is not None
    assert probe.batch_size == 6
    assert probe.rate > 0


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_server_that_hangs_up_fails_the_run_with_the_count(
    spec: RunSpec, tmp_path: Path, scenario: Scenario, streams: int
) -> None:
    options = BackendOptions(threads=1, streams=streams, extra={"fail_after": "6"})
    run = replace(spec, scenario=scenario, mode=Mode.PERFORMANCE, options=options)
    outcome = go(run, tmp_path / "run")
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    assert "the server hung up" in outcome.failure.what
    queries = 1 if scenario is Scenario.OFFLINE else outcome.failed_queries
    assert outcome.failed_queries == queries > 0
    assert outcome.failed_samples >= outcome.failed_queries
    assert f"; {queries} quer" in outcome.failure.what
    assert (tmp_path / "run" / ABORTED_FILE).exists()


def test_missing_responses_are_a_failure_and_never_zeros(spec: RunSpec, tmp_path: Path) -> None:
    outcome = go(replace(spec, options=BackendOptions(extra={"short": "1"})), tmp_path / "run")
    assert outcome.failure is not None
    assert "another number of responses" in outcome.failure.what
    # LoadGen goes through the samples in sets of 16, a query each.
    assert (outcome.failed_queries, outcome.failed_samples) == (3, 40)
    assert outcome.failure.what.endswith("; 3 queries failed (40 samples not answered)")
    log = read_accuracy(tmp_path / "run" / ACCURACY)
    assert set(log.data) == {b""}


def test_too_little_memory_is_told_before_the_model_is_loaded(spec: RunSpec, tmp_path: Path) -> None:
    outcome = go(replace(spec, recipe={"memory": 1 << 50}), tmp_path / "run")
    assert outcome.failure is not None
    assert outcome.failure.kind == "MachineError"
    assert "working memory 1125.9 TB" in str(outcome.failure.expected)
    assert "load model" not in outcome.timings_s
    assert not (tmp_path / "run" / "mlperf_log_detail.txt").exists()


def test_a_model_may_have_parts_in_a_folder(spec: RunSpec, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "sum.bin").write_bytes(b"x")
    outcome = go(replace(spec, model=model, recipe={"parts": {"model": "sum.bin"}}), tmp_path / "run")
    assert outcome.failure is None
    assert outcome.backend["model"] == "sum.bin"
    missing = go(replace(spec, model=model, recipe={"parts": {"model": "none.bin"}}), tmp_path / "other")
    assert missing.failure is not None
    assert (missing.failure.kind, missing.failure.expected) == ("NotFoundError", "a folder with none.bin")

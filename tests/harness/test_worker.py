"""The worker in this process: what it prepares and how it chooses a SUT."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.backends.protocol import BackendOptions
from assay.harness.batching import BatchLimits
from assay.harness.engine import open_engine
from assay.harness.outcome import Ending
from assay.harness.samples import SampleStore
from assay.harness.spec import ABORTED_FILE, RunSpec
from assay.harness.sut import InlineSut, QueuedSut
from assay.harness.worker import Worker
from assay.rules.model import Mode, Scenario
from assay.tasks.registry import tasks

RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 1}}


@pytest.fixture
def spec(tmp_path: Path, classifier: Path, pictures: Path) -> RunSpec:
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="image-classification", recipe=RECIPE, model=classifier,
        backend="onnxruntime", options=BackendOptions(threads=1), dataset=pictures, cache=tmp_path / "cache", batch_size=4,
        conf_model="resnet50", user_conf="", attributes={},
    )  # fmt: skip


def worker_of(tmp_path: Path, spec: RunSpec) -> Worker:
    spec.write(tmp_path)
    return Worker(tmp_path)


@pytest.mark.parametrize(
    ("scenario", "streams", "kind"),
    [
        (Scenario.SINGLE_STREAM, 1, InlineSut),
        (Scenario.MULTI_STREAM, 2, InlineSut),
        (Scenario.OFFLINE, 1, InlineSut),
        (Scenario.OFFLINE, 2, QueuedSut),
        (Scenario.SERVER, 1, QueuedSut),
    ],
)
def test_the_scenario_chooses_the_sut(
    tmp_path: Path, spec: RunSpec, scenario: Scenario, streams: int, kind: type[object]
) -> None:
    worker = worker_of(tmp_path, replace(spec, scenario=scenario, options=BackendOptions(threads=1, streams=streams)))
    engine = open_engine(worker.spec, tasks().get("image-classification"))
    sut = worker._make_sut(engine, SampleStore(lambda _: (), 4), BatchLimits(4))
    assert isinstance(sut, kind)
    sut.close()


def test_a_failure_before_the_test_becomes_an_outcome(tmp_path: Path, spec: RunSpec) -> None:
    outcome = worker_of(tmp_path, replace(spec, task="unheard-of")).run()
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    assert outcome.failure.kind == "NotFoundError"


def test_an_aborted_run_is_marked_in_its_folder(tmp_path: Path, spec: RunSpec) -> None:
    worker_of(tmp_path, spec)._mark_aborted("for a test")
    assert "for a test" in (tmp_path / ABORTED_FILE).read_text()

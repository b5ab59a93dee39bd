from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions, Decoding, ModelFormat
from assay.backends.registry import backends
from assay.errors import InvalidInputError
from assay.harness.batching import BatchLimits
from assay.harness.engine import measure, model_part, open_engine, telling_batches
from assay.harness.samples import SampleStore
from assay.harness.spec import RunSpec
from assay.rules.model import Mode, Scenario
from assay.tasks.registry import tasks


def spec_of(model: Path, **changes: object) -> RunSpec:
    recipe = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 2}, **changes}
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="image-classification", recipe=recipe, model=model, backend="onnxruntime",
        options=BackendOptions(threads=1, streams=2), dataset=None, cache=Path("c"), batch_size=3, conf_model="resnet50", user_conf="",
        attributes={}, probe_s=0.1,
    )  # fmt: skip


def test_an_engine_answers_with_response_rows(classifier: Path) -> None:
    engine = open_engine(spec_of(classifier), tasks().get("image-classification"))
    assert len(engine.infers) == 2
    pictures = np.zeros((4, 3, 32, 32), np.float32)
    pictures[:, 1] = 5  # green: classes 1 and then 4
    rows = engine.infers[1]((pictures,))
    assert rows.shape == (4, 2)
    assert rows.dtype == np.float32
    assert rows[0].tolist() == [1, 4]


def test_a_model_that_does_not_fit_is_refused(large_classifier: Path) -> None:
    with pytest.raises(InvalidInputError, match="does not take the task's images"):
        open_engine(spec_of(large_classifier), tasks().get("image-classification"))


def test_measuring_gives_plausible_figures(classifier: Path) -> None:
    spec = spec_of(classifier)
    engine = open_engine(spec, tasks().get("image-classification"))
    store = SampleStore(lambda indices: (np.zeros((len(indices), 3, 32, 32), np.float32),), 3)
    store.load([0, 1, 2])
    engine.warm_up(store, [0, 1, 2], [1, 3])
    probe = measure(engine, store, [0], [0, 1, 2], spec)
    assert probe.batch_size == 3
    assert 0 < probe.fastest_ns <= probe.latency_ns < 10**8
    assert 0 < probe.fastest_batch_ns <= probe.batch_latency_ns
    assert probe.rate == pytest.approx(3 * 1e9 / probe.batch_latency_ns * 2, rel=1e-3)


def test_an_engine_that_drives_a_server_gets_no_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backends().get("toy")
    monkeypatch.setattr(backend, "formats", (ModelFormat.REMOTE,))
    spec = replace(spec_of(toy / "none.onnx"), backend="toy", task="toy", recipe={})
    engine = open_engine(spec, tasks().get("toy"))
    assert engine.describe() == {"engine": "toy", "model": ""}
    assert engine.fixed_batches


def test_a_pipeline_sees_a_generating_engine(toy: Path) -> None:
    part = model_part(backends().get("toy").open(toy, BackendOptions()))
    assert part.generate is not None
    assert part.fixed_shapes
    assert part.generate([], Decoding(5)) == []


def test_figures_of_streams_are_put_together_after_the_warm_up(toy: Path) -> None:
    engine = open_engine(replace(spec_of(toy), backend="toy", task="toy", recipe={}), tasks().get("toy"))
    for infer, lengths in zip(engine.infers, ([3], [4, 2]), strict=True):
        infer([(np.zeros(length, np.int32), np.array(True)) for length in lengths])
    assert engine.figures() == {"tokens": 9, "padded_tokens": 3 + 8, "batch_work_max": 6}
    engine.reset()
    assert engine.figures()["tokens"] == 0


def test_typical_samples_warm_up_first_then_the_largest_then_the_smallest() -> None:
    limits = BatchLimits(2, work=10, sizes=np.array([9, 8, 5, 4, 1, 1]))
    assert telling_batches([0, 1, 2, 3, 4, 5], limits) == [[3, 4], [0], [4, 5]]


def test_a_dataset_smaller_than_a_batch_fills_it_more_than_once() -> None:
    assert telling_batches([2, 0, 1], BatchLimits(8)) == [[2, 2, 0, 0, 0, 1, 1, 1], [2, 2, 2, 0, 0, 0, 1, 1]]

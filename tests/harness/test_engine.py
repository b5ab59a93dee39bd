from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.errors import InvalidInputError
from assay.harness.engine import measure, open_engine
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
    assert 0 < probe.latency_ns < 10**8
    assert probe.rate == pytest.approx(3 * 1e9 / probe.batch_latency_ns * 2, rel=1e-3)

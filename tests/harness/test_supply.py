from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.harness.spec import RunSpec
from assay.harness.supply import open_supply
from assay.rules.model import Mode, Scenario
from assay.tasks.registry import tasks

RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 1}}


def spec_of(task: str, dataset: Path | None, **changes: Any) -> RunSpec:
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task=task, recipe={} if task == "toy" else RECIPE, model=Path("m"),
        backend="b", options=BackendOptions(), dataset=dataset, cache=Path("c"), batch_size=4, conf_model="x", user_conf="",
        attributes={}, **changes,
    )  # fmt: skip


def test_synthetic_samples_are_few_in_memory_and_many_to_loadgen() -> None:
    supply = open_supply(
        spec_of("image-classification", None, dataset_count=1000), tasks().get("image-classification"), SILENT
    )
    assert (supply.count, supply.ragged, supply.sizes) == (1000, False, None)
    assert supply.sample_bytes == 3 * 32 * 32 * 4
    samples = supply.load([0, 999, 64])
    assert isinstance(samples, tuple)
    assert samples[0].shape == (3, 3, 32, 32)
    assert (samples[0][0] == samples[0][2]).all()
    assert supply.largest_first()[:3] == [0, 1, 2]


def test_a_dataset_tells_sizes_and_bytes(toy: Path) -> None:
    supply = open_supply(spec_of("toy", toy), tasks().get("toy"), SILENT)
    assert (supply.count, supply.ragged) == (40, True)
    assert supply.sizes is not None
    assert supply.sizes[supply.largest_first()[0]] == supply.sizes.max()
    whole = sum(array.nbytes for sample in supply.load(range(40)) for array in sample)
    assert supply.sample_bytes * 40 == pytest.approx(whole, rel=0.3)


def test_synthetic_ragged_samples_have_the_size_of_their_first_array(toy: Path) -> None:
    supply = open_supply(spec_of("toy", None, dataset_count=100), tasks().get("toy"), SILENT)
    assert supply.ragged
    assert supply.sizes is not None
    assert supply.sizes[[0, 5, 64, 69]].tolist() == [1, 6, 1, 6]
    assert len(supply.load([5])[0][0]) == 6


def test_sizes_that_fit_no_samples_are_refused(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks().get("toy")
    dataset = task.open_dataset(toy, {}, cache=toy, progress=SILENT)
    monkeypatch.setattr(dataset, "sizes", np.array([1, 2]))
    monkeypatch.setattr(task, "open_dataset", lambda *_, **__: dataset)
    with pytest.raises(InvalidInputError, match="sizes of the samples"):
        open_supply(spec_of("toy", toy), task, SILENT)

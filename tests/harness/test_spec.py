from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.backends.protocol import BackendOptions, Precision
from assay.errors import InvalidInputError
from assay.harness.spec import SPEC_FILE, RunSpec
from assay.rules.model import Mode, Scenario


def spec(tmp_path: Path, dataset: Path | None) -> RunSpec:
    return RunSpec(
        scenario=Scenario.SERVER, mode=Mode.ACCURACY, task="image-classification", recipe={"crop": 224, "mean": [1.0, 2.0]},
        model=tmp_path / "m.onnx", backend="onnxruntime", options=BackendOptions(2, 3, Precision.INT8, {"a": "b"}), dataset=dataset,
        cache=tmp_path, batch_size=4, conf_model="resnet50", user_conf="# x\n", attributes={"min_duration_ms": 10, "p": 0.5},
        sample_limit=3, skip_bad=True, batch_wait_us=7, trace=False, audit="*.*.mode = 2\n",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["data", None])
def test_a_spec_comes_back_as_it_was(tmp_path: Path, name: str | None) -> None:
    written = spec(tmp_path, tmp_path / name if name else None)
    written.write(tmp_path)
    assert RunSpec.read(tmp_path) == written


@pytest.mark.parametrize("change", [{"format": 99}, {"unheard_of": 1}])
def test_another_version_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    path = spec(tmp_path, None).write(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidInputError, match=SPEC_FILE):
        RunSpec.read(tmp_path)

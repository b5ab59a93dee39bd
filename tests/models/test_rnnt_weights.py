from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from assay.errors import InvalidInputError
from assay.models import rnnt_weights as module
from assay.models.rnnt import Sizes, build_rnnt
from assay.models.rnnt_weights import build_rnnt_folder, official_weights, seeded_weights

_spec = importlib.util.spec_from_file_location("checkpoint_makers", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
make: Any = importlib.util.module_from_spec(_spec)
sys.modules.setdefault(_spec.name, make)
_spec.loader.exec_module(make)

SMALL = Sizes(hidden=6, before=2, after=3, embedded=5, layers=2, joined=7)


def reference(seed: int = 4) -> dict[str, np.ndarray[Any, Any]]:
    """Small weights under the names of the reference's checkpoint, the featurizer's buffers among them."""
    named = {
        name.replace("joint.net", "joint_net"): np.asarray(value, np.float32)
        for name, value in seeded_weights(seed, SMALL)._left.items()
    }
    buffers = {"fb": np.zeros((1, 80, 257), np.float32), "window": np.zeros(320, np.float32)}
    return {**{f"audio_preprocessor.featurizer.{name}": value for name, value in buffers.items()}, **named}


@pytest.mark.parametrize("form", [make.legacy, make.zipped], ids=["legacy", "zip"])
def test_the_references_checkpoint_is_read_with_its_names_changed(
    checkpoint: Path, tmp_path: Path, form: Callable[..., bytes]
) -> None:
    """A training checkpoint: epoch and optimiser beside the state dict, their storages among the model's."""
    state, storages = make.state_of(reference())
    moments = make.tensor(make.Storage("FloatStorage", "moment", 3), (3,))
    optimiser = {"state": {0: {"step": 7, "exp_avg": moments}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
    storages = {"moment": np.arange(3, dtype=np.float32), **storages}
    checkpoint.write_bytes(form({"epoch": 100, "state_dict": state, "optimizer": optimiser}, storages))
    build_rnnt(official_weights(checkpoint), tmp_path / "official", SMALL)
    build_rnnt(seeded_weights(4, SMALL), tmp_path / "seeded", SMALL)
    for name in ("encoder.onnx", "prediction.onnx", "joint.onnx"):
        assert (tmp_path / "official" / name).read_bytes() == (tmp_path / "seeded" / name).read_bytes()


def test_a_cut_off_checkpoint_is_refused(checkpoint: Path) -> None:
    state, storages = make.state_of(reference())
    moments = make.tensor(make.Storage("FloatStorage", "moment", 30), (30,))
    whole = make.legacy(
        {"state_dict": state, "optimizer": {"exp_avg": moments}}, {**storages, "moment": np.zeros(30, np.float32)}
    )
    for length in (len(whole) - 4, len(whole) - 130, len(whole) // 2, 40):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError):
            official_weights(checkpoint)


def test_a_checkpoint_of_another_model_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    checkpoint.write_bytes(make.legacy(*make.state_of({"fc.weight": np.zeros((2, 2), np.float32)})))
    with pytest.raises(InvalidInputError, match="is missing") as caught:
        build_rnnt_folder(checkpoint, 0, tmp_path / "model")
    assert str(checkpoint) in str(caught.value)


def test_a_seed_gives_the_same_weights_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, again, other = (seeded_weights(seed, SMALL)._left for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["joint.net.0.weight"], other["joint.net.0.weight"])
    monkeypatch.setattr(module, "seeded_weights", lambda seed: seeded_weights(seed, SMALL))
    monkeypatch.setattr(module, "build_rnnt", lambda weights, folder: build_rnnt(weights, folder, SMALL))
    build_rnnt_folder(None, 1, tmp_path / "model")
    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "joint.onnx"), providers=["CPUExecutionProvider"])
    assert [tuple(item.shape) for item in session.get_inputs()] == [("batch", 6), ("batch", 5)]


def test_no_label_is_favoured_but_the_blank() -> None:
    weights = seeded_weights(1, SMALL)._left
    assert np.abs(weights["joint.net.3.weight"].mean(axis=1)).max() < 1e-12
    assert weights["joint.net.3.bias"][:-1].tolist() == [0.0] * 28
    assert weights["joint.net.3.bias"][-1] > 0

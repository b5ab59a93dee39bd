from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.graph import Weights
from assay.models.rnnt import Sizes, build_rnnt
from assay.models.rnnt_weights import seeded_weights

SMALL = Sizes(hidden=6, before=2, after=3, embedded=5, layers=2, joined=7)
Arrays = dict[str, NDArray[Any]]


def arrays(seed: int = 3) -> Arrays:
    return dict(seeded_weights(seed, SMALL)._left)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rnnt") / "model"
    build_rnnt(Weights(arrays(), "here"), path, SMALL)
    return path


def run(path: Path, **inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
    return list(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, inputs))


def sigmoid(value: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-value)))


def lstm(weights: Arrays, name: str, layer: int, x: NDArray[Any], state: Any = None) -> tuple[NDArray[Any], Any]:
    """A layer in PyTorch's order of gates (input, forget, cell, output) over ``(time, size)``."""
    into, again = weights[f"{name}.weight_ih_l{layer}"], weights[f"{name}.weight_hh_l{layer}"]
    bias = weights[f"{name}.bias_ih_l{layer}"] + weights[f"{name}.bias_hh_l{layer}"]
    hidden, cell = state if state is not None else (np.zeros(len(bias) // 4), np.zeros(len(bias) // 4))
    found = []
    for each in x:
        i, f, g, o = np.split(into @ each + again @ hidden + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        found.append(hidden)
    return np.array(found), (hidden, cell)


def encoded(weights: Arrays, features: NDArray[Any]) -> NDArray[Any]:
    """The encoder of one recording, written out."""
    x = features
    for layer in range(SMALL.before):
        x, _ = lstm(weights, "encoder.pre_rnn.lstm", layer, x)
    x = np.concatenate((x, np.zeros((len(x) % 2, x.shape[1])))).reshape(-1, 2 * x.shape[1])
    for layer in range(SMALL.after):
        x, _ = lstm(weights, "encoder.post_rnn.lstm", layer, x)
    return x


def test_the_encoder_computes_each_recording_of_a_batch(folder: Path) -> None:
    frames = np.array([7, 4, 1, 6], np.int32)
    features = np.random.default_rng(1).standard_normal((4, 7, 240)).astype(np.float32)
    (found,) = run(folder / "encoder.onnx", features=features, frames=frames)
    assert found.shape == (4, 4, SMALL.hidden)
    for row, count in enumerate(frames):
        expected = encoded(arrays(), features[row, :count])
        assert found[row, : len(expected)] == pytest.approx(expected, abs=1e-5)
        assert len(expected) == (count + 1) // 2
        assert not found[row, len(expected) :].any()


def test_the_prediction_network_remembers_and_begins_with_nothing(folder: Path) -> None:
    weights = arrays()
    hidden = cell = np.zeros((2, SMALL.layers, SMALL.embedded), np.float32)
    states: list[list[Any]] = [[None] * SMALL.layers for _ in range(2)]
    for labels in ([28, 28], [3, 27], [0, 3]):
        output, hidden, cell = run(
            folder / "prediction.onnx", label=np.array(labels, np.int64), hidden=hidden, cell=cell
        )
        for row, label in enumerate(labels):
            x = np.zeros(SMALL.embedded) if label == 28 else weights["prediction.embed.weight"][label]
            for layer in range(SMALL.layers):
                (x,), states[row][layer] = lstm(weights, "prediction.dec_rnn.lstm", layer, x[None], states[row][layer])
                assert hidden[row, layer] == pytest.approx(states[row][layer][0], abs=1e-5)
                assert cell[row, layer] == pytest.approx(states[row][layer][1], abs=1e-5)
            assert output[row] == pytest.approx(x, abs=1e-5)


def test_the_joint_network_takes_what_was_heard_first(folder: Path) -> None:
    weights, random = arrays(), np.random.default_rng(2)
    heard = random.standard_normal((3, SMALL.hidden)).astype(np.float32)
    said = random.standard_normal((3, SMALL.embedded)).astype(np.float32)
    (scores,) = run(folder / "joint.onnx", encoded=heard, output=said)
    hidden = np.concatenate((heard, said), axis=1) @ weights["joint.net.0.weight"].T + weights["joint.net.0.bias"]
    expected = np.maximum(hidden, 0) @ weights["joint.net.3.weight"].T + weights["joint.net.3.bias"]
    assert scores == pytest.approx(expected, abs=1e-4)


def test_the_same_weights_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    build_rnnt(Weights(arrays(), "here"), tmp_path / "again", SMALL)
    for name in ("encoder.onnx", "prediction.onnx", "joint.onnx"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_weights_of_another_architecture_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    for broken, what in (
        (
            {key: value for key, value in arrays().items() if key != "joint.net.3.bias"},
            r"'joint.net.3.bias' is missing",
        ),
        ({**arrays(), "ctc.weight": np.zeros(3)}, "does not have: ctc.weight"),
        ({**arrays(), "prediction.embed.weight": np.zeros((27, 5))}, "another shape"),
    ):
        with pytest.raises(InvalidInputError, match=what):
            build_rnnt(Weights(broken, "here"), tmp_path / "model", SMALL)
        assert not (tmp_path / "model").exists()


def test_the_benchmarks_sizes_are_the_references() -> None:
    assert Sizes() == Sizes(hidden=1024, before=2, after=3, embedded=320, layers=2, joined=512)

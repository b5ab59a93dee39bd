from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.ndimage import correlate

from assay.models.unet3d_graph import VolumeGraph


def run(graph: VolumeGraph, output: str, shape: tuple[int, ...], volume: NDArray[np.float32]) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    raw = graph.model(output, shape).SerializeToString()
    session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"volume": volume})[0])


@pytest.fixture
def volume() -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((2, 1, 6, 6, 6)).astype(np.float32)


def test_a_convolution_keeps_the_edges(volume: NDArray[np.float32]) -> None:
    graph = VolumeGraph("one", "volume", (1, 6, 6, 6))
    kernel = np.random.default_rng(4).standard_normal((1, 1, 3, 3, 3))
    found = run(graph, graph.conv("volume", kernel, np.array([0.5])), (1, 6, 6, 6), volume)
    for row in range(2):
        assert np.allclose(found[row, 0], correlate(volume[row, 0], kernel[0, 0], mode="constant") + 0.5, atol=1e-4)


def test_a_stride_halves_them_and_a_transposed_one_doubles(volume: NDArray[np.float32]) -> None:
    graph = VolumeGraph("two", "volume", (1, 6, 6, 6))
    kernel = np.random.default_rng(5).standard_normal((2, 1, 3, 3, 3))
    down = graph.conv("volume", kernel, stride=2)
    up = graph.upconv(down, np.ones((2, 1, 2, 2, 2)), np.zeros(1), ends=0)
    found = run(graph, up, (1, 6, 6, 6), volume)
    assert found.shape == volume.shape
    assert np.array_equal(found[:, :, ::2, ::2, ::2], found[:, :, 1::2, 1::2, 1::2])
    whole = correlate(volume[0, 0], kernel[0, 0], mode="constant") + correlate(
        volume[0, 0], kernel[1, 0], mode="constant"
    )
    assert np.allclose(found[0, 0, ::2, ::2, ::2], whole[::2, ::2, ::2], atol=1e-4)


def test_names_are_given_or_made_up() -> None:
    graph = VolumeGraph("names", "volume", (1, 2, 2, 2))
    assert graph.constant(np.zeros(1)) == "weight_1"
    assert graph.constant(np.zeros(1), "mine") == "mine"
    assert graph.node("Relu", ["volume"]) == "relu_1"
    assert graph.node("Relu", ["relu_1"], "last") == "last"

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.slabs import in_slabs
from assay.models.unet3d_graph import VolumeGraph

from .slab_nets import answer, count

SHAPE = (6, 5, 4)
LAYER = 4 * 6 * 5 * 4


def normed(kernel: NDArray[Any], *, epsilon: float = 1e-5, given: bool = False) -> onnx.ModelProto:
    """One convolution of each voxel by itself into two channels, and instance normalisation of them."""
    graph = VolumeGraph("normed", "volume", (1, *SHAPE))
    x = graph.conv("volume", kernel)
    names = [graph.constant(np.array([1.5, -0.5])), graph.constant(np.array([0.25, 2.0]))]
    if given:
        names[0] = graph.node("Abs", [names[0]])
    graph.node("InstanceNormalization", [x, *names], "answer", epsilon=epsilon)
    return graph.model("answer", (2, *SHAPE))


def kernel(first: float, second: float) -> NDArray[Any]:
    return np.array([first, second]).reshape(2, 1, 1, 1, 1)


def in_double(volumes: NDArray[Any], epsilon: float = 1e-5) -> NDArray[Any]:
    """By the definition, for a kernel of ones."""
    x = np.repeat(volumes.astype(np.float64), 2, axis=1)
    mean, variance = x.mean(axis=(2, 3, 4), keepdims=True), x.var(axis=(2, 3, 4), keepdims=True)
    scale, shift = np.array([1.5, -0.5]).reshape(1, 2, 1, 1, 1), np.array([0.25, 2.0]).reshape(1, 2, 1, 1, 1)
    return np.asarray((x - mean) / np.sqrt(variance + epsilon) * scale + shift)


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_each_volume_of_a_batch_has_its_own_mean_and_variance(rows: int) -> None:
    """Four rows leave a last piece of two, which counts half."""
    volumes = np.random.default_rng(1).standard_normal((3, 1, *SHAPE)).astype(np.float32)
    volumes *= np.array([1, 10, 0.1], np.float32).reshape(3, 1, 1, 1, 1)
    volumes[:, :, 4:] += 5
    cut = in_slabs(normed(kernel(1, 1)), rows * LAYER // 2)
    assert count(cut, "InstanceNormalization") == 0
    assert np.allclose(answer(cut, volumes), in_double(volumes), atol=2e-5)


def test_a_mean_that_is_large_beside_the_deviation_loses_no_more_than_the_engine_does() -> None:
    volumes = 1000 + np.random.default_rng(2).standard_normal((1, 1, *SHAPE)).astype(np.float32)
    model = normed(kernel(1, 1))
    right = in_double(volumes)
    plain = np.abs(answer(model, volumes) - right).max()
    assert np.abs(answer(in_slabs(model, LAYER // 2), volumes) - right).max() <= 2 * plain + 1e-4


def test_a_channel_that_is_the_same_everywhere_is_its_shift() -> None:
    volumes = np.full((1, 1, *SHAPE), 3.0, np.float32)
    found = answer(in_slabs(normed(kernel(1, 7)), LAYER // 2), volumes)
    assert np.allclose(found[0, 0], 0.25, atol=1e-3)
    assert np.allclose(found[0, 1], 2.0, atol=1e-3)


def test_the_model_s_epsilon_holds() -> None:
    volumes = np.random.default_rng(3).standard_normal((1, 1, *SHAPE)).astype(np.float32)
    cut = in_slabs(normed(kernel(1, 1), epsilon=0.5), LAYER // 2)
    assert np.allclose(answer(cut, volumes), in_double(volumes, 0.5), atol=1e-5)


def test_a_scale_that_is_computed_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="takes a large layer"):
        in_slabs(normed(kernel(1, 1), given=True), LAYER // 2)

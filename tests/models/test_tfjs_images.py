"""Operations on images against what TensorFlow documents of them, reckoned in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from .tfjs_graphs import Floats, X, integers, one, run, text, texts


def windows(value: Floats, size: tuple[int, int], step: int, fill: float, *, same: bool) -> Floats:
    """Windows of every place, ``(1, height, width, channels, *size)``."""
    widths = [(0, 0)] * 4
    for axis in (1, 2):
        out = -(-value.shape[axis] // step)
        total = max((out - 1) * step + size[axis - 1] - value.shape[axis], 0) if same else 0
        widths[axis] = (total // 2, total - total // 2)
    padded = np.pad(value, widths, constant_values=fill)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))[:, ::step, ::step])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("step", [1, 2])
def test_convolution(padding: str, step: int) -> None:
    random = np.random.default_rng(2)
    kernel, bias = random.standard_normal((3, 2, 3, 4)), random.standard_normal(4)
    graph = one(
        "_FusedConv2D",
        "k",
        "b",
        weights={"k": kernel, "b": bias},
        padding=text(padding),
        strides=integers(1, step, step, 1),
        fused_ops=texts("BiasAdd", "Relu6"),
        data_format=text("NHWC"),
    )
    seen = windows(X, (3, 2), step, 0, same=padding == "SAME")
    expected = np.clip(np.einsum("nhwcij,ijcf->nhwf", seen, kernel) + bias, 0, 6)
    assert np.allclose(run(graph), expected, atol=1e-5)


def test_depthwise_convolution_with_two_outputs_for_each_channel() -> None:
    kernel = np.random.default_rng(3).standard_normal((3, 3, 3, 2))
    graph = one("DepthwiseConv2dNative", "k", weights={"k": kernel}, padding=text("SAME"), strides=integers(1, 1, 1, 1))
    expected = np.einsum("nhwcij,ijcm->nhwcm", windows(X, (3, 3), 1, 0, same=True), kernel).reshape(1, 6, 5, 6)
    assert np.allclose(run(graph), expected, atol=1e-5)


def test_pooling_pads_with_nothing() -> None:
    graph = one("MaxPool", padding=text("SAME"), strides=integers(1, 2, 2, 1), ksize=integers(1, 3, 3, 1))
    below = X - 10
    expected = windows(below, (3, 3), 2, -np.inf, same=True).max(axis=(-1, -2))
    assert np.allclose(run(graph, below), expected)


def test_mean_over_height_and_width() -> None:
    graph = one("Mean", "axes", weights={"axes": [1, 2]}, keep_dims={"b": True})
    assert np.allclose(run(graph), X.mean(axis=(1, 2), keepdims=True), atol=1e-6)


def test_scaling_takes_places_from_the_corner() -> None:
    graph = one("ResizeBilinear", "size", weights={"size": [12, 10]})
    rows, columns = (np.minimum(np.arange(2 * size) / 2, size - 1) for size in X.shape[1:3])
    y, x = rows.astype(int), columns.astype(int)
    down, right = np.minimum(y + 1, 5), np.minimum(x + 1, 4)
    part = (rows - y)[:, None, None], (columns - x)[None, :, None]
    top = X[0][y][:, x] * (1 - part[1]) + X[0][y][:, right] * part[1]
    bottom = X[0][down][:, x] * (1 - part[1]) + X[0][down][:, right] * part[1]
    assert np.allclose(run(graph)[0], top * (1 - part[0]) + bottom * part[0], atol=1e-5)

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from assay.models.ranges import Histogram, Ranges, activation_ranges
from assay.testing import tiny_classifier


def test_a_histogram_grows_with_what_it_sees_and_loses_nothing() -> None:
    random = np.random.default_rng(0)
    seen = Histogram()
    for width in (1.0, 3.0, 2.0):
        values = random.uniform(-width, 2 * width, 10_000)
        seen.add(values, values.min(), values.max())
    assert seen.counts.sum() == 30_000
    assert np.allclose((seen.low, seen.high), (-3, 6), atol=0.01)
    assert seen.range(Ranges.MINMAX) == (seen.low, seen.high)


def test_an_outlier_is_left_out_by_percentile() -> None:
    seen = Histogram()
    values = np.append(np.random.default_rng(0).uniform(-1, 1, 100_000), 400.0)
    seen.add(values, values.min(), values.max())
    low, high = seen.range(Ranges.PERCENTILE)
    # A bin is 0.2 wide here.
    assert -1 <= low <= -0.8
    assert 0.8 <= high <= 1.3
    assert seen.range(Ranges.MINMAX)[1] == 400


def test_zero_is_always_inside() -> None:
    for values in (np.array([3.0, 4.0]), np.array([-4.0, -3.0]), np.zeros(2)):
        seen = Histogram()
        seen.add(values, values.min(), values.max())
        for how in Ranges:
            low, high = seen.range(how)
            assert low <= 0 <= high


def test_every_tensor_of_a_network_is_seen(tmp_path: Path) -> None:
    path = tiny_classifier(tmp_path / "tiny.onnx")
    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(path)), path)
    images = np.random.default_rng(0).random((3, 1, 3, 8, 8), np.float32)
    found = activation_ranges(path, ({"input": image} for image in images), Ranges.MINMAX)
    assert found["input"] == (0.0, images.max())
    assert {"input", "logits"} < found.keys()
    inner = activation_ranges(path, ({"input": image} for image in images), Ranges.PERCENTILE)
    for name, (low, high) in found.items():
        assert low <= inner[name][0] <= 0 <= inner[name][1] <= high + 1e-5
